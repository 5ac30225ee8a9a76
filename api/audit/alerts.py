"""Security alerts: raise, list, read, move. For those who manage the tenant's audit log."""

from typing import Annotated

from fastapi import Depends, Query
from sqlmodel.ext.asyncio.session import AsyncSession

from api.audit.access import Id, Manager, now, router
from api.deps import PageOf, Session
from core.auth import Caller
from core.contracts.audit import (
    Alert,
    AlertFilter,
    AlertHistory,
    AlertMove,
    AlertStatus,
    CreateAlert,
    MoveAlert,
    Severity,
)
from core.contracts.platform import AuditEntry, DomainEvent, Page
from core.domain import audit as rules
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.store import audit as store
from core.store import event as event_store
from core.telemetry import correlation_id

CREATED, UPDATED = "security.alert.created", "security.alert.updated"
Short = Annotated[str | None, Query(min_length=1, max_length=200)]


async def _wanted(
    status: AlertStatus | None = None,
    severity: Severity | None = None,
    user_id: Short = None,
    alert_type: Short = None,
) -> AlertFilter:
    return AlertFilter(status=status, severity=severity, user_id=user_id, alert_type=alert_type)


@router.post("/security/alerts", status_code=201, response_model=AlertHistory, summary="Raise a security alert")
async def create_alert(wanted: CreateAlert, caller: Manager, session: Session) -> AlertHistory:
    at = now()
    alert = Alert(
        **{**wanted.model_dump(), "correlation_id": wanted.correlation_id or correlation_id.get()},
        alert_id=new_id("alert"),
        status=AlertStatus.OPEN,
        created_by=caller.user_id,
        created_at=at,
        updated_at=at,
    )
    raised = await store.add_alert(session, caller.tenant_id, alert)
    await _tell(session, caller, CREATED, raised, action="create")
    return raised


@router.get("/security/alerts", response_model=Page[Alert], summary="Security alerts, newest first")
async def list_alerts(
    wanted: Annotated[AlertFilter, Depends(_wanted)], page: PageOf, _: Manager, session: Session
) -> Page[Alert]:
    return await store.list_alerts(session, wanted, limit=page.limit, cursor=page.cursor)


@router.get("/security/alerts/{alert_id}", response_model=AlertHistory, summary="An alert and every move it made")
async def get_alert(alert_id: Id, _: Manager, session: Session) -> AlertHistory:
    return _found(await store.find_alert(session, alert_id), alert_id)


@router.patch("/security/alerts/{alert_id}", response_model=AlertHistory, summary="Move an alert to its next status")
async def move_alert(alert_id: Id, wanted: MoveAlert, caller: Manager, session: Session) -> AlertHistory:
    alert = _found(await store.lock_alert(session, alert_id), alert_id)
    if not rules.may_move(alert.status, wanted.status):
        raise Conflict(rules.why_not(alert.status), code="alert_transition_refused")
    move = AlertMove(
        from_status=alert.status, to_status=wanted.status, moved_by=caller.user_id, moved_at=now(), note=wanted.note
    )
    closes = rules.is_closed(wanted.status)
    moved = await store.move_alert(session, caller.tenant_id, alert, move, closes=closes)
    await _tell(session, caller, UPDATED, moved, action=wanted.status.value)
    return moved


def _found(alert: AlertHistory | None, alert_id: str) -> AlertHistory:
    if alert is None:
        raise NotFound(f"There is no alert {alert_id}.", code="alert_not_found")
    return alert


async def _tell(session: AsyncSession, caller: Caller, what: str, alert: AlertHistory, *, action: str) -> None:
    """The fact to the event store, the action to the log itself."""
    subject = {"alert_id": alert.alert_id, "alert_type": alert.alert_type, "severity": alert.severity.value}
    last = alert.history[-1]
    moved = {"status": alert.status.value, "from_status": last.from_status.value if last.from_status else None}
    told = {**subject, **moved, "user_id": alert.user_id}
    correlation = correlation_id.get() or None
    fact = DomainEvent(event_type=what, source="audit", payload=told, correlation_id=correlation)
    await event_store.append(session, caller.tenant_id, [fact])
    entry = AuditEntry(
        event_type=what,
        actor_id=caller.user_id,
        action=action,
        resource_type="security_alert",
        resource_id=alert.alert_id,
        category="security",
        metadata={**subject, **moved},
        correlation_id=correlation,
    )
    await store.append_entries(session, caller.tenant_id, [entry])
