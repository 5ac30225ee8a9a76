"""The audit log: appended in bulk, read newest first. Nothing here changes or removes an event."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic_core import to_json
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.audit import AuditEvent, Outcome, Severity
from core.contracts.platform import AuditEntry
from core.ids import new_id
from core.store.platform import copy_rows
from core.tables.audit import AuditEventRow

LOG = f"audit.{AuditEventRow.__tablename__}"
COLUMNS = (
    *("tenant_id", "event_id", "event_type", "category", "severity", "outcome", "actor_id"),
    *("resource_type", "resource_id", "action", "metadata"),
    *("correlation_id", "causation_id", "occurred_at", "recorded_at"),
)


async def append(session: AsyncSession, tenant_id: str, events: Sequence[AuditEvent]) -> None:
    """Add events to the log. No NOTIFY: the roll-up may lag, since a summary counts what it has not reached yet."""
    await copy_rows(session, LOG, COLUMNS, (_values(tenant_id, event) for event in events))


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
