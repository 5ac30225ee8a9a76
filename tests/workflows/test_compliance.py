"""Batches of checks: answered while the caller waits or later, in the caller's order, each text once, none kept."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from activities.compliance import BatchActivities
from activities.compliance.batches import CHUNK_ITEMS, RANGE_ITEMS
from api.compliance import batches
from core.adapters.patterns import compiled
from core.compliance.policies import Policies
from core.contracts.compliance import (
    BATCH_PROGRESS,
    BATCH_RUN,
    BatchInput,
    BatchItem,
    BatchOutcome,
    CheckType,
    DetectorResult,
    NewBatch,
    batch_run_id,
)
from core.db import Database
from core.ids import new_id
from core.keys import RedactionKeys
from core.store import compliance as store
from tests.conftest import Doors, Headers, StartWorkers, eventually
from tests.traces import stored
from workers.runtime import Crew, build_worker
from workflows.compliance import ComplianceBatch

API = "/api/v1/compliance"
PERSONAL = "User email is ann@example.com and phone is +1-415-555-2671"


def items(*contents: str) -> list[dict[str, str]]:
    return [{"id": f"msg_{n}", "content": content} for n, content in enumerate(contents)]


async def batch_check(client: httpx.AsyncClient, sent: Sequence[Any], **more: Any) -> httpx.Response:
    return await client.post(f"{API}/batch-check", json={"items": list(sent), "check_types": ["pii"], **more})


async def completed(client: httpx.AsyncClient, batch_id: str) -> dict[str, Any]:
    async def probe() -> dict[str, Any] | None:
        found: dict[str, Any] = (await client.get(f"{API}/batches/{batch_id}")).json()
        return found if found["status"] == "completed" else None

    found = await eventually(probe)
    assert found is not None
    return found


@pytest.fixture
async def running(workers: StartWorkers) -> None:
    await workers("compliance")


# ---- now or later


async def test_a_batch_done_in_time_is_answered_with_all_results(compliance: httpx.AsyncClient, running: None) -> None:
    answer = await batch_check(compliance, items("First message", PERSONAL), wait=30)
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "completed")
    assert [(item["id"], item["status"]) for item in body["items"]] == [("msg_0", "passed"), ("msg_1", "flagged")]
    assert body["items"][1]["results"]["pii"]["redacted"] == "User email is [EMAIL] and phone is [PHONE]"
    assert body["by_status"] == {"passed": 1, "flagged": 1}


async def test_without_waiting_a_batch_is_accepted_and_says_where_to_look(
    compliance: httpx.AsyncClient, running: None
) -> None:
    answer = await batch_check(compliance, items("First message", "Second message"), wait=0)
    body = answer.json()
    assert answer.status_code == 202
    assert (body["status"], body["progress"]["pending"]) == ("pending", 2)
    assert answer.headers["location"] == f"{API}/batches/{body['batch_id']}"
    assert body["workflow_url"].endswith(batch_run_id(body["batch_id"]).replace(":", "%3A"))
    done = await completed(compliance, body["batch_id"])
    assert done["progress"] == {
        "total": 2, "pending": 0, "checked": 2, "failed": 0, "cancelled": 0, "percent": 100,
    }  # fmt: skip


async def test_a_batch_not_done_in_time_is_accepted(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(
        f"{API}/batch-check?wait=0.001", json={"items": items("First message"), "check_types": ["pii"]}
    )
    assert answer.status_code == 202
    assert answer.headers["location"]


@pytest.mark.parametrize("wait", [-1, 31, "long"])
async def test_an_impossible_wait_is_refused(compliance: httpx.AsyncClient, wait: Any) -> None:
    answer = await batch_check(compliance, items("First message"), wait=wait)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "wait")


async def test_one_key_is_one_batch_with_its_final_answer(compliance: httpx.AsyncClient, running: None) -> None:
    key, body = {"Idempotency-Key": "one"}, {"items": items(PERSONAL), "check_types": ["pii"], "wait": 30}
    first, second = [await compliance.post(f"{API}/batch-check", json=body, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert second.headers["idempotency-replayed"] == "true"


async def test_while_a_batch_is_awaited_its_key_answers_where_to_look(
    compliance: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    key = {"Idempotency-Key": "awaited"}
    body = {"items": items("First message"), "check_types": ["pii"], "wait": 0.001}
    first, second = [await compliance.post(f"{API}/batch-check", json=body, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (202, 202)
    assert second.headers["location"] == first.headers["location"]


# ---- order, ids, faults


async def test_results_keep_the_callers_order_and_ids(compliance: httpx.AsyncClient, running: None) -> None:
    sent: list[dict[str, str]] = [
        {"id": "same", "content": "b@example.com"},
        {"content": "no id"},
        {"id": "same", "content": "again"},
        {"id": "z", "content": "c@example.com"},
    ]
    found = (await batch_check(compliance, sent, wait=30)).json()["items"]
    assert [item["index"] for item in found] == [0, 1, 2, 3]
    assert [item["id"] for item in found] == ["same", None, "same", "z"]
    assert [item["status"] for item in found] == ["flagged", "passed", "passed", "flagged"]
    assert len({item["check_id"] for item in found}) == 4


async def test_an_item_at_fault_fails_alone(compliance: httpx.AsyncClient, running: None) -> None:
    answer = await batch_check(compliance, items("fine", "", "x" * 110_000, "x" * 1_100_000, PERSONAL), wait=30)
    found = answer.json()
    assert answer.status_code == 200, answer.text
    assert [item["status"] for item in found["items"]] == ["passed", "failed", "failed", "failed", "flagged"]
    assert [(item["error"] or {}).get("code") for item in found["items"]] == [
        None, "content_empty", "content_too_long", "content_too_long", None,
    ]  # fmt: skip
    assert found["items"][1]["error"]["field"] == "items[1].content"
    assert found["progress"]["failed"] == 3


async def test_a_batch_of_faulty_items_only_completes(compliance: httpx.AsyncClient, running: None) -> None:
    assert (await batch_check(compliance, items("", ""), wait=30)).json()["status"] == "completed"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [{"content": "x"}] * 10_001}, "items"),
        ({"items": [{"content": "x"}, {"id": "no content"}]}, "items[1].content"),
        ({"items": [{"content": 7}]}, "items[0].content"),
        ({"items": [{"content": "x"}], "check_types": ["sarcasm"]}, "check_types[0]"),
        ({"items": [{"content": "x"}], "policy": "lenient"}, "policy"),
    ],
)
async def test_a_malformed_batch_is_refused_whole(
    compliance: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await compliance.post(f"{API}/batch-check", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_results_are_paged(compliance: httpx.AsyncClient, running: None) -> None:
    batch_id = (await batch_check(compliance, items(*["text"] * 5), wait=30)).json()["batch_id"]
    seen, cursor = [], ""
    while cursor is not None:
        page = (await compliance.get(f"{API}/batches/{batch_id}?limit=2{cursor and f'&cursor={cursor}'}")).json()
        seen += [item["index"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [0, 1, 2, 3, 4]


async def test_more_findings_than_an_answer_may_hold_are_left_to_the_single_checks(
    compliance: httpx.AsyncClient, running: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_ANSWERED_FINDINGS", 1)
    answer = await batch_check(compliance, items(PERSONAL), wait=30)
    assert answer.status_code == 200
    assert {"spans", "redacted"}.isdisjoint(answer.json()["items"][0]["results"]["pii"])


async def test_results_read_later_have_neither_spans_nor_redacted_text(
    compliance: httpx.AsyncClient, running: None
) -> None:
    batch_id = (await batch_check(compliance, items(PERSONAL), wait=30)).json()["batch_id"]
    (item,) = (await compliance.get(f"{API}/batches/{batch_id}")).json()["items"]
    assert item["results"]["pii"]["detected"] == ["email", "phone"]
    assert {"spans", "redacted"}.isdisjoint(item["results"]["pii"])
    kept = (await compliance.get(f"{API}/checks/{item['check_id']}")).json()
    assert len(kept["results"]["pii"]["spans"]) == 2


async def test_checks_of_a_batch_are_in_the_history(compliance: httpx.AsyncClient, running: None) -> None:
    batch_id = (await batch_check(compliance, items("a", "b"), wait=30)).json()["batch_id"]
    listed = (await compliance.get(f"{API}/checks?batch_id={batch_id}")).json()["items"]
    assert {item["batch_id"] for item in listed} == {batch_id}
    assert len(listed) == 2


async def test_a_user_reaches_only_batches_of_their_own(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient
) -> None:
    batch_id = (await batch_check(compliance, items("a"), wait=0)).json()["batch_id"]
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        assert (await ann.get(f"{API}/batches/{batch_id}")).status_code == 404
        assert (await ann.post(f"{API}/batches/{batch_id}/cancel")).status_code == 404


# ---- texts leave no trace


async def _history(handle: WorkflowHandle[Any, Any]) -> str:
    history = await handle.fetch_history()
    return "\n".join(str(event) for event in history.events)


async def test_a_checked_batch_leaves_no_trace_of_its_texts(
    compliance: httpx.AsyncClient, running: None, database_url: str, temporal: Client, tenant: str
) -> None:
    answer = await compliance.post(
        f"{API}/batch-check",
        json={"items": items(f"marker-in-the-batch {PERSONAL}", ""), "wait": 30},
        headers={"Idempotency-Key": "kept"},
    )
    assert "marker-in-the-batch" in answer.text  # the caller does get the redacted form
    seen = stored(database_url, tenant)
    assert answer.json()["batch_id"] in seen
    seen += await _history(temporal.get_workflow_handle(answer.json()["workflow_id"]))
    for trace in ("marker-in-the-batch", "ann@example.com", "415-555", b"marker-in-the-batch".hex()):
        assert trace not in seen


# ---- cancel


class Gate:
    """An inspector that finds nothing, and after so many turns waits until it is opened."""

    def __init__(self, *, after: int = 1) -> None:
        self.after, self.turns, self.opened, self.waiting = after, 0, asyncio.Event(), asyncio.Event()

    async def inspect(
        self,
        texts: Sequence[str],
        check_types: Sequence[CheckType],
        chosen: Mapping[CheckType, str] = MappingProxyType({}),
    ) -> list[dict[CheckType, DetectorResult]]:
        self.turns += 1
        if self.turns > self.after:
            self.waiting.set()
            await self.opened.wait()
        return [{word: DetectorResult(flagged=False, score=0) for word in check_types} for _ in texts]


@asynccontextmanager
async def _running_batch(
    gate: Gate, database: Database, temporal: Client, tenant: str, total: int
) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """A batch on a queue of its own, with this inspector."""
    batch_id, queue = await _open(database, tenant, total), f"compliance-{uuid.uuid4()}"
    activities = BatchActivities(
        database,
        gate,
        policies=Policies(database, compiled),
        hash_key=b"k" * 32,
        redaction_keys=partial(RedactionKeys, SecretStr("k" * 32)),
        parallel=1,
    )
    crew = Crew(queue=queue, workflows=[ComplianceBatch], activities=activities.all())
    async with build_worker(temporal, crew):
        yield await temporal.start_workflow(
            BATCH_RUN,
            BatchInput(tenant_id=tenant, batch_id=batch_id),
            id=batch_run_id(batch_id),
            task_queue=queue,
            result_type=BatchOutcome,
        )
        gate.opened.set()


async def _open(database: Database, tenant: str, total: int) -> str:
    batch_id = new_id("cbatch")
    new = NewBatch(
        batch_id=batch_id,
        tenant_id=tenant,
        checked_by="user_123",
        check_types=[CheckType.PII],
        policy="default",
        policy_version=1,
    )
    async with database.begin(tenant) as session:
        await store.open_batch(session, new, [BatchItem(content=f"text {n}") for n in range(total)])
    return batch_id


async def test_a_cancelled_batch_stops_keeps_what_is_checked_and_forgets_the_rest(
    compliance: httpx.AsyncClient, database: Database, database_url: str, temporal: Client, tenant: str
) -> None:
    gate = Gate()
    async with _running_batch(gate, database, temporal, tenant, total=400) as handle:
        await asyncio.wait_for(gate.waiting.wait(), 20)
        batch_id = handle.id.partition(":")[2]
        answer = await compliance.post(f"{API}/batches/{batch_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")

        async def ended() -> bool:
            return (await handle.describe()).status == WorkflowExecutionStatus.CANCELED

        await eventually(ended)
        gate.opened.set()
    body = (await compliance.get(f"{API}/batches/{batch_id}?limit=1000")).json()
    assert body["progress"] == {
        "total": 400, "pending": 0, "checked": 250, "failed": 0, "cancelled": 150, "percent": 100,
    }  # fmt: skip
    assert [item["status"] for item in body["items"]] == ["passed"] * 250 + ["cancelled"] * 150
    assert "text 399" not in stored(database_url, tenant)


async def test_the_workflow_tells_how_far_it_is(database: Database, temporal: Client, tenant: str) -> None:
    gate = Gate(after=RANGE_ITEMS // CHUNK_ITEMS)
    async with _running_batch(gate, database, temporal, tenant, total=RANGE_ITEMS + 20) as handle:
        await asyncio.wait_for(gate.waiting.wait(), 20)
        told: BatchOutcome = await handle.query(BATCH_PROGRESS, result_type=BatchOutcome)
        assert (told.checked, told.left) == (RANGE_ITEMS, 20)
        gate.opened.set()
        outcome: BatchOutcome = await handle.result()
        assert (outcome.checked, outcome.left) == (RANGE_ITEMS + 20, 0)


async def test_a_batch_cancelled_twice_stays_cancelled(
    compliance: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    batch_id = await _open(database, tenant, 3)
    answers = [await compliance.post(f"{API}/batches/{batch_id}/cancel") for _ in range(2)]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(202, "cancelled")] * 2
    assert answers[1].json()["progress"]["cancelled"] == 3


async def test_a_completed_batch_cannot_be_cancelled(compliance: httpx.AsyncClient, running: None) -> None:
    batch_id = (await batch_check(compliance, items("a"), wait=30)).json()["batch_id"]
    answer = await compliance.post(f"{API}/batches/{batch_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "batch_finished")
