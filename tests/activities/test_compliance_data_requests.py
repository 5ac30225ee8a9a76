"""A service's part of a data-subject request may be killed, run twice, or meet its own ghost: each row counts once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.compliance.data_requests import CHUNK_BYTES, DataRequestActivities
from core.contracts.audit import AuditEvent, Outcome, Severity
from core.contracts.compliance.data_requests import (
    ARTIFACT_KEY,
    PARTS,
    DataRequestInput,
    RequestKind,
    RequestStatus,
    ServiceInput,
    ServiceOutcome,
    Verb,
)
from core.contracts.platform import Service
from core.db import Database
from core.ids import new_id
from core.keys import Seals
from core.settings import Settings
from core.store import audit
from core.store.compliance import data_requests as store
from core.tables.compliance import DataRequestRow

ROWS = 1200  # more than two pages


class Killed(Exception):
    """The worker is gone in the middle of a transaction."""


class Mortal:
    """A database under which a worker dies: the transaction numbered `dies_at` is not committed."""

    def __init__(self, database: Database) -> None:
        self._database, self.opened, self.dies_at = database, 0, -1

    @asynccontextmanager
    async def begin(self, tenant: str) -> AsyncIterator[AsyncSession]:
        async with self._database.begin(tenant) as session:
            yield session
            self._count()

    @asynccontextmanager
    async def begin_erasure(self, tenant: str, request_id: str) -> AsyncIterator[AsyncSession]:
        async with self._database.begin_erasure(tenant, request_id) as session:
            yield session
            self._count()

    @asynccontextmanager
    async def begin_all(self) -> AsyncIterator[AsyncSession]:
        async with self._database.begin_all() as session:
            yield session

    def _count(self) -> None:
        self.opened += 1
        if self.opened == self.dies_at:
            raise Killed


@pytest.fixture
def mortal(database: Database) -> Mortal:
    return Mortal(database)


@pytest.fixture
def seals(settings: Settings) -> Seals:
    return Seals(settings.secret_key, ARTIFACT_KEY)


@pytest.fixture
def activities(mortal: Mortal, seals: Seals) -> DataRequestActivities:
    return DataRequestActivities(mortal, seals, keep_for=timedelta(days=7))


def _event(number: int, **more: Any) -> AuditEvent:
    values: dict[str, Any] = {
        "event_id": new_id("aud"),
        "event_type": "file.view",
        "category": "data_access",
        "severity": Severity.INFO,
        "outcome": Outcome.SUCCESS,
        "actor_id": "user_ann",
        "metadata": {"number": number, "padding": "x" * 500},
        "occurred_at": datetime.now(UTC),
        "recorded_at": datetime.now(UTC),
    }
    return AuditEvent.model_validate(values | more)


async def _asked(database: Database, tenant: str, kind: RequestKind, subject: str = "user_ann") -> DataRequestInput:
    now = datetime.now(UTC)
    row = DataRequestRow(
        request_id=new_id("dsr"),
        tenant_id=tenant,
        kind=kind,
        status=RequestStatus.PENDING,
        subject=subject,
        alias="erased_ann",
        email_addresses=["ann@example.com"],
        phone_numbers=[],
        requested_by="admin",
        four_eyes=True,
        due_at=now + timedelta(days=30),
        created_at=now,
    )
    async with database.begin(tenant) as session:
        assert await store.open_request(session, row)
    return DataRequestInput(tenant_id=tenant, request_id=row.request_id)


async def _approve(session: AsyncSession, request: DataRequestInput) -> None:
    to = RequestStatus.APPROVED
    await store.decide(session, request.request_id, verb=Verb.APPROVED, to=to, by="other", note=None)


async def _approved(
    database: Database, tenant: str, kind: RequestKind, events: int = ROWS, subject: str = "user_ann"
) -> DataRequestInput:
    """A request that runs, about a person with so many events in the audit log."""
    request = await _asked(database, tenant, kind, subject)
    async with database.begin(tenant) as session:
        await audit.append(session, tenant, [_event(number) for number in range(events)])
        await _approve(session, request)
        await store.begin(session, request.request_id)
    return request


def _part(request: DataRequestInput) -> ServiceInput:
    return ServiceInput(**request.model_dump(), service=Service.AUDIT)


async def _collected(activities: DataRequestActivities, request: DataRequestInput) -> ServiceOutcome:
    return await ActivityEnvironment().run(activities.collect, _part(request))


async def _lines(database: Database, seals: Seals, request: DataRequestInput) -> list[dict[str, Any]]:
    plain = b""
    async with database.begin(request.tenant_id) as session:
        for part in PARTS:
            number = 0
            while sealed := await store.chunk(session, request.request_id, part, number):
                opened = seals.open(f"{request.request_id}/{part}/{number}", sealed)
                assert len(opened) <= CHUNK_BYTES
                plain, number = plain + opened, number + 1
    return [json.loads(line) for line in plain.splitlines()]


async def _count(database: Database, tenant: str, condition: str) -> int:
    async with database.begin(tenant) as session:
        query = text(f"SELECT count(*) FROM audit.events WHERE {condition}")
        return int((await (await session.connection()).execute(query)).scalar_one())


async def _counters(database: Database, tenant: str) -> int:
    """The person's counters by type of event: there is one only if the roll-up of another test's worker came by."""
    async with database.begin(tenant) as session:
        query = text("SELECT count(*) FROM audit.totals WHERE actor_id = 'erased_ann'")
        return int((await (await session.connection()).execute(query)).scalar_one())


@pytest.mark.parametrize("dies_at", [1, 2, 3, 5])
async def test_a_collection_killed_anywhere_goes_on_and_holds_each_row_once(
    activities: DataRequestActivities, mortal: Mortal, database: Database, seals: Seals, tenant: str, dies_at: int
) -> None:
    request = await _approved(database, tenant, RequestKind.EXPORT)
    mortal.dies_at = dies_at
    with pytest.raises(Killed):
        await _collected(activities, request)
    outcome = await _collected(activities, request)
    rows = [line for line in await _lines(database, seals, request) if line["kind"] == "audit.events"]
    numbers = [line["data"]["metadata"]["number"] for line in rows]
    assert sorted(numbers) == list(range(ROWS))
    assert outcome.rows == ROWS
    assert await _count(database, tenant, "event_type = 'privacy.access.collected'") == 1


async def test_a_service_that_is_done_is_not_collected_again(
    activities: DataRequestActivities, database: Database, seals: Seals, tenant: str
) -> None:
    request = await _approved(database, tenant, RequestKind.EXPORT, events=3)
    first, second = await _collected(activities, request), await _collected(activities, request)
    assert first == second
    assert len(await _lines(database, seals, request)) == 3
    assert await _count(database, tenant, "event_type = 'privacy.access.collected'") == 1


async def test_of_two_attempts_at_once_each_page_counts_once(
    activities: DataRequestActivities, database: Database, seals: Seals, tenant: str
) -> None:
    request = await _approved(database, tenant, RequestKind.EXPORT, events=3)
    async with database.begin(tenant) as session:
        row = await store.request_of(session, request.request_id)
        seen = await store.step_of(session, request.request_id, Service.AUDIT)
        assert row is not None
        assert seen is not None
        await _collected(activities, request)
        late = store.Advance(kind="audit.events", rows=3, place=None, sealed=[b"again"], length=5)
        assert not await store.advance(session, row, seen, late)
    assert len(await _lines(database, seals, request)) == 3


@pytest.mark.parametrize("dies_at", [1, 2, 3, 4])
async def test_an_erasure_killed_anywhere_goes_on_and_counts_each_row_once(
    activities: DataRequestActivities, mortal: Mortal, database: Database, tenant: str, dies_at: int
) -> None:
    request = await _approved(database, tenant, RequestKind.ERASE)
    mortal.dies_at = dies_at
    with pytest.raises(Killed):
        await ActivityEnvironment().run(activities.erase, _part(request))
    outcome = await ActivityEnvironment().run(activities.erase, _part(request))
    assert outcome.rows in (ROWS, ROWS + await _counters(database, tenant))  # it may come by afterwards as well
    assert await _count(database, tenant, "actor_id = 'user_ann' OR metadata::text LIKE '%padding%'") == 0
    marked = f"actor_id = 'erased_ann' AND metadata = '{{\"erased_by\": \"{request.request_id}\"}}'"
    assert await _count(database, tenant, marked) == ROWS
    assert await _count(database, tenant, "event_type = 'privacy.erasure.erased'") == 1


async def test_a_person_named_in_rows_of_others_gives_way_to_the_pseudonym(
    activities: DataRequestActivities, database: Database, tenant: str
) -> None:
    about = {"user_id": "user_ann", "mail": "to Ann@example.com", "text": "user_ann, not user_anna", "kept": 1}
    async with database.begin(tenant) as session:
        await audit.append(session, tenant, [_event(0, actor_id="user_bob", metadata=about)])
    request = await _approved(database, tenant, RequestKind.ERASE, events=0)
    await ActivityEnvironment().run(activities.erase, _part(request))
    async with database.begin(tenant) as session:
        query = text("SELECT metadata FROM audit.events WHERE actor_id = 'user_bob'")
        found = (await (await session.connection()).execute(query)).scalar_one()
    assert found == {
        "user_id": "erased_ann",
        "mail": "to [erased]",
        "text": "erased_ann, not user_anna",
        "kept": 1,
    }


async def test_who_voted_and_whom_a_draft_has_told_give_way_even_where_the_name_may_be_any_word(
    activities: DataRequestActivities,
    compliance: httpx.AsyncClient,
    headers: Callable[..., dict[str, str]],
    database: Database,
    tenant: str,
) -> None:
    api = "/api/v1/compliance"
    terms = {"rules": {"pii": {"action": "review"}}, "second_reviewer": True}
    assert (await compliance.post(f"{api}/policies", json={**terms, "name": "terms"})).is_success
    asked = {"content": "write to joe@example.com", "check_types": ["pii"], "policy": "terms"}
    review_id = (await compliance.post(f"{api}/check", json=asked)).json()["review"]["review_id"]
    for voter in ("ann", "bob"):
        vote = await compliance.post(f"{api}/reviews/{review_id}/approve", json={}, headers=headers(user=voter))
        assert vote.is_success, vote.text
    draft = {**terms, "reviewers": ["ann", "bob"], "block_list": [{"kind": "term", "value": "ann"}]}
    rescore = (await compliance.post(f"{api}/rescores", json={"draft": draft})).json()["rescore_id"]

    request = await _approved(database, tenant, RequestKind.ERASE, events=0, subject="ann")
    service = ServiceInput(**request.model_dump(), service=Service.COMPLIANCE)
    await ActivityEnvironment().run(activities.erase, service)
    review = (await compliance.get(f"{api}/reviews/{review_id}")).json()
    assert [vote["by"] for vote in review["votes"]] == ["erased_ann", "bob"]
    left = (await compliance.get(f"{api}/rescores/{rescore}")).json()["draft"]
    assert (set(left["reviewers"]), left["escalate_to"]) == ({"bob", "erased_ann"}, [])
    assert left["block_list"][0]["value"] == "ann"


async def test_another_tenants_rows_are_not_touched(
    activities: DataRequestActivities, database: Database, tenant: str
) -> None:
    elsewhere = new_id("org")
    async with database.begin(elsewhere) as session:
        await audit.append(session, elsewhere, [_event(0)])
    await ActivityEnvironment().run(activities.erase, _part(await _approved(database, tenant, RequestKind.ERASE, 1)))
    assert await _count(database, elsewhere, "actor_id = 'user_ann'") == 1


async def test_counters_move_with_their_events(
    activities: DataRequestActivities, database: Database, tenant: str
) -> None:
    async with database.begin_all() as session:
        total = "INSERT INTO audit.totals VALUES (:tenant, 'user_ann', 'file.view', 7, now())"
        await (await session.connection()).execute(text(total), {"tenant": tenant})
    await ActivityEnvironment().run(activities.erase, _part(await _approved(database, tenant, RequestKind.ERASE, 1)))
    async with database.begin(tenant) as session:
        rows = (await (await session.connection()).execute(text("SELECT actor_id, events FROM audit.totals"))).all()
    assert [tuple(row) for row in rows] == [("erased_ann", 7)]


# ---- what the database itself allows


async def test_the_log_stays_append_only_for_everybody_else(database: Database, tenant: str) -> None:
    for statement in ("UPDATE audit.events SET actor_id = 'x'", "DELETE FROM event.events"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.begin(tenant) as session:
                await (await session.connection()).execute(text(statement))


@pytest.mark.parametrize("kind", list(RequestKind))
async def test_only_an_erasure_that_is_approved_and_runs_opens_the_log(
    database: Database, tenant: str, kind: RequestKind
) -> None:
    request = await _approved(database, tenant, kind, events=2)
    change = text("UPDATE audit.events SET metadata = '{}' WHERE actor_id = 'user_ann'")

    async def changed() -> int:
        async with database.begin_erasure(tenant, request.request_id) as session:
            return int((await (await session.connection()).execute(change)).rowcount)

    assert await changed() == (2 if kind is RequestKind.ERASE else 0)
    async with database.begin(tenant) as session:
        row = await store.request_of(session, request.request_id)
        assert row is not None
        await store.finish_erasure(session, row)
    assert await changed() == 0


async def test_even_an_erasure_cannot_delete_from_the_log_or_change_what_was_done(
    database: Database, tenant: str
) -> None:
    request = await _approved(database, tenant, RequestKind.ERASE, events=1)
    for statement in (
        "DELETE FROM audit.events",
        "UPDATE audit.events SET event_type = 'x'",
        "DELETE FROM event.events",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.begin_erasure(tenant, request.request_id) as session:
                await (await session.connection()).execute(text(statement))


async def test_a_decision_that_is_just_being_made_is_waited_for(
    activities: DataRequestActivities, database: Database, tenant: str
) -> None:
    request = await _asked(database, tenant, RequestKind.EXPORT)
    async with database.begin(tenant) as session:
        await _approve(session, request)
        looking = asyncio.create_task(ActivityEnvironment().run(activities.begin, request))
        await asyncio.wait([looking], timeout=0.3)
        assert not looking.done()
    assert (await looking).status is RequestStatus.RUNNING


async def test_a_request_that_never_was_ends_its_workflow(activities: DataRequestActivities, tenant: str) -> None:
    with pytest.raises(ApplicationError) as missing:
        await ActivityEnvironment().run(activities.begin, DataRequestInput(tenant_id=tenant, request_id="dsr_none"))
    assert missing.value.non_retryable


async def test_a_page_that_an_erasure_overtakes_leaves_nothing_in_the_file(database: Database, tenant: str) -> None:
    request = await _approved(database, tenant, RequestKind.EXPORT, events=0)
    async with database.begin(tenant) as session:
        row = await store.request_of(session, request.request_id)
        step = await store.step_of(session, request.request_id, Service.AUDIT)
        assert row is not None
        assert step is not None
        async with database.begin(tenant) as other:
            running, ended = [RequestStatus.RUNNING], RequestStatus.CANCELLED
            assert await store.move(other, request.request_id, out_of=running, to=ended)
        done = store.Advance(kind="audit.events", rows=1, place=None, sealed=[b"sealed"], length=6)
        assert not await store.advance(session, row, step, done)
    async with database.begin(tenant) as session:
        assert await store.chunk(session, request.request_id, Service.AUDIT, 0) is None


async def test_an_overdue_request_is_told_once(
    activities: DataRequestActivities, database: Database, tenant: str
) -> None:
    request = await _approved(database, tenant, RequestKind.EXPORT, events=0)
    for _ in range(2):
        await ActivityEnvironment().run(activities.remind, request)
    assert await _count(database, tenant, "event_type = 'privacy.access.overdue'") == 1
