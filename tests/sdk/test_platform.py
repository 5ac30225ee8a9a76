"""The SDK against the platform itself: real apps, workers, Postgres and Temporal."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from isa_user import (
    AuditClient,
    AuthenticationError,
    ComplianceClient,
    Conflict,
    EventClient,
    NotFound,
    NotificationClient,
    PermissionDenied,
    TaskClient,
    TaskWorker,
    ValidationError,
)
from isa_user.worker import TaskContext

from tests.conftest import Doors, Headers, StartWorkers, eventually
from tests.sdk.bridge import PORTS, Bridge

MakeClient = Callable[..., Any]
URLS = {name: f"http://localhost:{port}" for port, name in PORTS.items()}


@pytest.fixture
async def client(doors: Doors, headers: Callable[..., Headers]) -> MakeClient:
    """`client(TaskClient, "task", scope="service")`: with a token of this test's tenant."""
    bridge = Bridge(doors.app)

    def made(kind: type[Any], service: Any, **whose: Any) -> Any:
        token = headers(**whose)["Authorization"].removeprefix("Bearer ")
        return kind(URLS[service], token=token, transport=bridge.asynchronous())

    return made


async def test_the_audit_log_takes_an_event_and_gives_it_back(client: MakeClient) -> None:
    audit = client(AuditClient, "audit")

    logged = await audit.log_event(event_type="user.login", resource_id="r_1", correlation_id="corr_sdk")
    found = [event async for event in audit.query_events(event_type="user.*", correlation_id="corr_sdk")]

    assert found == [logged]
    assert await audit.get_event(logged.event_id) == logged


async def test_pages_lead_through_the_whole_log(client: MakeClient) -> None:
    audit = client(AuditClient, "audit")
    accepted = await audit.log_events([{"event_type": "file.view", "resource_id": f"file_{n}"} for n in range(25)])

    found = [event.event_id async for event in audit.query_events(event_type="file.view", limit=10)]

    assert accepted.accepted == 25
    assert sorted(found) == sorted(accepted.event_ids)


async def test_a_fault_in_a_batch_is_named_by_its_place(client: MakeClient) -> None:
    with pytest.raises(ValidationError) as refusal:
        await client(AuditClient, "audit").log_events([{"event_type": "a"}, {"event_type": "not a word!"}])

    assert [error.field for error in refusal.value.errors] == ["events[1].event_type"]


async def test_an_idempotency_key_writes_once(client: MakeClient) -> None:
    audit = client(AuditClient, "audit")
    key = str(uuid4())

    first = await audit.log_event(event_type="order.paid", idempotency_key=key)
    again = await audit.log_event(event_type="order.paid", idempotency_key=key)

    assert again == first


async def test_alerts_move_and_keep_their_history(client: MakeClient) -> None:
    audit = client(AuditClient, "audit")
    alert = await audit.create_alert(alert_type="suspicious_login", severity="high", description="From far away")

    moved = await audit.update_alert(alert.alert_id, status="investigating", note="Asked the user")

    assert [step.to_status for step in moved.history][-1] == "investigating"
    assert [one.alert_id async for one in audit.list_alerts(status="investigating")] == [alert.alert_id]


async def test_a_report_is_waited_for_and_read(client: MakeClient, workers: StartWorkers) -> None:
    await workers("audit", "platform")
    audit = client(AuditClient, "audit")
    report = await audit.create_report(standard="GDPR", period_start="2024-01-01", period_end="2024-01-31")

    made = await audit.wait_for_report(report.report_id, within=60)

    assert made.status == "completed"
    assert "<html" in (await audit.report_html(report.report_id)).lower()
    assert "," in await audit.report_csv(report.report_id)


async def test_errors_say_what_to_do(client: MakeClient) -> None:
    with pytest.raises(AuthenticationError):
        await client(AuditClient, "audit").log_event(event_type="a", token="no token of ours")
    with pytest.raises(NotFound):
        await client(TaskClient, "task").get("task_nowhere")
    with pytest.raises(PermissionDenied):
        await client(AuditClient, "audit", scope="user", user="user_1").user_summary("user_2")


async def test_an_event_is_published_replayed_and_found_in_its_new_stream(
    client: MakeClient, workers: StartWorkers
) -> None:
    await workers("event", "platform")
    events = client(EventClient, "event")
    await events.publish(event_type="user.signup", payload={"plan": "free"}, occurred_at="2024-01-01T12:00:00Z")

    replay = await events.replay(
        from_timestamp="2024-01-01", to_timestamp="2024-01-02", event_types=["user.*"], target_stream="again"
    )
    done = await events.wait_for_replay(replay.replay_id, within=60)

    assert (done.status, done.copied) == ("completed", 1)
    assert [event.payload async for event in events.query_events(stream="again")] == [{"plan": "free"}]


async def test_a_subscription_shows_its_secret_once(client: MakeClient) -> None:
    events = client(EventClient, "event")
    made = await events.subscribe(event_types=["user.*"], webhook_url="http://127.0.0.1:9/events")

    shown = await events.get_subscription(made.subscription_id)
    rotated = await events.rotate_secret(made.subscription_id)
    await events.unsubscribe(made.subscription_id)

    assert made.secret and made.secret.startswith("whsec_")
    assert shown.secret is None
    assert rotated.secret != made.secret
    with pytest.raises(NotFound):
        await events.get_subscription(made.subscription_id)


