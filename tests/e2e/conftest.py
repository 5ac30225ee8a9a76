"""A whole stack of real processes that a test may kill, stop and start again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from core.auth import Scope, mint_token
from core.ids import new_id
from core.migrations import upgrade
from core.settings import SERVICES, ServiceName, Settings
from deploy import health
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.temporal import TemporalServer, ensure_binary
from deploy.processes import free_port

ROOT = Path(__file__).parent.parent.parent
READY_SECONDS = 60.0


class Stack:
    """Postgres, Temporal, five front doors and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports: dict[ServiceName, int] = {name: free_port() for name in SERVICES}
        self.postgres = EmbeddedPostgres(folder / "postgres")
        self.temporal = TemporalServer(
            ensure_binary(print), folder / "temporal.db", free_port(), None, folder / "temporal.log"
        )
        self.environment: dict[str, str] = {}
        self.extra: dict[str, str] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Bring everything up and wait until it is ready."""
        url = self.postgres.start()
        self.temporal.start()
        upgrade(url)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("OPS_", "TEMPORAL_"))},
            "DATABASE_URL": url,
            "TEMPORAL_ADDRESS": self.temporal.address,
            "OPS_JWT_SECRET": "a secret of the end-to-end tests, long enough",
            "OPS_SECRET_KEY": "another secret of the end-to-end tests, long",
            "OPS_WEBHOOK_ALLOW_PRIVATE": "true",
            **{f"OPS_{name.upper()}_PORT": str(port) for name, port in self.ports.items()},
            **self.extra,
        }
        self.run("api", "-m", "api")
        self.run("worker", "-m", "workers")
        self.wait_until_ready()

    def run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one Python process of the project; its output goes to a file named after it."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self.processes[name] = process
        return process

    def kill(self, name: str) -> None:
        """SIGKILL a process and its children: nothing of it gets to say goodbye."""
        process = self.processes.pop(name)
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for member in family:
            member.send_signal(signal.SIGKILL)
        process.wait()

    def url(self, service: ServiceName) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def token(self, *, user: str = "user_123", scope: str = "admin", tenant: str = "default") -> str:
        settings = Settings.model_validate(
            {"jwt_secret": self.environment["OPS_JWT_SECRET"], "secret_key": self.environment["OPS_SECRET_KEY"]}
        )
        return mint_token(settings, user=user, scope=Scope(scope), tenant=tenant)

    def client(self, service: ServiceName, **whose: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token(**whose)}"}
        return httpx.Client(base_url=self.url(service), headers=headers, timeout=30)

    def health(self, service: ServiceName) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = httpx.get(f"{self.url(service)}/health/ready", timeout=5).json()
        except httpx.TransportError as error:
            return {"status": "unreachable", "parts": {}, "why": str(error)}
        return answer

    def wait_until_ready(self) -> None:
        for service in SERVICES:
            until(lambda service=service: health.ready(self.url(service)), f"{service} is ready", READY_SECONDS)

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.temporal.stop()
        self.postgres.stop()


def until(probe: Any, what: str, within: float = 30.0) -> Any:
    """Ask until the answer is true; fail naming what was waited for."""
    deadline = time.monotonic() + within
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.1)
    return answer


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this module's own."""
    built = Stack(tmp_path_factory.mktemp("stack"))
    try:
        built.start()
        yield built
    finally:
        built.stop()


@pytest.fixture
def own_tenant() -> str:
    return new_id("org")
