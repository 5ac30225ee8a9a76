"""`./ops bench [measure ...]`: ours beside the floor, in one run."""

import asyncio
import json
import socket
import statistics
import sys
import time
from collections.abc import Callable
from typing import Annotated

import httpx
import typer
from rich.console import Console

from bench import compliance, floors, load
from bench.report import Measure, keep, show
from bench.stack import BenchStack

BATCH, BATCH_CLIENTS, CONNECTIONS = 500, 4, 32
TASKS, TASKS_AT_ONCE, TASK_ROUNDS = 200, 32, 4
IDLE_SECONDS = 20
TASK_SECONDS = 120
console = Console(stderr=True)


def _batch_publish(stack: BenchStack) -> Measure:
    event = {"event_type": "page.view", "source": "bench", "payload": {"page": "/home", "user_id": "user_123"}}
    body = json.dumps({"events": [event] * BATCH}).encode()
    url = f"{stack.url('event')}/api/v1/events/batch"
    ours = load.requests_per_second(url, body, stack.token(), connections=BATCH_CLIENTS) * BATCH
    floor = floors.copied_rows_per_second(stack.database_url)
    return Measure(ours, floor, 0.4, "events/s", note="500 a request, 4 clients, beside psycopg COPY with 4 writers")


def _single(stack: BenchStack, service: str, path: str, record: dict[str, object]) -> Measure:
    body, token = json.dumps(record).encode(), stack.token()
    ours = load.requests_per_second(stack.url(service) + path, body, token, connections=CONNECTIONS)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with floors.bare_routes(stack, port) as bare:
        floor = load.requests_per_second(bare + path, body, token, connections=CONNECTIONS)
    return Measure(ours, floor, 0.25, "requests/s", note="32 connections, beside a bare FastAPI route, same models")


def _single_publish(stack: BenchStack) -> Measure:
    record: dict[str, object] = {"event_type": "user.signup", "source": "bench", "payload": {"plan": "free"}}
    return _single(stack, "event", "/api/v1/events", record)


def _single_audit(stack: BenchStack) -> Measure:
    record: dict[str, object] = {"event_type": "user.login", "category": "authentication", "actor_id": "user_123"}
    return _single(stack, "audit", "/api/v1/audit/events", record)


def _tasks(stack: BenchStack) -> Measure:
    """In turns, so that what the machine does meanwhile meets both."""
    ours, floor = [], []
    for _ in range(TASK_ROUNDS):
        ours.append(asyncio.run(_tasks_per_second(stack)))
        floor.append(asyncio.run(floors.bare_workflows_per_second(stack.temporal_address, TASKS, TASKS_AT_ONCE)))
    note = f"created through the API and completed, beside a bare workflow; the means of {TASK_ROUNDS} rounds of both"
    return Measure(statistics.fmean(ours), statistics.fmean(floor), 0.7, "tasks/s", note=note)


async def _tasks_per_second(stack: BenchStack) -> float:
    """From the first POST until the last task of a built-in type is completed; its HTTP target is a local socket."""
    server = await asyncio.start_server(_say_ok, "127.0.0.1", 0)
    target = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    headers = {"Authorization": f"Bearer {stack.token()}"}
    async with httpx.AsyncClient(base_url=stack.url("task"), headers=headers, timeout=60) as client:
        await _run_tasks(client, target, TASKS_AT_ONCE)
        started = time.monotonic()
        await _run_tasks(client, target, TASKS)
        seconds = time.monotonic() - started
    server.close()
    return TASKS / seconds


async def _run_tasks(client: httpx.AsyncClient, target: str, count: int) -> None:
    before, gate = await _completed(client), asyncio.Semaphore(TASKS_AT_ONCE)
    body = {"name": "bench", "type": "http_request", "payload": {"method": "GET", "url": target}}

    async def one() -> None:
        async with gate:
            (await client.post("/api/v1/tasks", json=body)).raise_for_status()

    await asyncio.gather(*(one() for _ in range(count)))
    ends = time.monotonic() + TASK_SECONDS
    while await _completed(client) - before < count:
        if time.monotonic() > ends:
            raise RuntimeError(f"the tasks were not completed within {TASK_SECONDS} s")
        await asyncio.sleep(0.05)


async def _completed(client: httpx.AsyncClient) -> int:
    analytics = (await client.get("/api/v1/tasks/analytics")).raise_for_status().json()
    return int(analytics["by_status"].get("completed", 0))


async def _say_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, one answer, one connection: none is left open when the bench ends."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok")
    await writer.drain()
    writer.close()


def _idle_memory(stack: BenchStack) -> Measure:
    console.print(f"  waiting {IDLE_SECONDS} s for the stack to be idle")
    time.sleep(IDLE_SECONDS)
    parts = stack.memory()
    floor = sum(size for name, size in parts.items() if name in ("postgres", "temporal"))
    told = ", ".join(f"{name} {size:.0f}" for name, size in parts.items())
    return Measure(
        sum(parts.values()), floor, 1228.8, "MiB", "figure", f"PSS; the floor is Postgres and Temporal; {told}"
    )


def _ready(stack: BenchStack) -> Measure:
    stack.down()
    return Measure(stack.up(), None, 10.0, "s", "figure", "`./ops up` until every part is ready, set up before")


MEASURES: dict[str, Callable[[BenchStack], Measure]] = {
    "ready": _ready,
    "idle_memory": _idle_memory,
    "batch_publish": _batch_publish,
    "single_publish": _single_publish,
    "single_audit": _single_audit,
    "tasks": _tasks,
    **compliance.MEASURES,
}
GROUPS = {"compliance": list(compliance.MEASURES)}


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Of {', '.join([*GROUPS, *MEASURES])}; all without.")
    ] = None,
) -> None:
    """Measure ours against the floor and keep the table in bench/results.md and results.json."""
    wanted = [one for name in names or MEASURES for one in GROUPS.get(name, [name])]
    if unknown := [name for name in wanted if name not in MEASURES]:
        raise typer.BadParameter(
            f"no measure is called {', '.join(unknown)}; there are {', '.join([*GROUPS, *MEASURES])}"
        )
    stack, taken = BenchStack(), dict[str, Measure]()
    try:
        console.print(f"bringing up a stack of the bench's own, {stack.up():.0f} s")
        for name in (name for name in MEASURES if name in wanted):
            console.print(f"measuring {name} …")
            taken[name] = MEASURES[name](stack)
    finally:
        stack.remove()
    show(taken)
    keep(taken, command=" ".join(["./ops bench", *(names or [])]), generator=load.generator())
    sys.exit(not all(measure.held for measure in taken.values()))


if __name__ == "__main__":
    typer.run(main)
