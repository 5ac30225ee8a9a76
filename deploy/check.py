"""`./ops test` and `./ops bench`: the checks of the project, in an environment that no running stack leaks into."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy import paths
from deploy.console import Progress, err
from deploy.errors import OpsCliError
from deploy.local.temporal import ensure_binary
from deploy.local.testserver import ensure_test_server

# what would point a test at somebody's real stack or provider
LEAKS = ("OPS_", "DATABASE_URL", "TEMPORAL_", "SENDGRID_", "TWILIO_", "FIREBASE_", "OTEL_", "PGHOST", "PGPORT", "PG")
LINTERS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))
# two cores: two files at a time, each file with the servers of its process
PARALLEL = ("-n", "2", "--dist", "loadfile")
EXTRAS, EXTRAS_TESTS = "--extras", "tests/extras"
EXTRAS_ENVIRONMENT = paths.ROOT / ".venv-extras"
"""Apart from the project's own, which stays as small as it is; 6 GB, to be deleted at will."""


def run(arguments: Sequence[str]) -> int:
    """The exit code of the first thing that fails, else pytest's."""
    environment = clean(os.environ)
    if EXTRAS in arguments:
        return _run_extras([one for one in arguments if one != EXTRAS], environment)
    with Progress() as progress:
        ensure_binary(progress)
        ensure_test_server(progress)
    if not arguments:
        for command in LINTERS:
            code = _python(["-m", *command], environment)
            if code != 0:
                err.print(f"[bold red]✗[/] {' '.join(command)} finds fault, see above; the tests did not run.")
                return code
    return _python(["-m", "pytest", *(arguments or PARALLEL)], environment)


def _run_extras(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """The tests of detectors whose libraries take gigabytes, in an environment that has them."""
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if uv is None:
        raise OpsCliError("uv, which installs the extras, is not there.", "Delete .venv and run this again.")
    err.print(f"Installing the extras into {EXTRAS_ENVIRONMENT.name}: a download of 3 GB, 6 GB on disk.")
    apart = {**environment, "UV_PROJECT_ENVIRONMENT": str(EXTRAS_ENVIRONMENT)}
    sync = [uv, "sync", "--frozen", "--all-extras", "--python", sys.executable]
    code = subprocess.run(sync, cwd=paths.ROOT, env=apart, check=False).returncode
    if code != 0:
        return code
    pytest = [str(EXTRAS_ENVIRONMENT / "bin" / "python"), "-m", "pytest", EXTRAS_TESTS, *arguments]
    return subprocess.run(pytest, cwd=paths.ROOT, env=dict(environment), check=False).returncode


def run_bench(arguments: Sequence[str]) -> int:
    return _python(["-m", "bench", *arguments], dict(os.environ))


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(LEAKS)}


def _python(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    return subprocess.run([sys.executable, *arguments], cwd=paths.ROOT, env=environment, check=False).returncode
