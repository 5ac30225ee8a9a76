"""Routes that read the event log: query, count, one event."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import StringConstraints

from api.app import router as make_router
from api.deps import PageOf, Session, allow, must_reach
from api.event.routes import EVENTS, PREFIX
from core.auth import Caller
from core.contracts.event import MAIN_STREAM, Event, EventCategory, EventStatistics
from core.contracts.platform import Moment, Page, Pattern, RefId, Word
from core.domain.event import span
from core.errors import NotFound
from core.store import event as store
from core.store.event.statistics import statistics as count
from core.store.platform import decode_cursor, encode_cursor

router = make_router(PREFIX, "event")
Reader = Annotated[Caller, Depends(allow("event:read"))]
Stream = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9_.:\-]*)$")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of a query, as the address names them."""

    publisher: str | None
    filter: store.EventFilter

    def of(self, caller: Caller) -> store.EventFilter:
        """The filter for this caller: a user finds what that user published."""
        if self.publisher is not None:
            must_reach(caller, self.publisher)
        return replace(self.filter, published_by=caller.own_only or self.publisher)


async def wanted_events(
    event_type: Annotated[list[Pattern] | None, Query(max_length=20, description="or a beginning: user.*")] = None,
    category: EventCategory | None = None,
    source: Word | None = None,
    stream: Annotated[Stream, Query(description="* for all streams, the copies of replays included")] = MAIN_STREAM,
    correlation_id: RefId | None = None,
    published_by: RefId | None = None,
    user: Annotated[RefId | None, Query(description="the same as published_by")] = None,
    since: Annotated[Moment | None, Query(alias="from", description="from ≤ occurred_at; 2024-01-01 will do")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="occurred_at < to")] = None,
) -> Wanted:
    found = store.EventFilter(
        stream=None if stream == "*" else stream,
        types=[span(pattern) for pattern in event_type or ()],
        category=category.value if category else None,
        source=source,
        correlation_id=correlation_id,
        since=since,
        until=until,
    )
    return Wanted(published_by or user, found)


@router.get(EVENTS, response_model=Page[Event], summary="Events, newest first by when they occurred")
async def query(
    wanted: Annotated[Wanted, Depends(wanted_events)], caller: Reader, session: Session, paging: PageOf
) -> Page[Event]:
    after = decode_cursor(paging.cursor, (datetime, str))
    rows = await store.find(session, wanted.of(caller), after=after, limit=paging.limit + 1)
    items = [Event.model_validate(row) for row in rows[: paging.limit]]
    more = len(rows) > paging.limit
    return Page(items=items, next_cursor=encode_cursor(items[-1].occurred_at, items[-1].event_id) if more else None)


@router.get(f"{EVENTS}/statistics", response_model=EventStatistics, summary="Counts, and how far the counting lags")
async def statistics(caller: Reader, session: Session) -> EventStatistics:
    return await count(session, published_by=caller.own_only)


@router.get(EVENTS + "/{event_id}", response_model=Event, summary="One event")
async def get_event(event_id: str, caller: Reader, session: Session) -> Event:
    row = await store.get(session, event_id, published_by=caller.own_only)
    if row is None:
        raise NotFound("No such event: the id is the event_id that publishing answered.")
    return Event.model_validate(row)
