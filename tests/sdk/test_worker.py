"""TaskWorker against a real Temporal server: a handler's success, failure, progress, cancellation, and the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from isa_user import PermanentTaskError, TaskCancelled, TaskClient, TaskWorker
from isa_user.worker import SyncTaskContext, TaskContext
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from deploy.processes import free_port
from tests.sdk.tasks import FakeTasks, RunOneTask, new_ref

QUEUE = "test.sdk.worker"


@pytest.fixture
def tasks() -> Iterator[FakeTasks]:
    with FakeTasks().running() as running:
        yield running


@pytest.fixture(scope="module")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    client = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    async with Worker(client, task_queue=QUEUE, workflows=[RunOneTask], workflow_runner=UnsandboxedWorkflowRunner()):
        yield client


MakeWorker = Callable[..., TaskWorker]


@pytest.fixture
def make(tasks: FakeTasks, client: Client, tenant: str) -> MakeWorker:
    """`make(drain_timeout=1)`: a worker of this test's tenant."""

    def made(**keywords: Any) -> TaskWorker:
        temporal = keywords.pop("temporal", client)
        service = TaskClient(tasks.url, token="t")
        return TaskWorker(tasks=service, temporal=temporal, tenant=tenant, identity="worker-7", **keywords)

    return made


@asynccontextmanager
async def serving(worker: TaskWorker) -> AsyncIterator[asyncio.Task[None]]:
    running = asyncio.create_task(worker.run())
    try:
        yield running
    finally:
        worker.stop()
        await running


Start = Callable[..., Awaitable[WorkflowHandle[Any, Any]]]


@pytest.fixture
def start(client: Client, tenant: str) -> Start:
    async def started(ref: dict[str, Any], task_type: str = "transcoding", seconds: float = 60) -> Any:
        queue = f"task:{tenant}:{task_type}"
        return await client.start_workflow(
            RunOneTask.run, args=[queue, ref, seconds], id=ref["execution_id"], task_queue=QUEUE
        )

    return started


