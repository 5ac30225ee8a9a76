"""Replays: copied once, in order, watched, cancelled; and what an operator's cancel leaves behind."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.client import Client, WorkflowHandle

from activities.event import Replays
from core.contracts.event.replay import (
    REPLAY_CANCEL,
    REPLAY_COPY,
    ReplayRef,
    ReplayRequest,
    ReplayStatus,
    event_replay_id,
)
from core.db import Database
from core.ids import new_id
from core.store import event as log
from core.store.event import replay as store
from tests.conftest import StartWorkers, eventually

EVENTS, REPLAYS = "/api/v1/events", "/api/v1/events/replays"
WEEK = {"from_timestamp": "2024-01-01T00:00:00Z", "to_timestamp": "2024-01-08T00:00:00Z", "target_stream": "again"}
Json = dict[str, Any]


@pytest.fixture(autouse=True)
async def running(workers: StartWorkers) -> None:
    await workers("platform", "event")


async def _published(event: httpx.AsyncClient, count: int) -> list[str]:
    """Events of the week, two types in turn, an hour apart."""
    types, start = ("user.signup", "user.login"), datetime(2024, 1, 1, tzinfo=UTC)
    events = [
        {"event_type": types[n % 2], "payload": {"n": n}, "occurred_at": (start + timedelta(hours=n)).isoformat()}
        for n in range(count)
    ]
    answer = await event.post(f"{EVENTS}/batch", json={"events": events})
    assert answer.status_code == 201, answer.text
    ids: list[str] = answer.json()["event_ids"]
    return ids


async def _replay(event: httpx.AsyncClient, **fields: Any) -> Json:
    answer = await event.post(f"{EVENTS}/replay", json=WEEK | fields)
    assert answer.status_code == 202, answer.text
    started: Json = answer.json()
    assert answer.headers["location"] == f"{REPLAYS}/{started['replay_id']}"

    async def ended() -> Json | None:
        found: Json = (await event.get(answer.headers["location"])).json()
        return found if found["status"] not in ("pending", "running") else None

    done = await eventually(ended)
    assert done is not None
    return done


async def _copies(event: httpx.AsyncClient, stream: str = "again") -> list[Json]:
    items: list[Json] = (await event.get(EVENTS, params={"stream": stream, "limit": 200})).json()["items"]
    return items


async def test_a_replay_copies_what_was_meant(event: httpx.AsyncClient) -> None:
    ids = await _published(event, 40)
    await event.post(EVENTS, json={"event_type": "user.signup", "occurred_at": WEEK["to_timestamp"]})
    done = await _replay(event, event_types=["user.signup"])
    told = {name: done[name] for name in ("status", "total", "copied", "skipped", "percent")}
    assert told == {"status": "completed", "total": 20, "copied": 20, "skipped": 0, "percent": 100}
    copies = await _copies(event)
    assert {copy["replayed_from"] for copy in copies} == set(ids[::2])
    original = (await event.get(f"{EVENTS}/{copies[0]['replayed_from']}")).json()
    own = ("event_id", "stream", "published_at", "replayed_from")
    assert {k: v for k, v in copies[0].items() if k not in own} == {k: v for k, v in original.items() if k not in own}


async def test_run_twice_it_copies_once(event: httpx.AsyncClient) -> None:
    await _published(event, 30)
    await _replay(event)
    again = await _replay(event)
    assert (again["copied"], again["skipped"], again["percent"]) == (0, 30, 100)
    assert len(await _copies(event)) == 30


async def test_copies_do_not_count_as_published(event: httpx.AsyncClient) -> None:
    await _published(event, 10)
    await _replay(event)

    async def counted() -> bool:
        return bool((await event.get(f"{EVENTS}/statistics")).json()["by_category"] == {"user": 10, "system": 1})

    await eventually(counted)  # the one of the system tells that the replay is completed


async def test_a_copy_is_no_match_for_the_stream_it_came_from(event: httpx.AsyncClient) -> None:
    await _published(event, 4)
    await _replay(event)
    assert len(await _copies(event, "main")) == 5


async def test_an_empty_replay_is_complete(event: httpx.AsyncClient) -> None:
    done = await _replay(event)
    assert (done["status"], done["total"], done["percent"]) == ("completed", 0, 100)


async def test_replays_are_listed_and_filtered(event: httpx.AsyncClient) -> None:
    made = [(await _replay(event))["replay_id"] for _ in range(3)]
    page = (await event.get(REPLAYS, params={"limit": 2})).json()
    assert [item["replay_id"] for item in page["items"]] == made[:0:-1]
    rest = (await event.get(REPLAYS, params={"cursor": page["next_cursor"], "status": "completed"})).json()
    assert [item["replay_id"] for item in rest["items"]] == made[:1]


async def test_an_ended_replay_cannot_be_cancelled(event: httpx.AsyncClient) -> None:
    done = await _replay(event)
    answer = await event.post(f"{REPLAYS}/{done['replay_id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "replay_ended")


async def _half_done(event: httpx.AsyncClient, database: Database, tenant: str) -> ReplayRef:
    """A replay whose worker died after its first chunk of ten."""
    await _published(event, 30)
    ref = ReplayRef(tenant_id=tenant, replay_id=new_id("replay"))
    async with database.begin(tenant) as session:
        asked = store.Asked(tenant, "user_123")
        row = await store.create(session, ReplayRequest.model_validate(WEEK), asked, replay_id=ref.replay_id)
        wanted = log.EventFilter(stream="main", since=row.from_timestamp, until=row.to_timestamp)
        await store.begin(session, row, wanted)
        await store.copy_chunk(session, row, wanted, size=10)
    return ref


async def test_a_replay_goes_on_from_its_checkpoint(
    event: httpx.AsyncClient, database: Database, temporal: Client, tenant: str
) -> None:
    ref = await _half_done(event, database, tenant)
    workflow_id = event_replay_id(ref.replay_id)
    await temporal.execute_workflow("event.replay", ref, id=workflow_id, task_queue="event")
    done = (await event.get(f"{REPLAYS}/{ref.replay_id}")).json()
    assert (done["status"], done["copied"], done["skipped"]) == ("completed", 30, 0)
    copies = await _copies(event)
    assert len({copy["replayed_from"] for copy in copies}) == len(copies) == 30


async def test_a_replay_may_search_a_long_log_for_minutes(
    event: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    ref, limits = await _half_done(event, database, tenant), set()

    class Watched:
        @asynccontextmanager
        async def begin(self, tenant: str) -> AsyncIterator[AsyncSession]:
            async with database.begin(tenant) as session:
                yield session
                limits.add((await (await session.connection()).execute(text("SHOW statement_timeout"))).scalar())

        def begin_all(self) -> AbstractAsyncContextManager[AsyncSession]:
            raise AssertionError("a replay is one tenant's")

    await Replays(Watched()).copy(ref, lambda done, total: None)
    assert limits == {"10min"}


async def test_a_cancelled_replay_keeps_what_it_had(
    event: httpx.AsyncClient, database: Database, temporal: Client, tenant: str
) -> None:
    ref = await _half_done(event, database, tenant)
    cancelled = await event.post(f"{REPLAYS}/{ref.replay_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    workflow_id = event_replay_id(ref.replay_id)
    result = await temporal.execute_workflow("event.replay", ref, id=workflow_id, task_queue="event")
    assert (result["status"], result["copied"]) == ("cancelled", 10)
    assert len(await _copies(event)) == 10


async def _pending(handle: WorkflowHandle[Any, Any], activity_type: str) -> bool:
    pending = (await handle.describe()).raw_description.pending_activities
    return any(activity.activity_type.name == activity_type for activity in pending)


async def test_an_operators_cancel_ends_the_replay(
    event: httpx.AsyncClient, database: Database, temporal: Client, tenant: str
) -> None:
    ref = await _half_done(event, database, tenant)
    async with database.begin(tenant) as session:
        await store.get(session, ref.replay_id, lock=True)  # the copying waits for this lock
        handle = await temporal.start_workflow(
            "event.replay", ref, id=event_replay_id(ref.replay_id), task_queue="event"
        )
        await eventually(lambda: _pending(handle, REPLAY_COPY))
        await handle.cancel()
        await eventually(lambda: _pending(handle, REPLAY_CANCEL))

    async def status() -> bool:
        return bool((await event.get(f"{REPLAYS}/{ref.replay_id}")).json()["status"] in ("cancelled", "completed"))

    await eventually(status)
    async with database.begin(tenant) as session:
        row = await store.get(session, ref.replay_id)
    assert row is not None
    assert row.status == ReplayStatus.CANCELLED
