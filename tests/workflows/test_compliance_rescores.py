"""Re-scores: what another policy would make of past checks, found out by a workflow that changes none of them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import httpx
import psycopg
import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import ActivityEnvironment

from activities.compliance import RescoreActivities
from core.adapters.patterns import compiled
from core.compliance.policies import Policies
from core.contracts.compliance import (
    RESCORE_PROGRESS,
    RESCORE_RUN,
    Check,
    CheckRecord,
    CheckStatus,
    CheckType,
    DetectorResult,
    PiiEntity,
    PolicySettings,
    RescoreChunk,
    RescoreFigures,
    RescoreInput,
    RescoreOutcome,
    RescoreStatus,
    RiskLevel,
    Span,
    rescore_run_id,
)
from core.db import Database, plain_url
from core.ids import new_id
from core.store import compliance as store
from core.tables.compliance import RescoreRow
from tests.conftest import Doors, Headers, StartWorkers, eventually
from tests.traces import stored
from workers.runtime import Crew, build_worker
from workflows.compliance import ComplianceRescore

API = "/api/v1/compliance"
MAIL = "write to ann@example.com"
BLOCKING = {"rules": {"pii": {"action": "block"}}}


async def check(client: httpx.AsyncClient, content: str, **more: Any) -> dict[str, Any]:
    body = {"content": content, "check_types": ["pii"], "policy": "chat", **more}
    answer = await client.post(f"{API}/check", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def rescored(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    asked = await client.post(f"{API}/rescores", json=body)
    assert asked.status_code == 202, asked.text

    async def probe() -> dict[str, Any] | None:
        found: dict[str, Any] = (await client.get(asked.headers["location"])).json()
        return found if found["status"] == "completed" else None

    done = await eventually(probe, within=40)
    assert done is not None
    return done


@pytest.fixture
async def running(workers: StartWorkers) -> None:
    await workers("compliance")


# ---- what would change


async def test_a_draft_shows_what_it_would_change_and_changes_nothing(
    compliance: httpx.AsyncClient, running: None
) -> None:
    found, clean = await check(compliance, MAIL), await check(compliance, "Nothing to see here.")
    await check(compliance, MAIL, policy="default")  # keeps no redacted text, so it cannot be judged again
    done = await rescored(compliance, {"draft": BLOCKING})
    assert (done["total"], done["percent"], done["policy"]) == (2, 100, None)
    result = done["result"]
    assert (result["rescored"], result["changed"]) == (2, 1)
    assert {(m["before"], m["after"]): m["count"] for m in result["moves"]} == {
        ("flagged", "blocked"): 1, ("passed", "passed"): 1,
    }  # fmt: skip
    assert [(e["check_id"], e["before"], e["after"]) for e in result["examples"]] == [
        (found["check_id"], "flagged", "blocked")
    ]
    assert (await compliance.get(f"{API}/checks/{found['check_id']}")).json()["status"] == "flagged"
    assert (await compliance.get(f"{API}/checks/{clean['check_id']}")).json()["status"] == "passed"


@pytest.mark.parametrize("run_detectors", [True, False])
async def test_what_was_redacted_then_counts_by_the_new_rules(
    compliance: httpx.AsyncClient, running: None, run_detectors: bool
) -> None:
    await check(compliance, MAIL)
    draft = {"rules": {"pii": {"action": "block", "entities": ["ssn"]}}}
    done = await rescored(compliance, {"draft": draft, "run_detectors": run_detectors})
    assert done["result"]["moves"] == [{"before": "flagged", "after": "passed", "count": 1}]
    assert done["result"]["by_type"] == {"pii": {"newly_flagged": 0, "no_longer_flagged": 1}}


async def test_detectors_find_what_the_policy_had_left_out(compliance: httpx.AsyncClient, running: None) -> None:
    await check(compliance, "The server has the ip address 203.0.113.7 today")
    done = await rescored(compliance, {"policy": "default"})
    assert (done["policy"], done["policy_version"]) == ("default", 1)
    assert done["result"]["by_type"] == {"pii": {"newly_flagged": 1, "no_longer_flagged": 0}}
    kept = await rescored(compliance, {"policy": "default", "run_detectors": False})
    assert kept["result"]["changed"] == 0


async def test_a_drafts_lists_are_held_against_the_redacted_text(compliance: httpx.AsyncClient, running: None) -> None:
    await check(compliance, f"{MAIL} about fruit")
    done = await rescored(compliance, {"draft": {"block_list": [{"kind": "term", "value": "fruit"}]}})
    assert done["result"]["moves"] == [{"before": "flagged", "after": "blocked", "count": 1}]


async def test_time_policy_and_number_limit_what_is_judged_again(compliance: httpx.AsyncClient, running: None) -> None:
    made = [await check(compliance, f"{MAIL} {n}") for n in range(4)]
    newest = await rescored(compliance, {"draft": BLOCKING, "limit": 1, "examples": 5})
    assert [e["check_id"] for e in newest["result"]["examples"]] == [made[3]["check_id"]]
    span = {"from": made[1]["created_at"], "to": made[3]["created_at"]}
    middle = await rescored(compliance, {"draft": BLOCKING, "examples": 1} | span)
    assert (middle["total"], len(middle["result"]["examples"])) == (2, 1)
    assert (await rescored(compliance, {"draft": BLOCKING, "of_policy": "strict"}))["total"] == 0


async def test_structured_content_is_judged_as_it_was(compliance: httpx.AsyncClient, running: None) -> None:
    await check(compliance, '{"mail": "ann@example.com"}', content_type="json")
    done = await rescored(compliance, {"policy": "strict"})
    assert done["result"]["moves"] == [{"before": "flagged", "after": "blocked", "count": 1}]


@pytest.mark.parametrize("run_detectors", [True, False])
@pytest.mark.parametrize("name", ["block_list", "allow_list"])
async def test_lists_are_held_against_what_there_is_to_read_as_they_were(
    compliance: httpx.AsyncClient, running: None, name: str, run_detectors: bool
) -> None:
    kind, value = ("term", "you idiot") if name == "block_list" else ("exact", "Kill you all you idiot")
    policy = {"name": "listed", "keep_redacted": True, name: [{"kind": kind, "value": value}]}
    assert (await compliance.post(f"{API}/policies", json=policy)).status_code == 201
    content = "Kill <b>you</b> all <i>you</i> idiot"
    more = {"content_type": "html", "policy": "listed", "check_types": ["toxicity", "pii"]}
    assert (await check(compliance, content, **more))["reasons"] == [name]
    done = await rescored(compliance, {"policy": "listed", "run_detectors": run_detectors})
    assert (done["result"]["rescored"], done["result"]["changed"]) == (1, 0)


async def test_a_rescore_leaves_no_trace_of_redacted_texts(
    compliance: httpx.AsyncClient, running: None, database_url: str, temporal: Client, tenant: str
) -> None:
    await check(compliance, f"{MAIL} marker-in-the-text")
    done = await rescored(compliance, {"draft": BLOCKING})
    handle = temporal.get_workflow_handle(done["workflow_id"])
    history = "\n".join(str(event) for event in (await handle.fetch_history()).events)
    assert "marker-in-the-text" not in history
    assert stored(database_url, tenant).count("marker-in-the-text") == 1


# ---- asked for


async def test_a_rescore_is_accepted_listed_and_logged(
    compliance: httpx.AsyncClient, audit: httpx.AsyncClient, running: None
) -> None:
    done = await rescored(compliance, {"policy": "strict"})
    listed = (await compliance.get(f"{API}/rescores")).json()["items"]
    assert [item["rescore_id"] for item in listed] == [done["rescore_id"]]
    assert done["rescore_id"].startswith("rescore_")
    found = (await audit.post("/api/v1/audit/events/query", json={"event_type": ["compliance.rescore_*"]})).json()
    logged = (await audit.post("/api/v1/audit/events/query", json={"limit": 10})).json()["items"]
    assert "compliance.rescore_started" in [entry["event_type"] for entry in logged], found


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"policy": "strict", "draft": {}}, "body"),
        ({"draft": {}, "version": 1}, "body"),
        ({"policy": "lenient"}, "policy"),
        ({"policy": "strict", "version": 2}, "policy"),
        ({"draft": {"block_list": [{"kind": "regex", "value": "("}]}}, "draft.block_list[0].value"),
        ({"policy": "strict", "limit": 0}, "limit"),
        ({"policy": "strict", "from": "yesterday"}, "from"),
    ],
)
async def test_a_malformed_rescore_is_refused(compliance: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await compliance.post(f"{API}/rescores", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_only_an_admin_asks_and_users_see_only_their_own(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient, running: None
) -> None:
    done = await rescored(compliance, {"policy": "strict"})
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        assert (await ann.post(f"{API}/rescores", json={"policy": "strict"})).status_code == 403
        assert (await ann.get(f"{API}/rescores")).json()["items"] == []
        assert (await ann.get(f"{API}/rescores/{done['rescore_id']}")).status_code == 404


async def test_a_completed_rescore_cannot_be_stopped(compliance: httpx.AsyncClient, running: None) -> None:
    done = await rescored(compliance, {"policy": "strict"})
    answer = await compliance.post(f"{API}/rescores/{done['rescore_id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "rescore_finished")


# ---- chunks


class Gate:
    """Detectors that find nothing, and from their second turn on wait until they are opened."""

    def __init__(self) -> None:
        self.turns, self.opened, self.waiting = 0, asyncio.Event(), asyncio.Event()

    async def inspect(
        self,
        texts: Sequence[str],
        check_types: Sequence[CheckType],
        chosen: Mapping[CheckType, str] = MappingProxyType({}),
    ) -> list[dict[CheckType, DetectorResult]]:
        self.turns += 1
        if self.turns > 1:
            self.waiting.set()
            await self.opened.wait()
        return [{word: DetectorResult(flagged=False, score=0, spans=[]) for word in check_types} for _ in texts]


def _record(number: int) -> CheckRecord:
    found = Span(entity=PiiEntity.EMAIL, start=0, end=5, score=1)
    pii = DetectorResult(flagged=True, score=1, spans=[found], detected=[PiiEntity.EMAIL], redacted="[EMAIL]")
    check = Check(
        check_id=new_id("chk"),
        status=CheckStatus.FLAGGED,
        risk_level=RiskLevel.MEDIUM,
        results={CheckType.PII: pii},
        policy="chat",
        policy_version=1,
        content_type="text",
        content_hash=str(number),
        content_length=5,
        checked_by="user_123",
        created_at=datetime.now(UTC),
    )
    return CheckRecord(check=check, keep_redacted=True)


async def _open(database: Database, tenant: str, total: int) -> RescoreInput:
    row = RescoreRow(
        rescore_id=new_id("rescore"),
        tenant_id=tenant,
        status=RescoreStatus.PENDING,
        draft=PolicySettings.model_validate(BLOCKING).model_dump(mode="json"),
        run_detectors=True,
        limit=1000,
        examples=3,
        total=0,
        result=RescoreFigures().model_dump(mode="json"),
        requested_by="user_123",
        created_at=datetime.now(UTC),
    )
    async with database.begin(tenant) as session:
        await store.record(session, tenant, [_record(n) for n in range(total)])
        row.created_at = datetime.now(UTC)
        await store.open_rescore(session, row)
    return RescoreInput(tenant_id=tenant, rescore_id=row.rescore_id)


@asynccontextmanager
async def _running_rescore(
    gate: Gate, database: Database, temporal: Client, tenant: str, total: int
) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """A re-score on a queue of its own, with these detectors."""
    wanted, queue = await _open(database, tenant, total), f"compliance-{uuid.uuid4()}"
    activities = RescoreActivities(database, gate, policies=Policies(database, compiled))
    crew = Crew(queue=queue, workflows=[ComplianceRescore], activities=[activities.rescore_chunk])
    async with build_worker(temporal, crew):
        yield await temporal.start_workflow(
            RESCORE_RUN,
            wanted,
            id=rescore_run_id(wanted.rescore_id),
            task_queue=queue,
            result_type=RescoreOutcome,
        )
        gate.opened.set()


async def test_the_workflow_tells_how_far_it_is(
    compliance: httpx.AsyncClient, database: Database, temporal: Client, tenant: str
) -> None:
    gate = Gate()
    async with _running_rescore(gate, database, temporal, tenant, total=130) as handle:
        await asyncio.wait_for(gate.waiting.wait(), 20)
        told: RescoreOutcome = await handle.query(RESCORE_PROGRESS, result_type=RescoreOutcome)
        assert (told.rescored, told.left) == (100, 30)
        shown = (await compliance.get(f"{API}/rescores/{handle.id.partition(':')[2]}")).json()
        assert (shown["status"], shown["percent"], shown["result"]["changed"]) == ("running", 76, 100)
        gate.opened.set()
        outcome: RescoreOutcome = await handle.result()
    assert (outcome.rescored, outcome.left) == (130, 0)


async def test_a_rescore_that_is_stopped_keeps_what_it_found(
    compliance: httpx.AsyncClient, database: Database, temporal: Client, tenant: str
) -> None:
    gate = Gate()
    async with _running_rescore(gate, database, temporal, tenant, total=130) as handle:
        await asyncio.wait_for(gate.waiting.wait(), 20)
        path = f"{API}/rescores/{handle.id.partition(':')[2]}"
        answers = [await compliance.post(f"{path}/cancel") for _ in range(2)]
        assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(202, "cancelled")] * 2

        async def ended() -> bool:
            return (await handle.describe()).status == WorkflowExecutionStatus.CANCELED

        await eventually(ended)
        gate.opened.set()
    shown = (await compliance.get(path)).json()
    assert (shown["status"], shown["result"]["rescored"], shown["total"]) == ("cancelled", 100, 130)


async def test_a_rescore_that_completes_while_its_stop_waits_stays_completed(
    compliance: httpx.AsyncClient, database: Database, database_url: str, tenant: str
) -> None:
    wanted = await _open(database, tenant, 1)
    path = f"{API}/rescores/{wanted.rescore_id}"
    async with database.begin(tenant) as session:
        row = await store.start_rescore(session, wanted.rescore_id)
    assert row is not None

    async def waits() -> bool:
        with psycopg.connect(plain_url(database_url)) as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return bool(connection.execute(query).fetchall()[0][0])

    async with database.begin(tenant) as session:
        await store.settle_rescore(session, row, RescoreFigures(), [])
        stop = asyncio.create_task(compliance.post(f"{path}/cancel"))
        await eventually(waits)
    answer = await stop
    assert (answer.status_code, answer.json()["code"]) == (409, "rescore_finished")
    assert (await compliance.get(path)).json()["status"] == "completed"


async def test_attempts_that_overlap_judge_each_check_once(database: Database, tenant: str) -> None:
    gate = Gate()
    gate.opened.set()
    wanted = await _open(database, tenant, 230)
    activities = RescoreActivities(database, gate, policies=Policies(database, compiled))

    async def run() -> RescoreChunk:
        done: RescoreChunk = await ActivityEnvironment().run(activities.rescore_chunk, wanted)
        return done

    rescored = sum([one.rescored for one in await asyncio.gather(*(run() for _ in range(4)))])
    while (done := await run()).rescored:
        rescored += done.rescored
    async with database.begin(tenant) as session:
        row = await store.rescore_of(session, wanted.rescore_id, requested_by=None)
    assert row is not None
    assert (rescored, row.result["rescored"], row.result["changed"], row.status) == (230, 230, 230, "completed")
