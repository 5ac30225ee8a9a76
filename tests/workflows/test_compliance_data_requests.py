"""Data-subject requests carried out: a decision awaited, the export made and fetched, old files deleted."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from temporalio import activity
from temporalio.client import Client

from core.contracts.compliance import QUEUE
from core.contracts.compliance.data_requests import (
    BEGIN_DATA_REQUEST,
    COLLECT_SUBJECT,
    DATA_REQUEST_PROGRESS,
    DATA_REQUEST_RUN,
    DATA_REQUESTS_EXPIRE,
    DECIDED,
    ERASE_SUBJECT,
    FINISH_DATA_REQUEST,
    REMIND_DATA_REQUEST,
    SERVICES,
    DataRequestInput,
    DataRequestOutcome,
    Expired,
    ExpireInput,
    Nothing,
    RequestKind,
    RequestStatus,
    ServiceInput,
    ServiceOutcome,
    Standing,
)
from core.db import plain_url
from core.ids import new_id
from tests.conftest import Doors, Headers, StartWorkers, eventually
from workers.runtime import Crew, build_worker
from workflows.compliance import ComplianceDataRequest

API = "/api/v1/compliance"
REQUESTS = f"{API}/data-requests"


@pytest.fixture
async def running(workers: StartWorkers) -> None:
    await workers("compliance", "platform")


@pytest.fixture
async def other(doors: Doors, headers: Callable[..., Headers]) -> AsyncIterator[httpx.AsyncClient]:
    """Another administrator of the same tenant."""
    async with await doors.client("compliance", headers(user="admin_2")) as client:
        yield client


@pytest.fixture
async def ann(doors: Doors, headers: Callable[..., Headers]) -> AsyncIterator[httpx.AsyncClient]:
    async with await doors.client("compliance", headers(scope="user", user="user_ann")) as client:
        yield client


async def until(client: httpx.AsyncClient, place: str, status: str) -> dict[str, Any]:
    async def probe() -> dict[str, Any] | None:
        found: dict[str, Any] = (await client.get(place)).json()
        return found if found["status"] == status else None

    found = await eventually(probe, within=60)
    assert found is not None
    return found


async def export(client: httpx.AsyncClient, approver: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    asked = await client.post(REQUESTS, json={"kind": "export", **wanted})
    assert asked.status_code == 202, asked.text
    place = asked.headers["location"]
    assert (await approver.post(f"{place}/approve")).status_code == 202
    return await until(client, place, "completed")


async def lines(client: httpx.AsyncClient, request_id: str) -> list[dict[str, Any]]:
    answer = await client.get(f"{REQUESTS}/{request_id}/artifact")
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_user_fetches_an_export_of_their_own_data(
    running: None, ann: httpx.AsyncClient, compliance: httpx.AsyncClient
) -> None:
    check = await ann.post(f"{API}/check", json={"content": "mail ann@example.com", "check_types": ["pii"]})
    others = await compliance.post(f"{API}/check", json={"content": "hello", "check_types": ["pii"]})
    done = await export(ann, compliance)
    answer = await ann.get(f"{REQUESTS}/{done['request_id']}/artifact")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == f'attachment; filename="{done["request_id"]}.ndjson"'
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.content) == done["artifact"]["bytes"]
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert rows[0]["kind"] == "manifest"
    assert rows[0]["data"]["rows"]["compliance"]["compliance.checks"] == 1
    checks = [row["data"]["check_id"] for row in rows if row["kind"] == "compliance.checks"]
    assert checks == [check.json()["check_id"]]
    assert others.json()["check_id"] not in answer.text
    assert "user_123" not in answer.text  # the administrator who approved is nobody's business
    compliance_part = next(one for one in done["services"] if one["service"] == "compliance")
    assert {"kind": "compliance.checks", "deed": "exported", "rows": 1, "kept": None} in compliance_part["kinds"]


async def test_the_file_lies_sealed(
    running: None, ann: httpx.AsyncClient, compliance: httpx.AsyncClient, database_url: str
) -> None:
    done = await export(ann, compliance)
    with psycopg.connect(plain_url(database_url)) as connection:
        query = "SELECT sealed FROM compliance.data_request_chunks WHERE request_id = %s"
        sealed = connection.execute(query, (done["request_id"],)).fetchall()
    assert sealed
    assert not any(b"user_ann" in bytes(row[0]) or b"manifest" in bytes(row[0]) for row in sealed)


async def test_each_step_of_an_export_is_in_the_audit_log_with_its_counts(
    running: None, ann: httpx.AsyncClient, compliance: httpx.AsyncClient, database_url: str
) -> None:
    await ann.post(f"{API}/check", json={"content": "x", "check_types": ["pii"]})
    done = await export(ann, compliance)
    await lines(ann, done["request_id"])
    with psycopg.connect(plain_url(database_url)) as connection:
        query = "SELECT event_type, actor_id, metadata FROM audit.events WHERE resource_id = %s ORDER BY seq"
        entries = connection.execute(query, (done["request_id"],)).fetchall()
    steps = [(kind.removeprefix("privacy.access."), actor) for kind, actor, _ in entries]
    assert steps[:2] == [("requested", "user_ann"), ("approved", "user_123")]
    assert steps[2:7] == [("collected", "service:compliance")] * 5
    assert steps[7:] == [("completed", "service:compliance"), ("downloaded", "user_ann")]
    collected = {more["service"]: more for _, _, more in entries[2:7]}
    assert set(collected) == set(SERVICES)
    assert collected["compliance"]["kinds"]["compliance.checks"] == 1


async def test_a_rejected_request_ends_its_workflow(
    running: None, compliance: httpx.AsyncClient, temporal: Client
) -> None:
    asked = await compliance.post(REQUESTS, json={"kind": "export", "subject": "user_ann"})
    await compliance.post(f"{asked.headers['location']}/reject")
    outcome = await temporal.get_workflow_handle(asked.json()["workflow_id"]).result()
    assert outcome["status"] == "rejected"


async def _age(url: str, request_id: str) -> None:
    with psycopg.connect(plain_url(url)) as connection:
        late = "UPDATE compliance.data_requests SET expires_at = now() - interval '1 second' WHERE request_id = %s"
        connection.execute(late, (request_id,))


async def test_a_file_past_its_time_is_refused_then_deleted(
    running: None, ann: httpx.AsyncClient, compliance: httpx.AsyncClient, temporal: Client, database_url: str
) -> None:
    done = await export(ann, compliance)
    await _age(database_url, done["request_id"])
    place = f"{REQUESTS}/{done['request_id']}"
    refused = await ann.get(f"{place}/artifact")
    assert (refused.status_code, refused.json()["code"]) == (410, "artifact_expired")
    for run in range(2):
        await temporal.execute_workflow(
            DATA_REQUESTS_EXPIRE, ExpireInput(), id=f"{place}-{run}", task_queue=QUEUE, result_type=Expired
        )
    found = (await ann.get(place)).json()
    assert (found["status"], found["artifact"]["available"]) == ("expired", False)
    assert (await ann.get(f"{place}/artifact")).status_code == 410
    with psycopg.connect(plain_url(database_url)) as connection:
        query = "SELECT count(*) FROM compliance.data_request_chunks WHERE request_id = %s"
        assert connection.execute(query, (done["request_id"],)).fetchone() == (0,)
        query = "SELECT count(*) FROM audit.events WHERE resource_id = %s AND event_type = 'privacy.access.expired'"
        assert connection.execute(query, (done["request_id"],)).fetchone() == (1,)


async def test_the_sweep_of_old_files_is_a_schedule(running: None, temporal: Client) -> None:
    async def probe() -> bool:
        return any([one.id == DATA_REQUESTS_EXPIRE async for one in await temporal.list_schedules()])

    await eventually(probe)


# ---- the workflow by itself


class Scripted:
    """Activities that answer what a test wants; `due` is when the request is due."""

    def __init__(self, kind: RequestKind, due: datetime) -> None:
        self.kind, self.due, self.status = kind, due, RequestStatus.PENDING
        self.done: list[str] = []

    def _standing(self) -> Standing:
        return Standing(kind=self.kind, status=self.status, due_at=self.due)

    @activity.defn(name=BEGIN_DATA_REQUEST)
    async def begin(self, _: DataRequestInput) -> Standing:
        return self._standing()

    @activity.defn(name=REMIND_DATA_REQUEST)
    async def remind(self, _: DataRequestInput) -> None:
        self.done.append("overdue")

    @activity.defn(name=COLLECT_SUBJECT)
    async def collect(self, wanted: ServiceInput) -> ServiceOutcome:
        self.done.append(wanted.service)
        return ServiceOutcome(service=wanted.service, rows=1)

    @activity.defn(name=ERASE_SUBJECT)
    async def erase(self, wanted: ServiceInput) -> ServiceOutcome:
        self.done.append(wanted.service)
        return ServiceOutcome(service=wanted.service, rows=2)

    @activity.defn(name=FINISH_DATA_REQUEST)
    async def finish(self, _: DataRequestInput) -> Standing:
        self.status = RequestStatus.COMPLETED
        return self._standing()

    def crew(self) -> Crew:
        activities = [self.begin, self.remind, self.collect, self.erase, self.finish]
        return Crew(queue=new_id("queue"), workflows=[ComplianceDataRequest], activities=activities)


async def _played(temporal: Client, script: Scripted, play: Callable[[Any], Awaitable[None]]) -> DataRequestOutcome:
    crew, request = script.crew(), DataRequestInput(tenant_id=new_id("org"), request_id=new_id("dsr"))
    async with build_worker(temporal, crew):
        handle = await temporal.start_workflow(
            DATA_REQUEST_RUN, request, id=new_id("run"), task_queue=crew.queue, result_type=DataRequestOutcome
        )
        await play(handle)
        outcome: DataRequestOutcome = await handle.result()
        return outcome


def _tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


async def test_nothing_happens_before_the_approval_and_erasures_go_in_turn(temporal: Client) -> None:
    script = Scripted(RequestKind.ERASE, _tomorrow())

    async def approve(handle: Any) -> None:
        async def waits() -> bool:
            seen = await handle.query(DATA_REQUEST_PROGRESS, result_type=DataRequestOutcome)
            return bool(seen.status is RequestStatus.PENDING)

        await eventually(waits)
        assert script.done == []
        script.status = RequestStatus.RUNNING
        await handle.signal(DECIDED, Nothing())

    outcome = await _played(temporal, script, approve)
    assert script.done == list(SERVICES)
    assert outcome.status is RequestStatus.COMPLETED
    assert outcome.rows == dict.fromkeys(SERVICES, 2)


async def test_one_that_was_decided_before_its_workflow_started_goes_on_at_once(temporal: Client) -> None:
    script = Scripted(RequestKind.EXPORT, _tomorrow())
    script.status = RequestStatus.RUNNING

    async def watch(_: Any) -> None:
        return

    assert (await _played(temporal, script, watch)).rows == dict.fromkeys(SERVICES, 1)


async def test_an_overdue_request_says_so_once_and_still_waits(temporal: Client) -> None:
    script = Scripted(RequestKind.EXPORT, datetime.now(UTC) - timedelta(days=1))

    async def cancel(handle: Any) -> None:
        async def told() -> bool:
            return script.done == ["overdue"]

        await eventually(told)
        await handle.signal(DECIDED, Nothing())  # somebody looked and left it as it is
        script.status = RequestStatus.CANCELLED
        await handle.signal(DECIDED, Nothing())

    assert (await _played(temporal, script, cancel)).status is RequestStatus.CANCELLED
    assert script.done == ["overdue"]
