"""What the compliance service answers, and the item of a batch."""

from datetime import date, datetime
from typing import Any, Literal, Required, TypedDict

from pydantic import Field

from isa_user._models.base import FieldError, Result, WorkResult

CheckType = Literal["toxicity", "pii", "prompt_injection", "nsfw", "spam"]
CheckStatus = Literal["passed", "flagged", "blocked", "review", "incomplete"]
RiskLevel = Literal["none", "low", "medium", "high", "critical"]
PiiEntity = Literal["email", "phone", "ssn", "credit_card", "address", "ip_address", "iban"]
ComplianceReportType = Literal["pii_summary", "moderation_summary"]
ReportPeriod = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]


class ContentItem(TypedDict, total=False):
    """One text of `check_batch`; its `id` comes back with its result."""

    id: str
    content: Required[str]


class Span(Result):
    """One finding in the text. Offsets count Unicode code points; `end` is exclusive."""

    entity: str
    start: int
    end: int
    score: float


class DetectorResult(Result):
    """What one detector says. With `available` False it gave no judgement, for the `reason` named."""

    available: bool = True
    reason: str | None = None
    flagged: bool | None = None
    score: float | None = None
    threshold: float | None = None
    detected: list[str] | None = None
    redacted: str | None = None
    spans: list[Span] | None = None
    detector: str | None = None
    detector_version: str | None = None
    latency_ms: float | None = None


class Check(Result):
    """One text's outcome; `results` has an entry for each type that was asked for.

    `content_hash` tells equal texts of a tenant, `content_length` counts characters; lists lack spans and redactions.
    """

    check_id: str
    status: str
    risk_level: str
    results: dict[str, DetectorResult]
    policy: str
    policy_version: int
    content_type: str
    content_hash: str
    content_length: int
    checked_by: str
    batch_id: str | None = None
    correlation_id: str | None = None
    created_at: datetime


class CheckedItem(Result):
    """What became of one item of a batch, by its place in the request (from 0) and the id it was given.

    `status` is the check's once there is one, else the item's: pending, failed (then `error` says why) or cancelled.
    """

    index: int
    id: str | None
    status: str
    check_id: str | None = None
    risk_level: str | None = None
    results: dict[str, DetectorResult] | None = None
    error: FieldError | None = None


class BatchProgress(Result):
    """How many items are where; `percent` of them are done."""

    total: int
    pending: int
    checked: int
    failed: int
    cancelled: int
    percent: int


class CheckBatch(WorkResult):
    """A batch and results in the order of the request: all when it was just checked, else the first of them.

    `batch_items` goes through all.
    """

    batch_id: str
    status: str
    progress: BatchProgress
    by_status: dict[str, int]
    check_types: list[str]
    policy: str
    policy_version: int
    checked_by: str
    correlation_id: str | None
    created_at: datetime
    finished_at: datetime | None
    items: list[CheckedItem]
    next_cursor: str | None = None

    @property
    def finished(self) -> bool:
        """Whether every item has been handled."""
        return self.status in {"completed", "cancelled"}


class TypeRule(Result):
    """What a policy says about one type of check."""

    action: str
    threshold: float | None = None
    entities: list[str] | None = None


class Policy(Result):
    """What findings lead to, by type of check."""

    name: str
    version: int
    description: str
    built_in: bool
    keep_redacted: bool
    rules: dict[str, TypeRule]


class ComplianceReport(WorkResult):
    """A report on checks over whole days (UTC, both included). `result` holds its figures once it is completed."""

    report_id: str
    report_type: str
    status: str
    period: str | None
    first_day: date = Field(alias="from")
    last_day: date = Field(alias="to")
    include_details: bool
    requested_by: str
    correlation_id: str | None
    created_at: datetime
    completed_at: datetime | None
    result: dict[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether the report is made."""
        return self.status == "completed"
