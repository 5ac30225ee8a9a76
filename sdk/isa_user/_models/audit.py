"""What the audit service answers, and the item of a batch."""

from datetime import date, datetime
from typing import Any, Literal, Required, TypedDict

from pydantic import Field

from isa_user._models.base import Result, WorkResult

Severity = Literal["info", "low", "medium", "high", "critical"]
Outcome = Literal["success", "failure", "denied"]
AlertStatus = Literal["open", "investigating", "resolved", "false_positive"]


class NewAuditEvent(TypedDict, total=False):
    """One event of `log_events`; the keys are the keywords of `log_event`."""

    event_type: Required[str]
    category: str
    severity: Severity
    outcome: Outcome
    actor_id: str
    resource_type: str
    resource_id: str
    action: str
    metadata: dict[str, Any]
    correlation_id: str
    causation_id: str
    occurred_at: datetime | str


class AuditEvent(Result):
    """An entry of the log, which never changes."""

    event_id: str
    event_type: str
    category: str | None = None
    severity: str
    outcome: str | None = None
    actor_id: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    action: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    correlation_id: str | None = None
    causation_id: str | None = None
    occurred_at: datetime
    recorded_at: datetime


class UserSummary(Result):
    """What one actor did: how often in all, when last, and how often by event type."""

    user_id: str
    total_events: int
    last_activity: datetime | None = None
    activity_by_type: dict[str, int] = Field(default_factory=dict)


class Alert(Result):
    """A security alert. `status` moves open → investigating → resolved or false_positive."""

    alert_id: str
    alert_type: str
    severity: str
    status: str
    user_id: str | None = None
    description: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    correlation_id: str | None = None
    created_at: datetime
    updated_at: datetime


class AuditReport(WorkResult):
    """A compliance report on the audit log; its contents are there once it is `finished`."""

    report_id: str
    status: str
    standard: str | None = None
    period_start: datetime | date | None = None
    period_end: datetime | date | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether the report is made, or has failed."""
        return self.status in {"completed", "failed", "cancelled"}
