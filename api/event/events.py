"""Routes of the event log: publish, query, count."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query, Response
from pydantic import StringConstraints
from pydantic_core import to_json

from api.app import router as make_router
from api.deps import AppState, PageOf, Session, Unit, allow, must_reach
from api.recorder import Recorder
from core.auth import Caller
from core.contracts.event import (
    MAIN_STREAM,
    PAYLOAD_MAX_BYTES,
    BatchPublished,
    Event,
    EventCategory,
    EventStatistics,
    Publish,
    PublishBatch,
)
from core.contracts.platform import Moment, Page, Pattern, RefId, Word
from core.domain.event import category_of, span
from core.errors import FieldError, Invalid, NotFound
from core.ids import new_ids
from core.store import event as store
from core.store.event.statistics import statistics as count
from core.store.platform import decode_cursor, encode_cursor
from core.telemetry import correlation_id

router = make_router("/api/v1/events", "events")
Reader = Annotated[Caller, Depends(allow("event:read"))]
Writer = Annotated[Caller, Depends(allow("event:write"))]
Stream = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9_.:\-]*)$")]
Row = tuple[str | datetime | None, ...]
JSON = "application/json"


@router.post("", status_code=201, response_model=Event, summary="Publish one event")
async def publish(body: Publish, caller: Writer, unit: Unit, state: AppState) -> Response:
    row = _rows([body], caller, place=lambda _: "payload")[0]
    if unit.has_key:
        await store.write(await unit.open(), [row])
    else:
        recorder: Recorder[Row] = state.extras["events"]
        await recorder.append(caller.tenant_id, row)
    answer = dict(zip(store.COLUMNS, row, strict=True)) | {"payload": body.payload, "replayed_from": None}
    del answer["tenant_id"]
    return Response(to_json(answer), 201, {"Location": f"{router.prefix}/{row[0]}"}, JSON)


@router.post(
    "/batch",
    status_code=201,
    response_model=BatchPublished,
    summary="Publish 1 to 1000 events: all of them, or none",
)
async def publish_batch(body: PublishBatch, caller: Writer, session: Session) -> Response:
    rows = _rows(body.events, caller, place=lambda index: f"events[{index}].payload")
    await store.write(session, rows)
    return Response(to_json({"accepted": len(rows), "event_ids": [row[0] for row in rows]}), 201, None, JSON)


def _rows(events: Sequence[Publish], caller: Caller, *, place: Callable[[int], str]) -> list[Row]:
    """Rows in the order of store.COLUMNS. A loop without calls where it can: this is the price of each event."""
    now, tenant, by, request = datetime.now(UTC), caller.tenant_id, caller.user_id, correlation_id.get() or None
    rows: list[Row] = []
    for index, (event_id, event) in enumerate(zip(new_ids("evt", len(events)), events, strict=True)):
        payload = to_json(event.payload)
        if len(payload) > PAYLOAD_MAX_BYTES:
            raise _too_much(place(index))
        category = event.category or category_of(event.event_type)
        rows.append(
            (
                event_id,
                tenant,
                event.stream,
                event.event_type,
                category.value,
                event.source,
                payload.decode(),
                by,
                event.correlation_id or request,
                event.causation_id,
                event.occurred_at or now,
                now,
            )
        )
    return rows


def _too_much(field: str) -> Invalid:
    message = f"holds more than {PAYLOAD_MAX_BYTES} bytes: keep large content elsewhere and publish its id"
    return Invalid(f"{field} {message}.", errors=[FieldError(field, message, "too_long")])


# ---- reading


class Wanted:
    """The filters of a query, as the address names them."""

    def __init__(
        self,
        event_type: Annotated[list[Pattern] | None, Query(max_length=20, description="or a beginning: user.*")] = None,
        category: EventCategory | None = None,
        source: Word | None = None,
        stream: Annotated[Stream, Query(description="* for all streams, the copies of replays included")] = MAIN_STREAM,
        correlation_id: RefId | None = None,
        published_by: RefId | None = None,
        user: Annotated[RefId | None, Query(description="the same as published_by")] = None,
        since: Annotated[
            Moment | None, Query(alias="from", description="from ≤ occurred_at; 2024-01-01 will do")
        ] = None,
        until: Annotated[Moment | None, Query(alias="to", description="occurred_at < to")] = None,
    ) -> None:
        self.publisher = published_by or user
        self.filter = store.EventFilter(
            stream=None if stream == "*" else stream,
            types=[span(pattern) for pattern in event_type or ()],
            category=category.value if category else None,
            source=source,
            correlation_id=correlation_id,
            since=since,
            until=until,
        )

    def of(self, caller: Caller) -> store.EventFilter:
        """The filter for this caller: a user finds what that user published."""
        if self.publisher is not None:
            must_reach(caller, self.publisher)
        return replace(self.filter, published_by=caller.own_only or self.publisher)


@router.get("", response_model=Page[Event], summary="Events, newest first by when they occurred")
async def query(wanted: Annotated[Wanted, Depends()], caller: Reader, session: Session, paging: PageOf) -> Page[Event]:
    after = decode_cursor(paging.cursor, (datetime, str))
    rows = await store.find(session, wanted.of(caller), after=after, limit=paging.limit + 1)
    items = [Event.model_validate(row) for row in rows[: paging.limit]]
    more = len(rows) > paging.limit
    return Page(items=items, next_cursor=encode_cursor(items[-1].occurred_at, items[-1].event_id) if more else None)


@router.get("/statistics", response_model=EventStatistics, summary="Counts, and how far the counting lags")
async def statistics(caller: Reader, session: Session) -> EventStatistics:
    return await count(session, published_by=caller.own_only)


@router.get("/{event_id}", response_model=Event, summary="One event")
async def get_event(event_id: str, caller: Reader, session: Session) -> Event:
    row = await store.get(session, event_id, published_by=caller.own_only)
    if row is None:
        raise NotFound("No such event: the id is the event_id that publishing answered.")
    return Event.model_validate(row)
