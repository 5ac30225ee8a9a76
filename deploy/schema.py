"""Bringing the database to the newest schema, and knowing that the embedded one is there already."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy import health, paths
from deploy.errors import OpsCliError
from deploy.paths import State

MIGRATIONS = paths.ROOT / "core" / "migrations"


def migrate(environment: Mapping[str, str], log: Path) -> None:
    """In a process of its own: what migrations load, nobody needs afterwards."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "core.migrations"]
    with log.open("wb") as output:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if done.returncode != 0:
        raise OpsCliError(f"The migrations failed: {health.last_line(log)}", f"Their log is {log}.")


def is_newest(state: State) -> bool:
    """Whether these very migrations ran on the embedded database: two seconds that a second start saves."""
    return state.schema.exists() and state.schema.read_text() == _fingerprint()


def remember(state: State) -> None:
    state.schema.write_text(_fingerprint())


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(MIGRATIONS.rglob("*.py")):
        digest.update(path.relative_to(MIGRATIONS).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
