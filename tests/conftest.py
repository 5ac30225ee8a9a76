"""The suite's own servers and data: real Postgres from the migrations, real Temporal, the apps, the workers."""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from temporalio.client import Client

from api.__main__ import door
from api.app import create_app
from core.auth import Scope, mint_token
from core.db import Database
from core.ids import new_id
from core.migrations import upgrade
from core.settings import ServiceName, Settings
from core.telemetry import set_up_logs
from core.temporal import connect, register_search_attributes
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.temporal import TemporalServer, ensure_binary
from deploy.processes import free_port
from workers.__main__ import crew_of
from workers.runtime import run

Answered = TypeVar("Answered")
Headers = dict[str, str]
StartWorkers = Callable[..., Awaitable[None]]


def pytest_configure(config: pytest.Config) -> None:
    """A folder of this run's own. Every pytest that starts closes the common one to other users, and when root runs the
    suite, Postgres is another user."""
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="ops-tests-", ignore_cleanup_errors=True)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A run on several processes goes by names: of tests that share one it runs the last, and says that all passed."""
    again = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    if again:
        raise pytest.UsageError(f"Give these tests names of their own, or they do not all run: {', '.join(again[:5])}")


@pytest.fixture(scope="session")
def suite_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suite")


@pytest.fixture(scope="session")
def postgres_url(suite_dir: Path) -> Iterator[str]:
    """An empty real server."""
    server = EmbeddedPostgres(suite_dir / "postgres")
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def database_url(postgres_url: str) -> str:
    """A database built by the migrations."""
    upgrade(postgres_url)
    return postgres_url


@pytest.fixture(scope="session")
def temporal_address(suite_dir: Path) -> Iterator[str]:
    """A real Temporal server of the suite's own."""
    server = TemporalServer(
        ensure_binary(print), suite_dir / "temporal.db", free_port(), None, suite_dir / "temporal.log"
    )
    server.start()
    yield server.address
    server.stop()


@pytest.fixture(scope="session")
def settings(database_url: str, temporal_address: str) -> Settings:
    """What a process of the suite reads from its environment."""
    set_up_logs("tests", "WARNING")
    return Settings.model_validate(
        {
            "database_url": database_url,
            "temporal_address": temporal_address,
            "jwt_secret": "a secret of the test suite, long enough for HS256",
            "secret_key": "another secret of the test suite, 32 bytes or more",
            "webhook_allow_private": True,
            "log_level": "WARNING",
        }
    )


@pytest.fixture(scope="session")
async def temporal(settings: Settings) -> Client:
    client = await connect(settings)
    await register_search_attributes(client)
    return client


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    yield database
    await database.close()


@pytest.fixture
def tenant() -> str:
    """A tenant nobody used before."""
    return new_id("org")


@pytest.fixture
def headers(settings: Settings, tenant: str) -> Callable[..., Headers]:
    """`headers(scope="user", user="user_1")`: an Authorization header, of this test's tenant unless told otherwise."""

    def made(
        scope: str = "admin",
        user: str = "user_123",
        of_tenant: str | None = None,
        permissions: list[str] | None = None,
    ) -> Headers:
        token = mint_token(settings, user=user, scope=Scope(scope), tenant=of_tenant or tenant, permissions=permissions)
        return {"Authorization": f"Bearer {token}"}

    return made


class Doors:
    """The five apps in this process, each opened when first asked for."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings, self._stack = settings, stack
        self._apps: dict[str, Any] = {}

    async def app(self, name: ServiceName) -> Any:
        if name not in self._apps:
            app = create_app(door(name), self._settings)
            await self._stack.enter_async_context(app.router.lifespan_context(app))
            self._apps[name] = app
        return self._apps[name]

    async def client(self, name: ServiceName, headers: Headers) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(await self.app(name), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=f"http://{name}", headers=headers, timeout=30)


@pytest.fixture(scope="session")
async def doors(settings: Settings) -> AsyncIterator[Doors]:
    async with AsyncExitStack() as stack:
        yield Doors(settings, stack)


@pytest.fixture(scope="session")
async def workers(settings: Settings, temporal: Client) -> AsyncIterator[StartWorkers]:
    """`await workers("task", "platform")`: these crews run until the suite ends."""
    stop, running = asyncio.Event(), dict[str, asyncio.Task[None]]()

    async def start(*names: str) -> None:
        for name in names:
            if name not in running:
                running[name] = asyncio.create_task(run(settings, [crew_of(name)], stop=stop))

    yield start
    stop.set()
    await asyncio.gather(*running.values())


def _service(name: ServiceName) -> Any:
    @pytest.fixture(name=name)
    async def opened(doors: Doors, headers: Callable[..., Headers]) -> AsyncIterator[httpx.AsyncClient]:
        async with await doors.client(name, headers()) as client:
            yield client

    return opened


# Each is an HTTP client of that front door, with an admin's token of this test's tenant.
audit = _service("audit")
notification = _service("notification")
task = _service("task")
compliance = _service("compliance")
event = _service("event")


async def eventually(probe: Callable[[], Awaitable[Answered]], *, within: float = 20.0) -> Answered:
    """Ask until the answer is true, or fail with the last answer."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        answer = await probe()
        if answer:
            return answer
        assert asyncio.get_running_loop().time() < deadline, f"not within {within} s; last answer: {answer!r}"
        await asyncio.sleep(0.05)
