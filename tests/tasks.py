"""What the tests of tasks share: calls, a local HTTP target, and a foreign worker written from the contract alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from core.contracts.task import TASK_EXECUTE, served_queue
from tests.conftest import eventually

TASKS = "/api/v1/tasks"
Json = dict[str, Any]


async def create(client: httpx.AsyncClient, **body: Any) -> Json:
    answer = await client.post(TASKS, json={"name": "a-task", **body})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


async def look(client: httpx.AsyncClient, task_id: str) -> Json:
    answer = await client.get(f"{TASKS}/{task_id}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def until(client: httpx.AsyncClient, task_id: str, **wanted: Any) -> Json:
    """The task, once it has all these values."""

    async def probe() -> Json | None:
        found = await look(client, task_id)
        return found if all(found[name] == value for name, value in wanted.items()) else None

    found = await eventually(probe)
    assert found is not None
    return found


async def history(client: httpx.AsyncClient, task_id: str) -> list[Json]:
    items: list[Json] = (await client.get(f"{TASKS}/{task_id}/executions")).json()["items"]
    return items


class Target:
    """A local HTTP server that answers what a test tells it to, and sees when its caller hangs up."""

    def __init__(self) -> None:
        self.status, self.holds = 200, False
        self.called, self.hung_up = asyncio.Event(), asyncio.Event()
        self.heads: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        self.called.set()
        if self.holds:
            with suppress(ConnectionError):
                await reader.read()
            self.hung_up.set()
        else:
            head = f"HTTP/1.1 {self.status} Said\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nConnection: close"
            writer.write(f"{head}\r\n\r\nhello".encode())
            await writer.drain()
        writer.close()

    def task(self, **payload: Any) -> Json:
        """The body of a task that calls this server."""
        return {"type": "http_request", "payload": {"url": self.url, **payload}}


@asynccontextmanager
async def listening() -> AsyncIterator[Target]:
    target = Target()
    server = await asyncio.start_server(target.answer, "127.0.0.1", 0)
    target.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield target
    finally:
        server.close()


class Run:
    """What a foreign handler is given."""

    def __init__(self, client: httpx.AsyncClient, path: str, started: Json) -> None:
        self._client, self._path = client, path
        self.payload, self.attempt = started["payload"], started["attempt"]

    async def progress(self, percent: float, message: str | None = None) -> None:
        await self._client.post(f"{self._path}/progress", json={"percent": percent, "message": message})


class HandlerError(Exception):
    """A foreign handler's expected failure."""

    def __init__(self, code: str, *, retryable: bool) -> None:
        super().__init__(code)
        self.code, self.retryable = code, retryable


Handler = Callable[[Run], Awaitable[Any]]


class ForeignWorker:
    """Serves `task.execute` as a customer's process does: over HTTP, with nothing of ours."""

    def __init__(self, client: httpx.AsyncClient, handler: Handler, *, reports_result: bool) -> None:
        self._client, self._handler, self._reports_result = client, handler, reports_result

    @activity.defn(name=TASK_EXECUTE)
    async def execute(self, ref: Json) -> None:
        path = f"{TASKS}/{ref['task_id']}/executions/{ref['execution_id']}"
        attempt = activity.info().attempt
        started = await self._client.post(f"{path}/start", json={"worker": "foreign-1", "attempt": attempt})
        if started.status_code == 409:
            return
        beating = asyncio.create_task(_beat())
        try:
            result = await self._handler(Run(self._client, path, started.json()))
        except HandlerError as error:
            told = {"code": error.code, "message": "as told", "retryable": error.retryable, "attempt": attempt}
            await self._client.post(f"{path}/error", json=told)
            raise ApplicationError(error.code, type="task.handler_failed", non_retryable=not error.retryable) from error
        finally:
            beating.cancel()
        if self._reports_result:
            await self._client.post(f"{path}/result", json={"result": result})


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.2)


@asynccontextmanager
async def serving(
    temporal: Client,
    client: httpx.AsyncClient,
    tenant: str,
    task_type: str,
    handler: Handler,
    *,
    reports_result: bool = True,
) -> AsyncIterator[None]:
    """A foreign worker of one type, for as long as the block runs."""
    foreign = ForeignWorker(client, handler, reports_result=reports_result)
    worker = Worker(temporal, task_queue=served_queue(tenant, task_type), activities=[foreign.execute])
    async with worker:
        yield
