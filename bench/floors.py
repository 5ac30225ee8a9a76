"""The floors: what the same machine does with everything of ours left out."""

import asyncio
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import psycopg
from temporalio.client import Client

from bench.bare_workflow import QUEUE, BareWorkflow
from bench.stack import ROOT, BenchStack

COPY_SECONDS = 5.0
WRITERS, ROWS_A_COPY = 4, 500


@contextmanager
def bare_routes(stack: BenchStack, port: int) -> Iterator[str]:
    """One uvicorn process with the same models and nothing behind them."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.bare", str(port)], cwd=ROOT, env=stack.environment, stdin=subprocess.DEVNULL
    )
    try:
        _until_up(f"http://127.0.0.1:{port}/health/live")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _until_up(url: str) -> None:
    ends = time.monotonic() + 20
    while True:
        try:
            urlopen(url, timeout=1).close()
            return
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)


def copied_rows_per_second(url: str) -> float:
    """psycopg COPY of event rows into the event table, four writers, one transaction for each 500 rows."""
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        counts = pool.map(_copy, [(url, time.time() + 2.0)] * WRITERS)
    return sum(counts) / COPY_SECONDS


def _copy(job: tuple[str, float]) -> int:
    from bench.rows import COLUMNS, TABLE, rows

    url, starts = job
    statement = f"COPY {TABLE} ({', '.join(COLUMNS)}) FROM STDIN"
    with psycopg.connect(url) as connection:
        time.sleep(max(0.0, starts - time.time()))
        ends, count = time.monotonic() + COPY_SECONDS, 0
        while time.monotonic() < ends:
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(statement) as copy:
                for row in rows(ROWS_A_COPY):
                    copy.write_row(row)
            count += ROWS_A_COPY
    return count


async def bare_workflows_per_second(address: str, count: int, at_once: int) -> float:
    """Start and finish `count` one-activity workflows with the client, `at_once` of them open at a time."""
    client = await Client.connect(address)
    worker = await asyncio.to_thread(_start_worker, address)
    try:
        gate = asyncio.Semaphore(at_once)

        async def one(name: str) -> None:
            async with gate:
                await client.execute_workflow(BareWorkflow.run, name, id=name, task_queue=QUEUE)

        await asyncio.gather(*(one(f"bench-warm-{i}") for i in range(at_once)))
        started = time.monotonic()
        await asyncio.gather(*(one(f"bench-{i}") for i in range(count)))
        return count / (time.monotonic() - started)
    finally:
        worker.terminate()
        worker.wait()


def _start_worker(address: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bench.bare_workflow", address]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("the floor's worker did not start, see above")
    return process
