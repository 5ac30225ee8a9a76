"""Writing and reading the append-only event log."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from pydantic_core import to_json
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.event import CHANNEL, MAIN_STREAM, EventCategory
from core.contracts.platform import DomainEvent
from core.ids import new_id
from core.store import platform
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
    """COPY rows in the order of COLUMNS, the payload as JSON text, and wake the pumps."""
    await platform.copy_rows(session, TABLE, COLUMNS, rows)
    await platform.notify(session, CHANNEL)


async def append(session: AsyncSession, tenant_id: str, events: Sequence[DomainEvent]) -> list[str]:
    """Tell the world these facts when this transaction commits; their event ids.

    They appear in stream `main` as published by `service:<source>`. A category that is not one of ours counts as
    `system`: the facts our own services tell are the system's.
    """
    if not events:
        return []
    now = datetime.now(UTC)
    rows = [_row(tenant_id, event, now) for event in events]
    await write(session, rows)
    return [str(row[0]) for row in rows]


def _row(tenant_id: str, event: DomainEvent, now: datetime) -> tuple[object, ...]:
    return (
        new_id("evt"),
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
