"""A worker as a process of its own: it serves, drains on SIGTERM, and ends with exit code 0 and nothing on stderr."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.sdk.tasks import FakeTasks, RunOneTask, new_ref

QUEUE = "test.sdk.process"

PROGRAM = """
import asyncio, sys
from isa_user import TaskClient, TaskWorker

service, temporal, tenant = sys.argv[1:]
worker = TaskWorker(tasks=TaskClient(service, token="t"), temporal=temporal, tenant=tenant)

@worker.task("transcoding")
async def run(ctx, payload):
    print("begun", flush=True)
    await asyncio.sleep(1)
    return "done"

asyncio.run(worker.run())
print("ended", flush=True)
"""


@pytest.fixture
def tasks() -> Iterator[FakeTasks]:
    with FakeTasks().running() as running:
        yield running


@pytest.fixture(scope="module")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    client = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    async with Worker(client, task_queue=QUEUE, workflows=[RunOneTask], workflow_runner=UnsandboxedWorkflowRunner()):
        yield client


async def started(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *arguments, stdout=pipe, stderr=pipe, cwd=Path.home()
    )


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_running_task_end_and_the_process_with_it(
    client: Client, temporal_address: str, tasks: FakeTasks, tenant: str, name: signal.Signals
) -> None:
    ref = new_ref(tenant)
    process = await started(tasks.url, temporal_address, tenant)
    assert process.stdout
    handle = await client.start_workflow(
        RunOneTask.run, args=[f"task:{tenant}:transcoding", ref, 60.0], id=ref["execution_id"], task_queue=QUEUE
    )
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"begun\n"

    process.send_signal(name)
    said, complained = await asyncio.wait_for(process.communicate(), 60)

    assert (process.returncode, said, complained) == (0, b"ended\n", b"")
    assert await handle.result() == {"status": "completed"}
    assert tasks.said(ref["execution_id"], "result") == [{"result": "done"}]


async def test_a_process_killed_in_the_middle_leaves_its_task_to_another(
    client: Client, temporal_address: str, tasks: FakeTasks, tenant: str
) -> None:
    ref = new_ref(tenant)
    handle = await client.start_workflow(
        RunOneTask.run, args=[f"task:{tenant}:transcoding", ref, 60.0], id=ref["execution_id"], task_queue=QUEUE
    )
    first = await started(tasks.url, temporal_address, tenant)
    assert first.stdout
    assert await asyncio.wait_for(first.stdout.readline(), 60) == b"begun\n"
    first.kill()
    await first.communicate()

    second = await started(tasks.url, temporal_address, tenant)
    assert await asyncio.wait_for(handle.result(), 60) == {"status": "completed"}
    second.terminate()
    await second.communicate()

    assert [body["attempt"] for body in tasks.said(ref["execution_id"], "start")] == [1, 2]
    assert second.returncode == 0
