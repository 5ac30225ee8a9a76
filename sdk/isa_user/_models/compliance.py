"""What the compliance service answers, and the item of a batch."""

from datetime import date, datetime
from typing import Any, Literal, Required, TypedDict

from pydantic import Field

from isa_user._models.base import FieldError, Result, WorkResult

CheckType = Literal["toxicity", "pii", "prompt_injection", "nsfw", "spam"]
CheckStatus = Literal["passed", "flagged", "blocked", "review", "incomplete"]
RiskLevel = Literal["none", "low", "medium", "high", "critical"]
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


class Check(Result):
    """One text's outcome; `results` has an entry for each type that was asked for."""

    check_id: str
    status: str
    risk_level: str
    results: dict[str, DetectorResult] = Field(default_factory=dict)
    policy: str | None = None
    policy_version: int | None = None
    content_type: str | None = None
    checked_by: str | None = None
    batch_id: str | None = None
    correlation_id: str | None = None
    created_at: datetime | None = None


class CheckedItem(Result):
    """What became of one item of a batch, by its place in the request (from 0) and the id it was given."""

    index: int
    id: str | None = None
    status: str
    check_id: str | None = None
    risk_level: str | None = None
    results: dict[str, DetectorResult] | None = None
    error: FieldError | None = None


class CheckBatch(WorkResult):
    """A batch with the first page of its results; `batch_items` goes through all of them."""

    batch_id: str
    status: str
    progress: dict[str, int] = Field(default_factory=dict)
    by_status: dict[str, int] = Field(default_factory=dict)
    policy: str | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None
    items: list[CheckedItem] = Field(default_factory=list)
    next_cursor: str | None = None

    @property
    def finished(self) -> bool:
        """Whether every item has been handled."""
        return self.status in {"completed", "failed", "cancelled"}


class TypeRule(Result):
    """What a policy says about one type of check."""

    action: str
    threshold: float | None = None
    entities: list[str] | None = None


class Policy(Result):
    """What findings lead to, by type of check."""

    name: str
    version: int
    description: str = ""
    built_in: bool = False
    keep_redacted: bool = False
    rules: dict[str, TypeRule] = Field(default_factory=dict)


class ComplianceReport(WorkResult):
    """A report on checks; `result` holds its figures once it is `finished`."""

    report_id: str
    report_type: str
    status: str
    period: str | None = None
    first_day: date | None = Field(None, alias="from")
    last_day: date | None = Field(None, alias="to")
    created_at: datetime | None = None
    completed_at: datetime | None = None
    result: dict[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether the report is made, or has failed."""
        return self.status in {"completed", "failed", "cancelled"}