async def until(true: Callable[[], Any], *, within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"not within {within} s"
        await asyncio.sleep(0.02)


async def failure(handle: WorkflowHandle[Any, Any]) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    cause = raised.value.cause
    assert isinstance(cause, ActivityError)
    assert isinstance(cause.cause, ApplicationError)
    return cause.cause


async def test_an_async_handler_gets_the_payload_and_its_result_is_reported(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref, seen = make(), new_ref(tenant), []

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> dict[str, Any]:
        seen.append((ctx.task_id, ctx.execution_id, ctx.attempt, ctx.correlation_id, ctx.name, ctx.cancelled))
        await ctx.progress(45, "half of it")
        return {"output": payload["file_id"]}

    async with serving(worker):
        outcome = await (await start(ref)).result()

    execution = ref["execution_id"]
    assert outcome == {"status": "completed"}
    assert seen == [(ref["task_id"], execution, 1, "corr_1", "process_video", False)]
    assert tasks.said(execution) == ["start", "progress", "result"]
    assert tasks.said(execution, "start") == [{"worker": "worker-7", "attempt": 1}]
    assert tasks.said(execution, "progress") == [{"percent": 45, "message": "half of it"}]
    assert tasks.said(execution, "result") == [{"result": {"output": "file_123"}}]


async def test_a_sync_handler_runs_in_a_thread_and_reports_alike(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref = make(), new_ref(tenant)

    @worker.task("transcoding")
    def run(ctx: SyncTaskContext, payload: dict[str, Any]) -> int:
        ctx.progress(100)
        return len(payload)

    async with serving(worker):
        await (await start(ref)).result()

    assert tasks.said(ref["execution_id"], "progress") == [{"percent": 100}]
    assert tasks.said(ref["execution_id"], "result") == [{"result": 1}]


async def test_a_handler_without_a_result_completes_with_null(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref = make(), new_ref(tenant)

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> None:
        """Nothing to tell."""

    async with serving(worker):
        await (await start(ref)).result()

    assert tasks.said(ref["execution_id"], "result") == [{"result": None}]


async def test_each_type_has_its_own_queue_and_handler(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, one, two = make(), new_ref(tenant), new_ref(tenant)
    worker.task("one")(lambda ctx, payload: "one")
    worker.task("two")(lambda ctx, payload: "two")

    async with serving(worker):
        await asyncio.gather((await start(one, "one")).result(), (await start(two, "two")).result())

    assert tasks.said(one["execution_id"], "result") == [{"result": "one"}]
    assert tasks.said(two["execution_id"], "result") == [{"result": "two"}]


async def test_an_exception_is_reported_and_the_next_attempt_follows(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref = make(), new_ref(tenant)

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> str:
        if ctx.attempt == 1:
            raise OSError("disk full")
        return "done"

    async with serving(worker):
        await (await start(ref)).result()

    execution = ref["execution_id"]
    assert tasks.said(execution) == ["start", "error", "start", "result"]
    assert tasks.said(execution, "error") == [
        {"code": "handler_failed", "message": "OSError: disk full", "retryable": True, "attempt": 1}
    ]
    assert tasks.said(execution, "start")[1]["attempt"] == 2


async def test_a_permanent_failure_ends_the_task_at_once_and_keeps_its_words_from_temporal(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref = make(), new_ref(tenant)

    @worker.task("transcoding")
    def run(ctx: SyncTaskContext, payload: dict[str, Any]) -> None:
        raise PermanentTaskError("Ada's file is no video", code="bad_file")

    async with serving(worker):
        handle = await start(ref)
        cause = await failure(handle)

    assert (cause.type, cause.message, cause.non_retryable) == ("task.handler_failed", "bad_file", True)
    assert tasks.said(ref["execution_id"], "error") == [
        {"code": "bad_file", "message": "Ada's file is no video", "retryable": False, "attempt": 1}
    ]
    assert "Ada" not in (await handle.fetch_history()).to_json()


async def test_a_result_that_is_not_json_fails_the_task(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref = make(), new_ref(tenant)

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> object:
        return object()

    async with serving(worker):
        cause = await failure(await start(ref))

    assert cause.message == "result_not_json"


async def test_a_result_that_the_service_refuses_fails_the_task(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref = make(), new_ref(tenant)
    worker.task("transcoding")(lambda ctx, payload: "too long")
    tasks.refuse["result"] = [(413, "too_large")]

    async with serving(worker):
        cause = await failure(await start(ref))

    assert cause.message == "result_refused"
    assert tasks.said(ref["execution_id"], "error")[0]["code"] == "result_refused"


@pytest.mark.usefixtures("impatient")
async def test_a_result_outlasts_an_outage_and_the_handler_runs_once(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref, runs = make(), new_ref(tenant), []
    worker.task("transcoding")(lambda ctx, payload: runs.append(1))
    tasks.refuse["start"] = [(503, "unavailable")] * 6
    tasks.refuse["result"] = [(503, "unavailable")] * 6

    async with serving(worker):
        outcome = await (await start(ref)).result()

    assert (outcome, runs) == ({"status": "completed"}, [1])


async def test_a_token_that_is_refused_fails_the_attempt_not_the_worker(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref = make(), new_ref(tenant)
    worker.task("transcoding")(lambda ctx, payload: "done")
    tasks.refuse["start"] = [(401, "unauthenticated")]

    async with serving(worker):
        await (await start(ref)).result()

    assert tasks.said(ref["execution_id"]) == ["start", "start", "result"]


@pytest.mark.parametrize("code", ["task_cancelled", "execution_finished", "attempt_superseded"])
async def test_an_execution_nobody_waits_for_is_not_begun(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str, code: str
) -> None:
    worker, ref, runs = make(), new_ref(tenant), []
    worker.task("transcoding")(lambda ctx, payload: runs.append(1))
    tasks.refuse["start"] = [(409, code)]

    async with serving(worker):
        outcome = await (await start(ref)).result()

    assert (outcome, runs) == ({"status": "superseded"}, [])
    assert tasks.said(ref["execution_id"]) == ["start"]


async def test_many_progress_calls_are_few_requests_and_the_last_one_arrives(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref = make(), new_ref(tenant)

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> None:
        for step in range(1001):
            await ctx.progress(step / 10)

    async with serving(worker):
        await (await start(ref)).result()

    told = [report["percent"] for report in tasks.said(ref["execution_id"], "progress")]
    assert len(told) <= 3
    assert told[-1] == 100


@pytest.mark.parametrize("percent", [-1, 100.1, float("nan")])
async def test_a_percentage_that_is_none_is_the_handlers_mistake(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str, percent: float
) -> None:
    worker, ref = make(), new_ref(tenant, attempt_limit=1)

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> None:
        await ctx.progress(percent)

    async with serving(worker):
        await failure(await start(ref))

    assert "from 0 to 100" in tasks.said(ref["execution_id"], "error")[0]["message"]


async def test_progress_that_is_not_taken_does_not_stop_the_work(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref = make(), new_ref(tenant)
    tasks.refuse["progress"] = [(500, "internal")]

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> str:
        await ctx.progress(10)
        return "done"

    async with serving(worker):
        await (await start(ref)).result()

    assert tasks.said(ref["execution_id"], "result") == [{"result": "done"}]


async def test_a_cancelled_async_handler_is_stopped_and_may_clean_up(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref, seen = make(), new_ref(tenant), []

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> None:
        seen.append("begun")
        try:
            await asyncio.sleep(600)
        finally:
            seen.append(f"cleaned up, cancelled: {ctx.cancelled}")

    async with serving(worker):
        handle = await start(ref)
        await until(lambda: seen)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()

    assert isinstance(ended.value.cause, CancelledError)
    assert seen == ["begun", "cleaned up, cancelled: True"]
    assert tasks.said(ref["execution_id"]) == ["start"]


@pytest.mark.parametrize("how", ["flag", "progress"])
async def test_a_cancelled_sync_handler_sees_it(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str, how: str
) -> None:
    worker, ref, seen = make(), new_ref(tenant), []

    @worker.task("transcoding")
    def run(ctx: SyncTaskContext, payload: dict[str, Any]) -> str:
        seen.append("begun")
        while not (how == "flag" and ctx.cancelled):
            try:
                ctx.progress(1) if how == "progress" else None
            except TaskCancelled:
                seen.append("stopped")
                raise
            time.sleep(0.01)
        seen.append("stopped")
        return "too late"

    async with serving(worker):
        handle = await start(ref)
        await until(lambda: seen)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()

    assert isinstance(ended.value.cause, CancelledError)
    assert seen == ["begun", "stopped"]
    assert not tasks.said(ref["execution_id"], "result")
    assert not tasks.said(ref["execution_id"], "error")


async def test_a_refused_progress_stops_the_handler_quietly(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref, seen = make(), new_ref(tenant), []
    tasks.refuse["progress"] = [(409, "task_cancelled")]

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> None:
        await ctx.progress(10)
        try:
            await asyncio.sleep(600)
        finally:
            seen.append(ctx.cancelled)

    async with serving(worker):
        outcome = await (await start(ref)).result()

    assert (outcome, seen) == ({"status": "superseded"}, [True])
    assert tasks.said(ref["execution_id"]) == ["start", "progress"]


async def test_an_attempt_out_of_time_is_stopped(make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str) -> None:
    worker, ref, seen = make(), new_ref(tenant, attempt_limit=1), []

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> None:
        try:
            await asyncio.sleep(600)
        finally:
            seen.append("stopped")

    async with serving(worker):
        with pytest.raises(WorkflowFailureError):
            await (await start(ref, seconds=1)).result()
        await until(lambda: seen)
        await until(lambda: tasks.said(ref["execution_id"], "error"))

    assert tasks.said(ref["execution_id"], "error")[0]["code"] == "timed_out"


async def test_a_worker_told_to_stop_lets_running_tasks_end(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    worker, ref, begun, go_on = make(), new_ref(tenant), asyncio.Event(), asyncio.Event()

    @worker.task("transcoding")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> str:
        begun.set()
        await go_on.wait()
        return "done"

    async with serving(worker) as running:
        handle = await start(ref)
        await begun.wait()
        worker.stop()
        await asyncio.sleep(0.1)
        assert not running.done()
        go_on.set()
        await running

    assert await handle.result() == {"status": "completed"}
    assert tasks.said(ref["execution_id"], "result") == [{"result": "done"}]


async def test_a_task_that_outlasts_the_drain_is_tried_again_elsewhere(
    make: MakeWorker, start: Start, tasks: FakeTasks, tenant: str
) -> None:
    first, second, ref, begun = make(drain_timeout=0.1), make(), new_ref(tenant), asyncio.Event()

    @first.task("transcoding")
    async def hang(ctx: TaskContext, payload: dict[str, Any]) -> None:
        begun.set()
        await asyncio.sleep(600)

    second.task("transcoding")(lambda ctx, payload: f"done by attempt {ctx.attempt}")

    async with serving(first):
        handle = await start(ref)
        await begun.wait()
    async with serving(second):
        await handle.result()

    execution = ref["execution_id"]
    assert [error["code"] for error in tasks.said(execution, "error")] == ["worker_stopped"]
    assert tasks.said(execution, "result") == [{"result": "done by attempt 2"}]


async def test_a_worker_waits_for_a_temporal_that_is_not_there(make: MakeWorker) -> None:
    worker = make(temporal=f"127.0.0.1:{free_port()}")
    worker.task("transcoding")(lambda ctx, payload: None)

    async with serving(worker) as running:
        await asyncio.sleep(0.2)
        assert not running.done()


async def test_a_namespace_that_is_not_there_is_told(make: MakeWorker, temporal_address: str) -> None:
    worker = make(temporal=temporal_address, namespace="nowhere")
    worker.task("one")(lambda ctx, payload: None)
    worker.task("two")(lambda ctx, payload: None)

    with pytest.raises(RuntimeError, match="nowhere"):
        await worker.run()


async def test_a_worker_without_handlers_says_so(make: MakeWorker) -> None:
    with pytest.raises(ValueError, match="no task type"):
        await make().run()


@pytest.mark.parametrize("task_type", ["", "a:b", "a b", ".a", "a" * 101])
def test_a_type_that_cannot_name_a_queue_is_refused(make: MakeWorker, task_type: str) -> None:
    with pytest.raises(ValueError, match="task type"):
        make().task(task_type)


def test_a_type_has_one_handler(make: MakeWorker) -> None:
    worker = make()
    worker.task("one")(lambda ctx, payload: None)

    with pytest.raises(ValueError, match="already"):
        worker.task("one")
