"""`./ops test` and `./ops bench`: the checks of the project, in an environment that no running stack leaks into."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from deploy import paths
from deploy.console import Progress, err
from deploy.local.temporal import ensure_binary
from deploy.local.testserver import ensure_test_server

# what would point a test at somebody's real stack or provider
LEAKS = ("OPS_", "DATABASE_URL", "TEMPORAL_", "SENDGRID_", "TWILIO_", "FIREBASE_", "OTEL_", "PGHOST", "PGPORT", "PG")
LINTERS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))
# two cores: two files at a time, each file with the servers of its process
PARALLEL = ("-n", "2", "--dist", "loadfile")


def run(arguments: Sequence[str]) -> int:
    """The exit code of the first thing that fails, else pytest's."""
    environment = clean(os.environ)
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


def run_bench(arguments: Sequence[str]) -> int:
    return _python(["-m", "bench", *arguments], dict(os.environ))


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(LEAKS)}


def _python(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    return subprocess.run([sys.executable, *arguments], cwd=paths.ROOT, env=environment, check=False).returncode
