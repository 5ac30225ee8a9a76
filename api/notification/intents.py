"""What cancelling asks of Temporal and tells the audit log."""

from core.auth import Caller
from core.contracts.platform import AuditEntry, Intent, IntentKind, Service
from core.ids import new_id
from core.telemetry import correlation_id


def cancel_intent(caller: Caller, workflow_id: str) -> Intent:
    """Tell this workflow to stop."""
    return Intent(
        intent_id=new_id("intent"),
        kind=IntentKind.CANCEL,
        tenant_id=caller.tenant_id,
        workflow_id=workflow_id,
        service=Service.NOTIFICATION,
        user_id=caller.user_id,
        correlation_id=correlation_id.get(),
    )


def stopped_by(caller: Caller, kind: str, resource_id: str) -> AuditEntry:
    """Somebody stopped something."""
    return AuditEntry(
        event_type=f"notification.{kind}_cancel",
        actor_id=caller.user_id,
        action="cancel",
        resource_type=kind,
        resource_id=resource_id,
        correlation_id=correlation_id.get() or None,
    )
