"""The audit log: appended in bulk, read newest first. Nothing here changes or removes an event."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, or_, true
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.audit import AuditEvent, EventFilter, EventQuery, Outcome, Severity
from core.contracts.platform import AuditEntry, Page
from core.ids import new_id
from core.store.platform import before, decode_cursor, encode_cursor
from core.store.platform.direct import insert_rows
from core.tables.audit import AuditEventRow

LOG = f"audit.{AuditEventRow.__tablename__}"
COLUMNS = (
    *("tenant_id", "event_id", "event_type", "category", "severity", "outcome", "actor_id"),
    *("resource_type", "resource_id", "action", "metadata"),
    *("correlation_id", "causation_id", "occurred_at", "recorded_at"),
)
NEWEST_FIRST = (col(AuditEventRow.occurred_at), col(AuditEventRow.event_id))
AFTER_DOT = chr(ord(".") + 1)


# ---- append


async def append(session: AsyncSession, tenant_id: str, events: Sequence[AuditEvent]) -> None:
    """Add events to the log. No NOTIFY: the roll-up may lag, since a summary counts what it has not reached yet."""
    await insert_rows(session, LOG, COLUMNS, (_values(tenant_id, event) for event in events))


def _values(tenant_id: str, event: AuditEvent) -> tuple[object, ...]:
    return (
        *(tenant_id, event.event_id, event.event_type, event.category, event.severity.value, event.outcome.value),
        *(event.actor_id, event.resource_type, event.resource_id, event.action),
        to_json(event.metadata).decode() if event.metadata else "{}",
        *(event.correlation_id, event.causation_id, event.occurred_at, event.recorded_at),
    )


async def append_entries(session: AsyncSession, tenant_id: str, entries: Sequence[AuditEntry]) -> None:
    """Log privileged actions in the transaction that did them."""
    now = datetime.now(UTC)
    await append(session, tenant_id, [_event(entry, now) for entry in entries])


def _event(entry: AuditEntry, now: datetime) -> AuditEvent:
    return AuditEvent(
        event_id=new_id("aud"),
        severity=Severity(entry.severity),
        outcome=Outcome.SUCCESS,
        occurred_at=now,
        recorded_at=now,
        **entry.model_dump(exclude={"severity"}),
    )


# ---- read


async def find_event(session: AsyncSession, event_id: str) -> AuditEvent | None:
    """One event."""
    row = await session.get(AuditEventRow, event_id)
    return _answer(row) if row else None


async def query_events(session: AsyncSession, query: EventQuery, *, only_actor: str | None) -> Page[AuditEvent]:
    """One page, newest first. `only_actor` holds whatever the query itself asks for."""
    statement = select(AuditEventRow).where(*conditions(query))
    if only_actor is not None:
        statement = statement.where(col(AuditEventRow.actor_id) == only_actor)
    if after := decode_cursor(query.cursor, (datetime, str)):
        statement = statement.where(before(NEWEST_FIRST, after))
    statement = statement.order_by(*(column.desc() for column in NEWEST_FIRST)).limit(query.limit + 1)
    rows = (await session.exec(statement)).all()
    page = rows[: query.limit]
    more = len(rows) > query.limit
    cursor = encode_cursor(page[-1].occurred_at, page[-1].event_id) if more else None
    return Page[AuditEvent](items=[_answer(row) for row in page], next_cursor=cursor)


def conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    """What a row must fulfil."""
    equal = ("category", "outcome", "actor_id", "resource_type", "resource_id", "action", "correlation_id")
    given = [(name, getattr(wanted, name)) for name in equal]
    found: list[ColumnElement[bool]] = [
        getattr(AuditEventRow, name) == value for name, value in given if value is not None
    ]
    if wanted.event_type:
        found.append(or_(*(_of_type(pattern) for pattern in wanted.event_type)))
    if wanted.severity:
        found.append(col(AuditEventRow.severity).in_([severity.value for severity in wanted.severity]))
    if wanted.from_date:
        found.append(col(AuditEventRow.occurred_at) >= wanted.from_date)
    if wanted.to_date:
        found.append(col(AuditEventRow.occurred_at) <= wanted.to_date)
    return found


def _of_type(pattern: str) -> ColumnElement[bool]:
    """`user.*` as a range of the index: from `user.` up to, without it, `user/`."""
    column = col(AuditEventRow.event_type)
    if pattern == "*":
        return true()
    if not pattern.endswith(".*"):
        return column == pattern
    stem = pattern.removesuffix(".*")
    return (column >= stem + ".") & (column < stem + AFTER_DOT)


def _answer(row: AuditEventRow) -> AuditEvent:
    values: dict[str, Any] = {name: getattr(row, name) for name in _SAME}
    return AuditEvent(metadata=row.details, **values)


_SAME = tuple(name for name in AuditEvent.model_fields if name != "metadata")
