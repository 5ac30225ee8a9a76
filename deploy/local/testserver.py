"""The time-skipping test server: the SDK's own where its download works, the Java one from Maven Central elsewhere."""

import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy import paths
from deploy.errors import OpsCliError
from deploy.local import download
from deploy.local.temporal import Progress
from deploy.locks import only_one

VERSION = "1.31.0"
POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>isa</groupId><artifactId>test-server</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""


def ensure_test_server(progress: Progress) -> Path:
    """An executable for `WorkflowEnvironment.start_time_skipping(test_server_existing_path=…)`."""
    folder = paths.cache() / f"test-server-{VERSION}"
    launcher = folder / "temporal-test-server"
    if launcher.exists():
        return launcher
    with only_one(folder):
        if not launcher.exists():
            _provide(folder, launcher.name, progress)
    return launcher


def _provide(folder: Path, name: str, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".test-server-") as made:
        workshop = Path(made) / "new"
        workshop.mkdir()
        progress("Time-skipping test server: downloading (once for this user)")
        native = download.fetch("test-server", f"v{VERSION}", Path(made) / "download")
        if native is not None:
            native.replace(workshop / name)
        else:
            _from_maven(workshop, name, folder, progress)
        (workshop / name).chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        workshop.rename(folder)


def _from_maven(workshop: Path, name: str, folder: Path, progress: Progress) -> None:
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        raise OpsCliError(
            "The tests need Temporal's time-skipping server: its download is blocked, and "
            f"{'Java' if java is None else 'Maven'}, which could fetch and run it, is not installed.",
            "Install a Java runtime (17 or newer) and Maven, then run `./ops test` again.",
        )
    progress("Time-skipping test server: the download is blocked, fetching it from Maven Central")
    (workshop / "pom.xml").write_text(POM)
    goal = [maven, "-B", "-q", "-ntp", "dependency:copy-dependencies", "-DincludeScope=runtime"]
    done = subprocess.run(
        [*goal, f"-DoutputDirectory={workshop / 'lib'}"], cwd=workshop, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["it said nothing"])[0]
        raise OpsCliError(f"Maven could not fetch the test server: {last}", "See that Maven reaches its repository.")
    # one quick start matters more than peak speed
    flags = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    classpath = shlex.quote(f"{folder / 'lib'}/*")
    (workshop / name).write_text(
        f'#!/bin/sh\nexec java {flags} -cp {classpath} io.temporal.testserver.TestServer "$@"\n'
    )
