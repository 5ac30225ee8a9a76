"""What the audit service answers, and the item of a batch."""

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from pydantic import Field

from isa_user._models.base import Result, WorkResult

Severity = Literal["info", "low", "medium", "high", "critical"]
Outcome = Literal["success", "failure", "denied"]
AlertStatus = Literal["open", "investigating", "resolved", "false_positive"]
Standard = Literal["GDPR", "SOC2", "HIPAA", "PCI_DSS", "ISO27001"]


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
    category: str
    severity: str
    outcome: str
    actor_id: str
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
    activity_by_type: dict[str, int]


class AlertMove(Result):
    """One step in an alert's life."""

    from_status: str | None = None
    to_status: str
    moved_by: str
    moved_at: datetime
    note: str | None = None


class Alert(Result):
    """A security alert. `status` moves open → investigating → resolved or false_positive; lists leave out `history`."""

    alert_id: str
    alert_type: str
    severity: str
    status: str
    user_id: str | None = None
    description: str
    metadata: dict[str, Any] = Field(default_factory=dict)
    correlation_id: str | None = None
    created_by: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    history: list[AlertMove] = Field(default_factory=list)


class ReportFailure(Result):
    """Why a report could not be made; `code` is stable."""

    code: str
    message: str


class AuditReport(WorkResult):
    """A compliance report on the audit log. `result` holds its figures once it is completed; lists leave it out."""

    report_id: str
    standard: str
    status: str
    period_start: datetime
    period_end: datetime
    include_details: bool
    requested_by: str
    correlation_id: str | None = None
    created_at: datetime
    completed_at: datetime | None = None
    failure: ReportFailure | None = None
    result: dict[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether the report is made, or has failed."""
        return self.status in {"completed", "failed"}
