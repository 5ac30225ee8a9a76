"""Built-in types that other services carry out: the task waits for their workflow and tells what came of it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from core.contracts.task import RunStage, RunState
from deploy.processes import free_port
from tests.conftest import Doors, Headers, StartWorkers, eventually
from tests.tasks import TASKS, create, history, look, until


async def test_a_notification_is_sent_and_its_channels_told(
    task: httpx.AsyncClient, notification: httpx.AsyncClient, workers: StartWorkers
) -> None:
    await workers("task", "notification")
    payload = {"user_id": "user_7", "template_id": "welcome", "channels": ["in_app"]}
    made = await create(task, type="notification.send", payload=payload)
    done = await until(task, made["task_id"], status="completed")
    assert done["result"]["status"] == "delivered"
    assert list(done["result"]["channels"]) == ["in_app"]
    inbox = (await notification.get("/api/v1/notifications/in-app/user_7")).json()["items"]
    assert [item["notification_id"] for item in inbox] == [done["result"]["notification_id"]]


async def test_a_notification_without_its_template_fails_the_task_at_once(
    task: httpx.AsyncClient, workers: StartWorkers
) -> None:
    await workers("task")
    payload = {"user_id": "user_7", "template_id": "no_such", "channels": ["in_app"]}
    made = await create(task, type="notification.send", payload=payload)
    failed = await until(task, made["task_id"], status="failed")
    assert failed["error"]["code"] == "template_not_found"
    assert len((await history(task, made["task_id"]))[0]["attempts"]) == 1


async def test_a_batch_of_checks_answers_counts(
    task: httpx.AsyncClient, compliance: httpx.AsyncClient, workers: StartWorkers
) -> None:
    await workers("task", "compliance")
    items = [{"id": "a", "content": "mail me at jo@example.com"}, {"id": "b", "content": "nothing here"}]
    made = await create(task, type="compliance.batch_check", payload={"items": items, "check_types": ["pii"]})
    done = await until(task, made["task_id"], status="completed")
    assert {"total": 2, "failed": 0, "by_status": {"flagged": 1, "passed": 1}}.items() <= done["result"].items()
    batch = await compliance.get(f"/api/v1/compliance/batches/{done['result']['batch_id']}")
    assert batch.json()["status"] == "completed"


async def test_a_replay_copies_events(task: httpx.AsyncClient, event: httpx.AsyncClient, workers: StartWorkers) -> None:
    await workers("task", "event")
    for _ in range(3):
        await event.post("/api/v1/events", json={"event_type": "order.placed"})
    payload = {"from_timestamp": "2024-01-01", "event_types": ["order.*"], "target_stream": "copies"}
    made = await create(task, type="event.replay", payload=payload)
    done = await until(task, made["task_id"], status="completed")
    assert done["result"]["copied"] == 3


@pytest.mark.parametrize(
    ("payload", "crew", "door", "path"),
    [
        (
            {"report": "audit", "standard": "GDPR", "period_start": "2024-01-01", "period_end": "2024-01-31"},
            "audit",
            "audit",
            "/api/v1/audit/compliance/reports",
        ),
        (
            {"report": "compliance", "report_type": "pii_summary", "period": "monthly"},
            "compliance",
            "compliance",
            "/api/v1/compliance/reports",
        ),
    ],
)
async def test_a_report_is_made(
    task: httpx.AsyncClient,
    doors: Doors,
    headers: Callable[..., Headers],
    workers: StartWorkers,
    payload: dict[str, Any],
    crew: str,
    door: Any,
    path: str,
) -> None:
    await workers("task", crew)
    made = await create(task, type="report", payload=payload)
    done = await until(task, made["task_id"], status="completed")
    async with await doors.client(door, headers()) as client:
        report = (await client.get(f"{path}/{done['result']['report_id']}")).json()
    assert (report["status"], report["requested_by"]) == ("completed", "user_123")


async def test_cancelling_a_task_cancels_what_another_service_does_for_it(
    task: httpx.AsyncClient, notification: httpx.AsyncClient, temporal: Client, workers: StartWorkers
) -> None:
    await workers("task", "notification", "event")
    nowhere = {"webhook_url": f"http://127.0.0.1:{free_port()}/"}
    assert (await notification.put("/api/v1/notifications/recipients/user_7", json=nowhere)).is_success
    payload = {"user_id": "user_7", "template_id": "welcome", "channels": ["webhook"]}
    made = await create(task, type="notification.send", payload=payload)

    async def handed_over() -> bool:
        handle = temporal.get_workflow_handle(made["workflow_id"])
        return (await handle.query("state", result_type=RunState)).stage is RunStage.HANDED_OVER

    await eventually(handed_over)
    assert (await task.post(f"{TASKS}/{made['task_id']}/cancel")).status_code == 202

    async def stopped() -> bool:
        sent = (await notification.get("/api/v1/notifications")).json()["items"]
        return [one["status"] for one in sent] == ["cancelled"]

    await eventually(stopped)
    assert (await look(task, made["task_id"]))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("task_type", "payload", "field"),
    [
        ("notification.send", {"user_id": "user_7"}, "payload"),
        ("compliance.batch_check", {"items": []}, "payload.items"),
        ("event.replay", {"from_timestamp": "2024-01-01", "target_stream": "main"}, "payload"),
        ("report", {"report": "sales"}, "payload"),
        ("report", {"report": "audit", "standard": "GDPR"}, "payload.audit.period_start"),
    ],
)
async def test_a_bad_payload_is_refused_when_the_task_is_created(
    task: httpx.AsyncClient, task_type: str, payload: dict[str, Any], field: str
) -> None:
    answer = await task.post(TASKS, json={"name": "a-task", "type": task_type, "payload": payload})
    assert answer.status_code == 422
    assert any(error["field"].startswith(field) for error in answer.json()["errors"])


AUDIT = {"report": "audit", "standard": "GDPR", "period_start": "2024-01-01", "period_end": "2024-01-31"}
COMPLIANCE = {"report": "compliance", "report_type": "pii_summary", "period": "daily"}


@pytest.mark.parametrize(
    ("payload", "permission", "status"),
    [
        (AUDIT, "audit:manage", 201),
        (AUDIT, "compliance:manage", 403),
        (COMPLIANCE, "compliance:manage", 201),
        (COMPLIANCE, "audit:manage", 403),
    ],
)
async def test_a_report_needs_the_permission_of_the_service_that_makes_it(
    doors: Doors, headers: Callable[..., Headers], payload: dict[str, Any], permission: str, status: int
) -> None:
    granted = headers(scope="service", permissions=["task:write", permission])
    async with await doors.client("task", granted) as client:
        answer = await client.post(TASKS, json={"name": "a-task", "type": "report", "payload": payload})
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("task_type", "payload", "code"),
    [
        ("event.replay", {"from_timestamp": "2024-01-01", "target_stream": "copies"}, "permission_missing"),
        ("report", {"report": "compliance", "report_type": "pii_summary", "period": "daily"}, "permission_missing"),
        ("notification.send", {"user_id": "somebody_else", "template_id": "welcome"}, "not_yours"),
    ],
)
async def test_a_task_gives_nobody_more_rights_than_the_service_behind_it(
    doors: Doors, headers: Callable[..., Headers], task_type: str, payload: dict[str, Any], code: str
) -> None:
    async with await doors.client("task", headers(scope="user", user="user_9")) as client:
        answer = await client.post(TASKS, json={"name": "a-task", "type": task_type, "payload": payload})
    assert (answer.status_code, answer.json()["code"]) == (403, code)
