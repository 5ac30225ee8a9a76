"""A stack of the bench's own, on free ports and data that goes away afterwards."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy import config, memory, record
from deploy.local.postgres import EmbeddedPostgres
from deploy.processes import free_port

ROOT = Path(__file__).parent.parent
PORTS = ("AUDIT", "NOTIFICATION", "TASK", "COMPLIANCE", "EVENT", "TEMPORAL", "TEMPORAL_UI", "SMTP")
MIB = 1024 * 1024


class BenchStack:
    """`./ops up` as a newcomer calls it, elsewhere."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ops-bench-"))
        ports = {f"OPS_{name}_PORT": str(free_port()) for name in PORTS}
        # byte code is kept from the first start on, as it is wherever nobody forbids it
        foreign = ("OPS_", "DATABASE_URL", "TEMPORAL_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.environment = {**kept, **ports, "OPS_HOME": str(self.folder), "OPS_LOG_LEVEL": "WARNING"}

    def up(self) -> float:
        """Start; the seconds until all is ready."""
        started = time.monotonic()
        self._cli("up", "--detach")
        return time.monotonic() - started

    def down(self) -> None:
        self._cli("down")

    def remove(self) -> None:
        """Stop whatever runs and delete the data."""
        self.down()
        shutil.rmtree(self.folder)

    def token(self) -> str:
        return self._cli("token").strip()

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.environment[f'OPS_{service.upper()}_PORT']}"

    @property
    def temporal_address(self) -> str:
        return f"127.0.0.1:{self.environment['OPS_TEMPORAL_PORT']}"

    @property
    def database_url(self) -> str:
        return EmbeddedPostgres(self._config().state.postgres).start()

    def process_environment(self) -> dict[str, str]:
        """What a front door or a worker of this stack is started with."""
        return self._config().child_environment(self.database_url)

    def memory(self) -> dict[str, float]:
        """MiB by part, memory shared between processes counted once (PSS)."""
        running = record.read(self._config().state.run)
        if running is None:
            raise RuntimeError("the bench's stack is not running; its logs are under " + str(self.folder / "logs"))
        return {name: size / MIB for name, size in memory.by_part(running).items()}

    def _config(self) -> config.Stack:
        os.environ["OPS_HOME"] = str(self.folder)
        return config.load(self.environment)

    def _cli(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "deploy", *arguments],
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"./ops {' '.join(arguments)} failed; logs are under {self.folder / 'logs'}")
        return done.stdout
