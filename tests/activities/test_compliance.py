"""A chunk of a batch can run twice, crash, or meet its own ghost: each text is checked and counted once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import ProgrammingError
from temporalio.testing import ActivityEnvironment

from activities.compliance import BatchActivities
from activities.compliance.batches import CHUNK_CHARACTERS, SLICE_CHARACTERS, parts
from core.adapters.patterns import compiled
from core.compliance.policies import Policies
from core.contracts.compliance import (
    BatchInput,
    BatchItem,
    BatchRange,
    CheckType,
    ChunkResult,
    DetectorResult,
    ForgetUploads,
    NewBatch,
    NewItem,
    PiiEntity,
)
from core.db import Database, plain_url
from core.ids import new_id
from core.keys import RedactionKeys
from core.store import compliance as store
from core.tables.compliance import BatchItemRow
from tests.conftest import eventually
from tests.traces import stored


class Finder:
    """Finds an e-mail address in every text; fails while `failing` is set; `meanwhile` happens first."""

    failing = False
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def inspect(
        self,
        texts: Sequence[str],
        check_types: Sequence[CheckType],
        chosen: Mapping[CheckType, str] = MappingProxyType({}),
    ) -> list[dict[CheckType, DetectorResult]]:
        if self.meanwhile:
            await self.meanwhile()
        if self.failing and "last" in texts[-1]:
            raise ConnectionError("the process dies here")
        found = DetectorResult(flagged=True, score=1, detected=[PiiEntity.EMAIL])
        return [dict.fromkeys(check_types, found) for _ in texts]


@pytest.fixture
def finder() -> Finder:
    return Finder()


@pytest.fixture
def activities(database: Database, finder: Finder) -> BatchActivities:
    return BatchActivities(
        database, finder, policies=Policies(database, compiled), hash_key=b"k" * 32, redaction_keys=_keys
    )


def _keys(tenant: str) -> RedactionKeys:
    return RedactionKeys(SecretStr("k" * 32), tenant)


def _new(tenant: str, batch_id: str | None = None) -> NewBatch:
    return NewBatch(
        batch_id=batch_id or new_id("cbatch"),
        tenant_id=tenant,
        checked_by="user_123",
        check_types=[CheckType.PII],
        policy="default",
        policy_version=1,
    )


async def _open(
    database: Database,
    tenant: str,
    contents: list[str],
    batch_id: str | None = None,
    items: list[BatchItem] | None = None,
) -> BatchInput:
    new = _new(tenant, batch_id)
    async with database.begin(tenant) as session:
        await store.open_batch(session, new, items or [BatchItem(content=content) for content in contents])
    return BatchInput(tenant_id=tenant, batch_id=new.batch_id)


async def _run(activities: BatchActivities, batch: BatchInput) -> ChunkResult:
    result: ChunkResult = await ActivityEnvironment().run(activities.check_chunk, batch)
    return result


def _counts(url: str, tenant: str) -> tuple[int, int, int]:
    """Checks, checks by the counters, and events told of them."""
    queries = (
        "SELECT count(*) FROM compliance.checks WHERE tenant_id = %s",
        "SELECT coalesce(sum(count), 0)::int FROM compliance.days "
        "WHERE tenant_id = %s AND who = '' AND figure = 'status'",
        "SELECT count(*) FROM event.events WHERE tenant_id = %s AND event_type = 'compliance.flagged'",
    )
    with psycopg.connect(plain_url(url)) as connection:
        first, second, third = (connection.execute(query, (tenant,)).fetchone()[0] for query in queries)  # type: ignore[index]
    return first, second, third


async def test_an_attempt_that_dies_leaves_its_work_to_the_next(
    activities: BatchActivities, finder: Finder, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, ["a" * (SLICE_CHARACTERS // 2), "b" * (SLICE_CHARACTERS // 2), "last"])
    finder.failing = True
    with pytest.raises(ConnectionError):
        await _run(activities, batch)
    finder.failing = False
    assert await _run(activities, batch) == ChunkResult(checked=3, left=0)
    assert _counts(database_url, tenant) == (3, 3, 3)


async def test_a_second_run_of_a_finished_chunk_changes_nothing(
    activities: BatchActivities, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, ["one", "two"])
    assert (await _run(activities, batch)).checked == 2
    assert await _run(activities, batch) == ChunkResult()
    assert _counts(database_url, tenant) == (2, 2, 2)


async def test_a_batch_opened_twice_under_one_id_is_one_batch(
    activities: BatchActivities, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, ["one", "two"])
    await _open(database, tenant, ["one", "two"], batch_id=batch.batch_id)
    assert await _run(activities, batch) == ChunkResult(checked=2, left=0)
    assert _counts(database_url, tenant) == (2, 2, 2)


async def test_two_attempts_at_once_check_each_text_once(
    activities: BatchActivities, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, [f"text {n}" for n in range(30)])
    done = await asyncio.gather(*(_run(activities, batch) for _ in range(4)))
    assert sum(result.checked for result in done) == 30
    assert _counts(database_url, tenant) == (30, 30, 30)


async def test_a_large_batch_goes_in_chunks_until_none_is_left(
    activities: BatchActivities, database: Database, tenant: str
) -> None:
    batch = await _open(database, tenant, [f"text {n}" for n in range(600)])
    done = [await _run(activities, batch) for _ in range(3)]
    assert [(result.checked, result.left) for result in done] == [(250, 350), (250, 100), (100, 0)]


async def _range(activities: BatchActivities, batch: BatchInput, first: int, end: int) -> ChunkResult:
    wanted = BatchRange(tenant_id=batch.tenant_id, batch_id=batch.batch_id, first=first, end=end)
    result: ChunkResult = await ActivityEnvironment().run(activities.check_range, wanted)
    return result


async def test_ranges_are_checked_apart_and_the_last_completes_the_batch(
    activities: BatchActivities, database: Database, tenant: str
) -> None:
    batch = await _open(database, tenant, [f"text {n}" for n in range(600)])
    assert await _range(activities, batch, 300, 600) == ChunkResult(checked=300, left=300)
    assert await _range(activities, batch, 0, 300) == ChunkResult(checked=300, left=0)


async def test_an_attempt_after_one_that_died_counts_what_the_first_had_done(
    activities: BatchActivities, finder: Finder, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, [*(f"text {n}" for n in range(599)), "last"])
    finder.failing = True
    with pytest.raises(ConnectionError):
        await _range(activities, batch, 0, 600)
    assert _counts(database_url, tenant) == (500, 500, 500)
    finder.failing = False
    assert await _range(activities, batch, 0, 600) == ChunkResult(checked=600, left=0)


async def test_a_range_whose_last_answer_was_lost_counts_it_all_again(
    activities: BatchActivities, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, [f"text {n}" for n in range(30)])
    first = await _range(activities, batch, 0, 20)
    assert await _range(activities, batch, 0, 20) == first == ChunkResult(checked=20, left=10)
    assert _counts(database_url, tenant) == (20, 20, 20)


async def test_ranges_at_the_same_time_count_each_text_once(
    activities: BatchActivities, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, [f"text {n}" for n in range(600)])
    ranges = [(0, 200), (200, 400), (400, 600), (0, 600)]
    done = await asyncio.gather(*(_range(activities, batch, *one) for one in ranges))
    assert [result.checked for result in done] == [200, 200, 200, 600]
    assert _counts(database_url, tenant) == (600, 600, 600)


async def test_an_item_that_is_not_what_its_kind_says_fails_alone(
    activities: BatchActivities, database: Database, database_url: str, tenant: str
) -> None:
    items = [
        BatchItem(content='{"a": "b"}', content_type="json"),
        BatchItem(content="{a", content_type="json"),
        BatchItem(content="[" * 10_000 + "]" * 10_000, content_type="json"),
        BatchItem(content="<p>text</p>", content_type="html"),
        BatchItem(content="plain"),
    ]
    batch = await _open(database, tenant, [], items=items)
    assert await _range(activities, batch, 0, 5) == ChunkResult(checked=3, left=0)
    async with database.begin(tenant) as session:
        found = await store.item_results(session, batch.batch_id, limit=10)
        row = await store.batch_of(session, batch.batch_id, checked_by=None)
    codes = [item.error.code if item.error else None for item in found]
    assert codes == [None, "content_malformed", "content_too_deep", None, None]
    assert row is not None
    assert (row.status, row.failed) == ("completed", 2)


async def test_a_plan_says_how_many_there_are_and_completes_what_needs_no_checking(
    activities: BatchActivities, database: Database, tenant: str
) -> None:
    batch = await _open(database, tenant, ["", ""])
    plan = await ActivityEnvironment().run(activities.plan_batch, batch)
    assert plan.total == 2
    async with database.begin(tenant) as session:
        assert not await store.is_open(session, batch.batch_id)


async def test_an_upload_that_nobody_continues_is_forgotten_with_its_texts(
    activities: BatchActivities, database: Database, database_url: str, tenant: str
) -> None:
    new = _new(tenant)
    async with database.begin(tenant) as session:
        await store.open_upload(session, new)
        assert await store.add_items(session, new.batch_id, [NewItem("a", "marker-of-an-upload")])
    forget = ActivityEnvironment().run
    assert await forget(activities.forget_uploads, ForgetUploads(idle_seconds=3600)) == 0
    assert "marker-of-an-upload" in stored(database_url, tenant)
    assert await forget(activities.forget_uploads, ForgetUploads(idle_seconds=0)) >= 1
    assert new.batch_id not in stored(database_url, tenant)


async def test_a_text_cancelled_while_it_is_inspected_is_not_recorded(
    activities: BatchActivities, finder: Finder, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, ["one"])

    async def cancel() -> None:
        async with database.begin(tenant) as session:
            await store.cancel_batch(session, batch.batch_id)

    finder.meanwhile = cancel
    assert await _run(activities, batch) == ChunkResult()
    assert _counts(database_url, tenant) == (0, 0, 0)


async def test_a_batch_that_completes_while_its_cancel_waits_stays_completed(
    compliance: httpx.AsyncClient, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, [""])  # nothing in it waits: settled, it is complete
    async with database.begin(tenant) as session:
        await store.settle_items(session, batch.batch_id, [])
        cancel = asyncio.create_task(compliance.post(f"/api/v1/compliance/batches/{batch.batch_id}/cancel"))
        await _waits_for_a_lock(database_url)
    answer = await cancel
    assert (answer.status_code, answer.json()["code"]) == (409, "batch_finished")
    assert await _status(database, batch) == "completed"


async def test_a_batch_that_is_cancelled_while_its_start_waits_is_not_started(
    activities: BatchActivities, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, ["one"])
    async with database.begin(tenant) as session:
        await store.cancel_batch(session, batch.batch_id)
        start = asyncio.create_task(_run(activities, batch))
        await _waits_for_a_lock(database_url)
    assert await start == ChunkResult()
    assert await _status(database, batch) == "cancelled"


async def _waits_for_a_lock(database_url: str) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

    async def waits() -> bool:
        with psycopg.connect(plain_url(database_url)) as connection:
            return bool(connection.execute(query).fetchall()[0][0])

    await eventually(waits)


async def _status(database: Database, batch: BatchInput) -> str | None:
    async with database.begin(batch.tenant_id) as session:
        row = await store.batch_of(session, batch.batch_id, checked_by=None)
    return row.status if row else None


async def test_the_batch_tells_the_event_store_when_it_is_completed(
    activities: BatchActivities, database: Database, database_url: str, tenant: str
) -> None:
    batch = await _open(database, tenant, ["one", ""])
    await _run(activities, batch)
    with psycopg.connect(plain_url(database_url)) as connection:
        query = "SELECT payload FROM event.events WHERE tenant_id = %s AND event_type = 'compliance.batch_completed'"
        ((payload,),) = connection.execute(query, (tenant,)).fetchall()
    assert (payload["total"], payload["failed"], payload["by_status"]) == (2, 1, {"flagged": 1})


async def test_a_database_error_does_not_quote_what_was_written(database: Database, tenant: str) -> None:
    """Errors reach logs and workflow histories."""
    new = NewBatch(
        batch_id=new_id("cbatch"),
        tenant_id=f"{tenant}-other",
        checked_by="marker-in-a-parameter",
        check_types=[CheckType.PII],
        policy="default",
        policy_version=1,
    )
    with pytest.raises(ProgrammingError) as refused:
        async with database.begin(tenant) as session:
            await store.open_batch(session, new, [])
    assert "marker-in-a-parameter" not in str(refused.value)


def test_parts_keep_the_order_and_their_size() -> None:
    rows = [
        BatchItemRow(batch_id="b", position=n, tenant_id="t", check_id=f"c{n}", status="pending", content="x" * length)
        for n, length in enumerate([1, 10, 2, 3, 15, 1])
    ]
    found = list(parts(rows, 10))
    assert [row.position for part in found for row in part] == [0, 1, 2, 3, 4, 5]
    assert [len(part) for part in found] == [1, 1, 2, 1, 1]


async def test_long_texts_go_in_smaller_chunks(activities: BatchActivities, database: Database, tenant: str) -> None:
    text = "x" * 100_000
    batch = await _open(database, tenant, [text] * 15)
    assert await _run(activities, batch) == ChunkResult(checked=CHUNK_CHARACTERS // len(text) + 1, left=4)
