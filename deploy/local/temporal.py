"""The Temporal server of the local stack: where its binary comes from and how it is run."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy import health, paths
from deploy.errors import OpsCliError
from deploy.local import download
from deploy.locks import only_one
from deploy.processes import Child, Identity, free_port, wait_until

VERSION = "1.5.1"
GO_PACKAGE = f"github.com/temporalio/cli/cmd/temporal@v{VERSION}"
# the first server with the matcher that keeps task priorities
OLDEST_SERVER = (1, 29)
NAMESPACE = "default"
SEARCH_ATTRIBUTES = ("OpsTenant", "OpsUser", "OpsCorrelationId", "OpsStatus", "OpsService")
START_SECONDS = 60.0
# Idle it weighs 110 to 150 MiB, whatever the collector is told (measured: GOGC 30, 50, 100). The soft limit only keeps
# a busy afternoon's caches from filling a small machine.
MEMORY: Mapping[str, str] = {"GOMEMLIMIT": "512MiB"}

PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")
DYNAMIC_CONFIG = (
    # honours task priorities exactly
    "matching.useNewMatcher=true",
    # one partition a queue: 51 → 79 one-activity workflows a second on two cores
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)

Progress = Callable[[str], None]


class TemporalServer:
    """One server process. `db_file=None` keeps everything in memory; `ui_port=None` leaves the UI out."""

    name = "temporal"

    def __init__(self, binary: Path, db_file: Path | None, port: int, ui_port: int | None, log: Path) -> None:
        self.binary = binary
        self.db_file = db_file
        self.port = port
        self.ui_port = ui_port
        self.log = log
        self._http_port = 0
        self._child: Child | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        flags = ["--ip", "127.0.0.1", "--port", str(self.port), "--http-port", str(self._http_port)]
        flags += ["--namespace", NAMESPACE, "--log-level", "warn"]
        flags += ["--headless"] if self.ui_port is None else ["--ui-port", str(self.ui_port)]
        if self.db_file is not None:
            flags += ["--db-filename", str(self.db_file)]
            flags += [part for pragma in PRAGMAS for part in ("--sqlite-pragma", pragma)]
        flags += [part for value in DYNAMIC_CONFIG for part in ("--dynamic-config-value", value)]
        flags += [part for name in SEARCH_ATTRIBUTES for part in ("--search-attribute", f"{name}=Keyword")]
        return [str(self.binary), "server", "start-dev", *flags]

    def launch(self) -> Child:
        """Start and return at once; `ready` says when it answers."""
        if self.db_file is not None:
            self.db_file.parent.mkdir(parents=True, exist_ok=True)
        self._http_port = free_port()
        self._child = Child("temporal", self.command(), {**MEMORY, **os.environ}, self.log)
        self._child.start()
        return self._child

    def start(self) -> None:
        """Start and return when the server answers."""
        child = self.launch()
        if not wait_until(lambda: self.ready() or not child.alive(), seconds=START_SECONDS) or not child.alive():
            child.stop()
            raise OpsCliError("Temporal did not start.", f"Its log is {self.log}.")

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def alive(self) -> bool:
        return self._child is not None and self._child.alive()

    def identity(self) -> Identity | None:
        return self._child.identity() if self._child is not None else None

    def ready(self) -> bool:
        """The front end serves and the namespace is there: asked over HTTP, which needs no gRPC client."""
        url = f"http://127.0.0.1:{self._http_port}/api/v1/namespaces/{NAMESPACE}"
        try:
            return bool(json.loads(health.get(url))["namespaceInfo"]["state"] == "NAMESPACE_STATE_REGISTERED")
        except (OSError, ValueError, KeyError):
            return False


def ensure_binary(progress: Progress) -> Path:
    """The newest way that works: PATH, the user's cache, the SDK's download, a build with Go."""
    on_path = shutil.which("temporal")
    if on_path and new_enough(Path(on_path)):
        return Path(on_path)
    cached = paths.cache() / f"temporal-{VERSION}"
    if cached.exists():
        return cached
    with only_one(cached):
        if not cached.exists():
            _provide(cached, progress)
    return cached


def new_enough(binary: Path) -> bool:
    """Whether the server inside knows the flags above (`temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)`)."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.search(r"Server (\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_SERVER


def _provide(target: Path, progress: Progress) -> None:
    for broken_off in target.parent.glob(".temporal-*/"):
        shutil.rmtree(broken_off, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".temporal-") as workshop:
        progress(f"Temporal {VERSION}: downloading (once for this user)")
        made = download.fetch("server", f"v{VERSION}", Path(workshop) / "download")
        if made is None:
            made = _build(Path(workshop), progress)
        made.chmod(0o755)
        # a rename is all or nothing: a broken-off set-up leaves no half binary
        made.replace(target)


def _build(workshop: Path, progress: Progress) -> Path:
    go = shutil.which("go")
    if go is None:
        raise OpsCliError(
            "There is no Temporal server here: its download is blocked and Go, which could build it, is not installed.",
            "Put the `temporal` CLI on PATH (https://docs.temporal.io/cli), install Go (https://go.dev/dl), "
            "or set TEMPORAL_ADDRESS=<host:port> of a running server.",
        )
    progress(f"Temporal {VERSION}: the download is blocked, building with Go (about 3 minutes, once for this user)")
    environment = {**os.environ, "GOBIN": str(workshop), "CGO_ENABLED": "0"}
    command = [go, "install", "-v", GO_PACKAGE]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as build:
        try:
            last = _report(build, progress)
        except BaseException:
            build.kill()
            raise
    if build.returncode != 0:
        raise OpsCliError(
            f"Go could not build Temporal: {last}",
            f"Run `go install {GO_PACKAGE}` to see it in full, or put the `temporal` CLI on PATH.",
        )
    return workshop / "temporal"


def _report(build: subprocess.Popen[str], progress: Progress) -> str:
    """Tell how far the build is; answer its last line."""
    line, fetched, compiled = "it said nothing", 0, 0
    for line in build.stderr or ():
        fetched, compiled = (fetched + 1, compiled) if "downloading" in line else (fetched, compiled + 1)
        progress(f"Temporal {VERSION}: {fetched} modules fetched, {compiled} packages compiled")
    return line.strip()
