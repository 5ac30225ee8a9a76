"""Who hears of a review's moves: the event store, the audit log, its own workflow, and by message a person."""

from datetime import UTC

from core.contracts import notification
from core.contracts.compliance.reviews import (
    REVIEW_CHANGED,
    REVIEW_EVENTS,
    ReviewState,
    ReviewStatus,
    ReviewStepKind,
    Vote,
    review_run_id,
)
from core.contracts.platform import AuditEntry, DomainEvent, Intent, IntentKind, Service
from core.ids import new_id
from core.tables.compliance import ReviewRow

CHANNELS = [notification.Channel.IN_APP, notification.Channel.EMAIL]
# Nothing of the text: who may see it opens the review.
BODY = """Review: {{review}}
Found: {{found}} (risk {{risk}})
Policy: {{policy}}
Due: {{due}} UTC
Held by: {{held_by}}"""


def state_of(row: ReviewRow) -> ReviewState:
    """What the workflow should know of its row."""
    return ReviewState(
        revision=row.revision,
        status=ReviewStatus(row.status),
        claimed_by=row.claimed_by,
        claim_expires_at=row.claim_expires_at,
        escalated=row.escalated_at is not None,
        second_reviewer=row.second_reviewer,
        voted=[vote.by for vote in votes_of(row)],
        nudged=row.nudged,
    )


def votes_of(row: ReviewRow) -> list[Vote]:
    """Who decided what so far."""
    return [Vote.model_validate(vote) for vote in row.votes]


def news(row: ReviewRow) -> Intent:
    """The promise to tell the workflow what its row is now. If it has ended, or never began, it need not know."""
    return Intent(
        intent_id=new_id("intent"),
        kind=IntentKind.SIGNAL,
        tenant_id=row.tenant_id,
        workflow_id=review_run_id(row.review_id),
        signal=REVIEW_CHANGED,
        payload=state_of(row).model_dump(mode="json"),
        service=Service.COMPLIANCE,
        correlation_id=row.correlation_id or "",
    )


def fact(row: ReviewRow, kind: ReviewStepKind, *, by: str | None) -> DomainEvent:
    """What the event store is told."""
    return DomainEvent(
        event_type=REVIEW_EVENTS[kind],
        source=Service.COMPLIANCE,
        payload={
            "review_id": row.review_id,
            "check_id": row.check_id,
            "status": row.status,
            "by": by,
            "policy": row.policy,
            "due_at": row.due_at.isoformat(),
        },
        correlation_id=row.correlation_id,
    )


def entry(row: ReviewRow, kind: ReviewStepKind, *, by: str, admin: bool) -> AuditEntry:
    """What the audit log keeps of somebody's decision."""
    return AuditEntry(
        event_type=REVIEW_EVENTS[kind],
        actor_id=by,
        action=REVIEW_EVENTS[kind].rpartition("_")[2],
        resource_type="compliance_review",
        resource_id=row.review_id,
        metadata={"check_id": row.check_id, "status": row.status, "as_admin": admin},
        correlation_id=row.correlation_id,
    )


def message(row: ReviewRow, person: str, subject: str) -> notification.Send:
    """By mail and in the person's centre."""
    return notification.Send(
        user_id=person,
        subject=subject,
        body=BODY,
        channels=CHANNELS,
        priority=notification.Priority.HIGH,
        variables={
            "review": row.review_id,
            "found": ", ".join(row.check_types) or "nothing",
            "risk": row.risk_level,
            "policy": f"{row.policy}, version {row.policy_version}",
            "due": f"{row.due_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            "held_by": row.claimed_by or "nobody",
        },
    )


def sending(row: ReviewRow, notification_id: str, person: str) -> Intent:
    """The promise to send it."""
    return Intent(
        intent_id=new_id("intent"),
        tenant_id=row.tenant_id,
        workflow_id=notification.notification_send_id(notification_id),
        workflow_type=notification.NOTIFICATION_SEND,
        queue=notification.QUEUE,
        payload=notification.SendWork(tenant_id=row.tenant_id, notification_id=notification_id).model_dump(
            mode="json", exclude_defaults=True
        ),
        service=Service.NOTIFICATION,
        user_id=person,
        correlation_id=row.correlation_id or "",
        summary=f"Notification {notification_id}",
    )
