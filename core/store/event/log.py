"""Writing and reading the append-only event log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.event import CHANNEL, MAIN_STREAM, EventCategory
from core.contracts.platform import DomainEvent
from core.ids import new_ids
from core.store import platform
from core.store.platform import direct
from core.tables.event import EventRow

TABLE = f"event.{EventRow.__tablename__}"
COLUMNS = (
    "event_id",
    "tenant_id",
    "stream",
    "event_type",
    "category",
    "source",
    "payload",
    "published_by",
    "correlation_id",
    "causation_id",
    "occurred_at",
    "published_at",
)
_KNOWN = frozenset(category.value for category in EventCategory)


async def write(session: AsyncSession, rows: Iterable[Sequence[object]]) -> None:
    """Insert rows in the order of COLUMNS, the payload as JSON text, and wake the pumps."""
    async with direct.in_one_go(session):
        await direct.insert_rows(session, TABLE, COLUMNS, rows)
        await direct.notify(session, CHANNEL)


async def append(session: AsyncSession, tenant_id: str, events: Sequence[DomainEvent]) -> list[str]:
    """Tell the world these facts when this transaction commits; their event ids.

    They appear in stream `main` as published by `service:<source>`. A category that is not one of ours counts as
    `system`: the facts our own services tell are the system's.
    """
    if not events:
        return []
    now = datetime.now(UTC)
    ids = new_ids("evt", len(events))
    rows = [_row(event_id, tenant_id, event, now) for event_id, event in zip(ids, events, strict=True)]
    await write(session, rows)
    return ids


def _row(event_id: str, tenant_id: str, event: DomainEvent, now: datetime) -> tuple[object, ...]:
    return (
        event_id,
        tenant_id,
        MAIN_STREAM,
        event.event_type,
        event.category if event.category in _KNOWN else EventCategory.SYSTEM.value,
        event.source,
        to_json(event.payload).decode(),
        f"service:{event.source}",
        event.correlation_id,
        event.causation_id,
        now,
        now,
    )


# ---- reading


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events. `types` are spans of `core.domain.event.span`; times are from ≤ occurred_at < to."""

    stream: str | None = None
    types: Sequence[tuple[str, str | None]] = ()
    category: str | None = None
    source: str | None = None
    correlation_id: str | None = None
    published_by: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    more: Sequence[ColumnElement[bool]] = field(default=())

    def clauses(self) -> list[ColumnElement[bool]]:
        """As conditions on the log."""
        equal = {
            EventRow.stream: self.stream,
            EventRow.category: self.category,
            EventRow.source: self.source,
            EventRow.correlation_id: self.correlation_id,
            EventRow.published_by: self.published_by,
        }
        found = [col(column) == value for column, value in equal.items() if value is not None]
        if self.types:
            found.append(or_(*(_within(low, high) for low, high in self.types)))
        if self.since is not None:
            found.append(col(EventRow.occurred_at) >= self.since)
        if self.until is not None:
            found.append(col(EventRow.occurred_at) < self.until)
        return [*found, *self.more]


def _within(low: str, high: str | None) -> ColumnElement[bool]:
    column = col(EventRow.event_type)
    return column == low if high is None else and_(column >= low, column < high)


async def find(
    session: AsyncSession, wanted: EventFilter, *, after: Sequence[Any] | None, limit: int
) -> Sequence[EventRow]:
    """Events newest first by when they occurred; `after` is the last one of the page before."""
    order = [col(EventRow.occurred_at), col(EventRow.event_id)]
    query = select(EventRow).where(*wanted.clauses()).order_by(*(column.desc() for column in order)).limit(limit)
    if after is not None:
        query = query.where(platform.before(order, after))
    return (await session.exec(query)).all()


async def get(session: AsyncSession, event_id: str, *, published_by: str | None) -> EventRow | None:
    """One event, limited to what `published_by` published where that is given."""
    query = select(EventRow).where(col(EventRow.event_id) == event_id)
    if published_by is not None:
        query = query.where(col(EventRow.published_by) == published_by)
    return (await session.exec(query)).first()
