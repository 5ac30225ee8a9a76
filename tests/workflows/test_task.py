"""Runs of tasks on a real Temporal: built-in types, foreign workers, waiting, failing, cancelling, running again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

from api.__main__ import door
from api.app import create_app
from core.contracts.platform import INTENTS_RECONCILE, ReconcileInput
from core.contracts.platform import QUEUE as PLATFORM_QUEUE
from core.contracts.task import RunStage, RunState
from core.ids import new_id
from core.settings import Settings
from deploy.processes import free_port
from tests.conftest import Headers, StartWorkers, eventually
from tests.tasks import TASKS, HandlerError, Run, Target, create, history, listening, look, serving, until


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with listening() as target:
        yield target


@pytest.fixture(autouse=True)
async def _our_workers(workers: StartWorkers) -> None:
    await workers("task")


async def told(event: httpx.AsyncClient, task_id: str) -> list[str]:
    """The types of the domain events about a task."""
    items = (await event.get("/api/v1/events", params={"limit": "200"})).json()["items"]
    return [one["event_type"] for one in items if one["payload"].get("task_id") == task_id]


async def ended(temporal: Client, workflow_id: str, status: WorkflowExecutionStatus) -> None:
    async def probe() -> bool:
        return (await temporal.get_workflow_handle(workflow_id).describe()).status == status

    await eventually(probe)


# ---- built-in types


async def test_a_built_in_task_runs_and_keeps_its_result(task: httpx.AsyncClient, target: Target) -> None:
    made = await create(task, **target.task())
    done = await until(task, made["task_id"], status="completed")
    assert (done["result"]["status"], done["result"]["body"], done["progress"]) == (200, "hello", 100)
    assert done["waiting_for_worker"] is False
    assert done["started_at"] <= done["completed_at"]


async def test_a_happy_run_is_one_activity(task: httpx.AsyncClient, temporal: Client, target: Target) -> None:
    made = await create(task, **target.task())
    await ended(temporal, made["workflow_id"], WorkflowExecutionStatus.COMPLETED)
    events = temporal.get_workflow_handle(made["workflow_id"]).fetch_history_events()
    kinds = [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") async for event in events]
    assert [kind for kind in kinds if not kind.startswith("WORKFLOW_TASK")] == [
        "WORKFLOW_EXECUTION_STARTED",
        "ACTIVITY_TASK_SCHEDULED",
        "ACTIVITY_TASK_STARTED",
        "ACTIVITY_TASK_COMPLETED",
        "WORKFLOW_EXECUTION_COMPLETED",
    ]


async def test_a_completed_task_is_told_once(task: httpx.AsyncClient, event: httpx.AsyncClient, target: Target) -> None:
    made = await create(task, **target.task())
    await until(task, made["task_id"], status="completed")
    assert await told(event, made["task_id"]) == ["task.completed"]


async def test_a_failing_task_tries_as_often_as_it_may(
    task: httpx.AsyncClient, event: httpx.AsyncClient, temporal: Client, target: Target
) -> None:
    target.status = 503
    made = await create(task, **target.task(), max_attempts=2)
    failed = await until(task, made["task_id"], status="failed")
    attempts = (await history(task, made["task_id"]))[0]["attempts"]
    assert failed["error"] == {"code": "unexpected_status", "message": "The address answered 503."}
    assert [(a["attempt"], a["status"], a["error"]["code"]) for a in attempts] == [
        (1, "failed", "unexpected_status"),
        (2, "failed", "unexpected_status"),
    ]
    assert all(a["worker"] for a in attempts)
    assert await told(event, made["task_id"]) == ["task.failed"]
    await ended(temporal, made["workflow_id"], WorkflowExecutionStatus.FAILED)


async def test_a_failure_that_another_try_cannot_mend_is_final(task: httpx.AsyncClient, target: Target) -> None:
    target.status = 404
    made = await create(task, **target.task())
    await until(task, made["task_id"], status="failed")
    assert len(target.heads) == 1


async def test_an_unexpected_success_is_a_failure_when_another_status_was_expected(
    task: httpx.AsyncClient, target: Target
) -> None:
    made = await create(task, **target.task(expected_status=[201]))
    assert (await until(task, made["task_id"], status="failed"))["error"]["code"] == "unexpected_status"


async def test_an_attempt_that_takes_too_long_fails(task: httpx.AsyncClient, target: Target) -> None:
    target.holds = True
    made = await create(task, **target.task(), timeout_seconds=1, max_attempts=1)
    failed = await until(task, made["task_id"], status="failed")
    assert failed["error"]["code"] == "timed_out"


async def test_cancelling_stops_a_built_in_handler(task: httpx.AsyncClient, target: Target) -> None:
    target.holds = True
    made = await create(task, **target.task())
    await asyncio.wait_for(target.called.wait(), 20)
    answer = await task.post(f"{TASKS}/{made['task_id']}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    await asyncio.wait_for(target.hung_up.wait(), 20)


async def test_a_finished_task_runs_again_as_a_new_execution(task: httpx.AsyncClient, target: Target) -> None:
    made = await create(task, **target.task())
    await until(task, made["task_id"], status="completed")
    answer = await task.post(f"{TASKS}/{made['task_id']}/execute")
    assert (answer.status_code, answer.json()["workflow_id"]) == (202, f"{made['workflow_id']}:2")
    await until(task, made["task_id"], status="completed", executions=2)
    runs = await history(task, made["task_id"])
    assert [(run["number"], run["status"]) for run in runs] == [(2, "completed"), (1, "completed")]
    assert all(run["wait_seconds"] >= 0 and run["duration_seconds"] >= 0 for run in runs)


# ---- foreign workers


async def test_a_foreign_worker_reports_progress_and_a_result(
    task: httpx.AsyncClient, temporal: Client, tenant: str
) -> None:
    go_on = asyncio.Event()

    async def transcode(run: Run) -> dict[str, Any]:
        await run.progress(45, "halfway")
        await go_on.wait()
        return {"took": run.payload["file_id"]}

    async with serving(temporal, task, tenant, "transcoding", transcode):
        made = await create(task, type="transcoding", payload={"file_id": "file_123"})
        running = await until(task, made["task_id"], status="running", progress=45)
        go_on.set()
        done = await until(task, made["task_id"], status="completed")
    assert running["message"] == "halfway"
    assert done["result"] == {"took": "file_123"}
    assert (await history(task, made["task_id"]))[0]["worker"] == "foreign-1"


async def test_a_task_says_that_it_waits_for_a_worker_and_runs_when_one_appears(
    task: httpx.AsyncClient, temporal: Client, tenant: str
) -> None:
    made = await create(task, type="rare")
    assert made["waiting_for_worker"] is True
    waiting = await until(task, made["task_id"], waiting_for_worker=True)
    assert (waiting["status"], waiting["estimated_completion"]) == ("pending", None)

    async def handle(_: Run) -> str:
        return "at last"

    async with serving(temporal, task, tenant, "rare", handle):
        done = await until(task, made["task_id"], status="completed")
    assert (done["result"], done["waiting_for_worker"]) == ("at last", False)


async def test_a_foreign_handlers_error_is_kept_and_tried_again(
    task: httpx.AsyncClient, temporal: Client, tenant: str
) -> None:
    async def handle(run: Run) -> Any:
        if run.attempt == 1:
            raise HandlerError("disk_full", retryable=True)
        return run.attempt

    async with serving(temporal, task, tenant, "flaky", handle):
        made = await create(task, type="flaky")
        done = await until(task, made["task_id"], status="completed")
    attempts = (await history(task, made["task_id"]))[0]["attempts"]
    assert done["result"] == 2
    assert [(a["status"], a["error"]) for a in attempts] == [
        ("failed", {"code": "disk_full", "message": "as told"}),
        ("completed", None),
    ]


async def test_a_foreign_handlers_permanent_error_is_final(
    task: httpx.AsyncClient, temporal: Client, tenant: str
) -> None:
    async def handle(_: Run) -> None:
        raise HandlerError("no_such_file", retryable=False)

    async with serving(temporal, task, tenant, "doomed", handle):
        made = await create(task, type="doomed")
        failed = await until(task, made["task_id"], status="failed")
    assert failed["error"]["code"] == "no_such_file"
    assert len((await history(task, made["task_id"]))[0]["attempts"]) == 1


async def test_cancelling_stops_a_foreign_handler(
    task: httpx.AsyncClient, event: httpx.AsyncClient, temporal: Client, tenant: str
) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def handle(_: Run) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with serving(temporal, task, tenant, "endless", handle):
        made = await create(task, type="endless")
        await asyncio.wait_for(begun.wait(), 20)
        await task.post(f"{TASKS}/{made['task_id']}/cancel")
        await asyncio.wait_for(stopped.wait(), 20)
        await ended(temporal, made["workflow_id"], WorkflowExecutionStatus.CANCELED)
    assert (await look(task, made["task_id"]))["status"] == "cancelled"
    assert await told(event, made["task_id"]) == ["task.cancelled"]


async def test_a_waiting_task_can_be_cancelled(task: httpx.AsyncClient, temporal: Client) -> None:
    made = await create(task, type="nobody-serves-this")
    await task.post(f"{TASKS}/{made['task_id']}/cancel")
    await eventually(lambda: _has_ended(temporal, made["workflow_id"]))


async def _has_ended(temporal: Client, workflow_id: str) -> bool:
    return (await temporal.get_workflow_handle(workflow_id).describe()).status != WorkflowExecutionStatus.RUNNING


async def test_a_cancel_by_an_operator_in_temporal_reaches_the_row(task: httpx.AsyncClient, temporal: Client) -> None:
    made = await create(task, type="nobody-serves-this")
    handle = temporal.get_workflow_handle(made["workflow_id"])
    await eventually(lambda: _stage(temporal, made["workflow_id"], RunStage.RUNNING))
    await handle.cancel()
    await until(task, made["task_id"], status="cancelled")


async def test_a_worker_that_ends_without_a_result_has_failed(
    task: httpx.AsyncClient, temporal: Client, tenant: str
) -> None:
    async def handle(_: Run) -> str:
        return "never told"

    async with serving(temporal, task, tenant, "silent", handle, reports_result=False):
        made = await create(task, type="silent")
        failed = await until(task, made["task_id"], status="failed")
    assert failed["error"]["code"] == "no_result"


# ---- scheduled


async def _stage(temporal: Client, workflow_id: str, wanted: RunStage) -> bool:
    state = await temporal.get_workflow_handle(workflow_id).query("state", result_type=RunState)
    return state.stage is wanted


async def test_a_scheduled_task_runs_at_its_time(task: httpx.AsyncClient, target: Target) -> None:
    at = datetime.now(UTC) + timedelta(seconds=1)
    made = await create(task, **target.task(), scheduled_at=at.isoformat())
    assert made["status"] == "scheduled"
    done = await until(task, made["task_id"], status="completed")
    assert datetime.fromisoformat(done["started_at"]) >= at


async def test_a_scheduled_task_runs_now_when_told_to(
    task: httpx.AsyncClient, temporal: Client, target: Target
) -> None:
    later = (datetime.now(UTC) + timedelta(days=365)).isoformat()
    made = await create(task, **target.task(), scheduled_at=later)
    await eventually(lambda: _stage(temporal, made["workflow_id"], RunStage.WAITING_FOR_TIME))
    assert (await task.post(f"{TASKS}/{made['task_id']}/execute")).status_code == 202
    await until(task, made["task_id"], status="completed")


async def test_a_task_run_now_before_its_workflow_exists_does_not_wait(
    temporal: Client, target: Target, without_temporal: httpx.AsyncClient, workers: StartWorkers
) -> None:
    later = (datetime.now(UTC) + timedelta(days=365)).isoformat()
    made = await create(without_temporal, **target.task(), scheduled_at=later)
    assert (await without_temporal.post(f"{TASKS}/{made['task_id']}/execute")).status_code == 202
    await _reconciled(temporal, workers)
    await until(without_temporal, made["task_id"], status="completed")


# ---- Temporal away


@pytest.fixture
async def without_temporal(settings: Settings, headers: Callable[..., Headers]) -> AsyncIterator[httpx.AsyncClient]:
    """A front door whose Temporal does not answer."""
    app = create_app(door("task"), settings.model_copy(update={"temporal_address": f"127.0.0.1:{free_port()}"}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://task", headers=headers(), timeout=30
        ) as client:
            yield client


async def _reconciled(temporal: Client, workers: StartWorkers) -> None:
    await workers("platform")
    argument = ReconcileInput(older_than_seconds=0)
    await temporal.execute_workflow(INTENTS_RECONCILE, argument, id=new_id("test"), task_queue=PLATFORM_QUEUE)


async def test_a_task_cancelled_while_temporal_is_away_never_runs(
    temporal: Client, target: Target, without_temporal: httpx.AsyncClient, workers: StartWorkers
) -> None:
    built_in = await create(without_temporal, **target.task())
    foreign = await create(without_temporal, type="nobody-serves-this")
    for made in (built_in, foreign):
        answer = await without_temporal.post(f"{TASKS}/{made['task_id']}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    await _reconciled(temporal, workers)
    for made in (built_in, foreign):
        await eventually(lambda made=made: _has_ended(temporal, made["workflow_id"]))  # type: ignore[misc]  # bound by default
    assert not target.heads


async def test_whether_a_worker_is_there_is_unknown_while_temporal_is_away(without_temporal: httpx.AsyncClient) -> None:
    made = await create(without_temporal, type="transcoding")
    assert (await look(without_temporal, made["task_id"]))["waiting_for_worker"] is None
