"""Tasks over HTTP, with real workers, Postgres and Temporal behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.conftest import Headers, StartWorkers, eventually

TASKS = "/api/v1/tasks"


class Target:
    """A local HTTP server that answers what a test tells it to."""

    def __init__(self) -> None:
        self.status, self.delay = 200, 0.0
        self.requests: list[bytes] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        await asyncio.sleep(self.delay)
        body = b"hello"
        head = f"HTTP/1.1 {self.status} Said\r\nContent-Length: {len(body)}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    target = Target()
    server = await asyncio.start_server(target.answer, "127.0.0.1", 0)
    target.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        yield target


async def create(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(TASKS, json={"name": "a-task", **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def status_of(client: httpx.AsyncClient, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"{TASKS}/{task_id}")).json()
    return found


async def until(client: httpx.AsyncClient, task_id: str, status: str) -> dict[str, Any]:
    async def probe() -> dict[str, Any] | None:
        found = await status_of(client, task_id)
        return found if found["status"] == status else None

    found = await eventually(probe)
    assert found is not None
    return found


def http_task(target: Target, **payload: Any) -> dict[str, Any]:
    return {"type": "http_request", "payload": {"url": target.url, **payload}}


async def test_a_built_in_task_runs_and_keeps_its_result(
    task: httpx.AsyncClient, workers: StartWorkers, target: Target
) -> None:
    await workers("task")
    made = await create(task, **http_task(target))
    assert made["status"] == "pending"
    done = await until(task, made["task_id"], "completed")
    assert done["result"]["status"] == 200
    assert done["result"]["body"] == "hello"
    assert done["progress"] == 100
    assert done["waiting_for_worker"] is False