async def test_personal_data_is_found_and_redacted(client: MakeClient) -> None:
    compliance = client(ComplianceClient, "compliance")

    check = await compliance.check(content="Write to ada@example.com", check_types=["pii"])

    assert check.results["pii"].redacted == "Write to [EMAIL]"
    assert {policy.name async for policy in compliance.list_policies()} >= {"default", "strict"}


async def test_a_batch_of_texts_comes_back_in_order(client: MakeClient, workers: StartWorkers) -> None:
    await workers("compliance", "platform")
    compliance = client(ComplianceClient, "compliance")
    texts: list[Any] = [{"id": f"msg_{n}", "content": f"Call +1 415 555 26{n}1"} for n in range(3)]

    batch = await compliance.check_batch(texts, check_types=["pii"], wait=0)
    ended = await compliance.wait_for_batch(batch.batch_id, within=60)
    items = [item.id async for item in compliance.batch_items(batch.batch_id, limit=2)]

    assert (ended.status, ended.progress.checked) == ("completed", 3)
    assert items == ["msg_0", "msg_1", "msg_2"]


async def test_a_message_reaches_the_in_app_centre(client: MakeClient, workers: StartWorkers) -> None:
    await workers("notification", "event", "platform")
    notifications = client(NotificationClient, "notification")
    await notifications.create_template(name="hello", type="in_app", subject="Hello", body="Hello {{name}}")

    sent = await notifications.send(
        user_id="user_123", template_id="hello", channels=["in_app"], variables={"name": "Ada"}
    )
    done = await notifications.wait_for_notification(sent.notification_id, within=60)
    (message,) = [message async for message in notifications.in_app("user_123")]

    assert (done.status, message.body, message.read) == ("delivered", "Hello Ada", False)
    assert (await notifications.mark_read(message.notification_id)).read
    assert (await notifications.unread_count("user_123")).unread_count == 0


@pytest.fixture
def worker(client: MakeClient, temporal_address: str, tenant: str) -> TaskWorker:
    tasks = client(TaskClient, "task", scope="service", user="worker")
    return TaskWorker(tasks=tasks, temporal=temporal_address, tenant=tenant, identity="the sdk's")


async def test_a_task_is_served_by_user_code_with_progress_and_retries(
    client: MakeClient, workers: StartWorkers, worker: TaskWorker
) -> None:
    await workers("task", "platform")
    tasks, go_on = client(TaskClient, "task"), asyncio.Event()

    @worker.task("transcoding")
    async def transcode(ctx: TaskContext, payload: dict[str, Any]) -> dict[str, Any]:
        if ctx.attempt == 1:
            raise OSError("disk full")
        await ctx.progress(45, "half of it")
        await go_on.wait()
        return {"made_of": payload["file_id"], "correlation_id": ctx.correlation_id}

    task = await tasks.create(
        name="process_video", type="transcoding", payload={"file_id": "file_1"}, correlation_id="corr_task"
    )
    running = asyncio.create_task(worker.run())

    async def half() -> Any:
        seen = await tasks.get(task.task_id)
        return seen if seen.progress == 45 else None

    seen = await eventually(half)
    go_on.set()
    ended = await tasks.wait_for_task(task.task_id, within=60)
    worker.stop()
    await running
    (execution,) = [execution async for execution in tasks.executions(task.task_id)]

    assert (seen.status, seen.message) == ("running", "half of it")
    assert (ended.status, ended.progress) == ("completed", 100)
    assert ended.result == {"made_of": "file_1", "correlation_id": "corr_task"}
    assert [attempt.status for attempt in execution.attempts] == ["failed", "completed"]
    assert execution.attempts[0].error.message == "OSError: disk full"
    assert execution.worker == "the sdk's"


async def test_cancelling_a_task_really_stops_the_handler(
    client: MakeClient, workers: StartWorkers, worker: TaskWorker
) -> None:
    await workers("task", "platform")
    tasks, begun, stopped = client(TaskClient, "task"), asyncio.Event(), asyncio.Event()

    @worker.task("endless")
    async def run(ctx: TaskContext, payload: dict[str, Any]) -> None:
        begun.set()
        try:
            await asyncio.sleep(600)
        finally:
            stopped.set()

    running = asyncio.create_task(worker.run())
    task = await tasks.create(name="endless")
    await asyncio.wait_for(begun.wait(), 30)

    await tasks.cancel(task.task_id)
    await asyncio.wait_for(stopped.wait(), 15)
    worker.stop()
    await running

    assert (await tasks.get(task.task_id)).status == "cancelled"


async def test_a_worker_that_comes_too_late_is_told(client: MakeClient) -> None:
    tasks = client(TaskClient, "task")
    task = await tasks.create(name="nobody_serves_this")
    await tasks.cancel(task.task_id)

    with pytest.raises(Conflict) as refusal:
        await tasks.start_execution(task.task_id, task.execution_id, worker="late", attempt=1)

    assert refusal.value.code == "task_cancelled"


async def test_a_batch_uploaded_as_lines_gives_back_each_result(client: MakeClient, workers: StartWorkers) -> None:
    await workers("compliance")
    compliance = client(ComplianceClient, "compliance")

    items = ({"id": f"row_{n}", "content": f"u{n}@example.com"} for n in range(1200))
    batch = await compliance.upload_batch(items, check_types=["pii"])
    done = await compliance.wait_for_batch(batch.batch_id)
    results = [result async for result in compliance.batch_results(batch.batch_id)]

    assert done.by_status == {"flagged": 1200}
    assert [result.id for result in results] == [f"row_{n}" for n in range(1200)]
    assert [listed.batch_id async for listed in compliance.list_batches(status="completed")] == [batch.batch_id]
