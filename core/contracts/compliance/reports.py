"""Compliance reports: the request, the answer, the workflow's payloads and names."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from core.contracts.compliance.detection import CheckStatus, CheckType, PiiEntity, RiskLevel
from core.contracts.platform import Answer, Contract, JsonObject, RefId

REPORT_RUN, BUILD_REPORT = "compliance.report", "compliance.build_report"
REPORTS_SCHEDULED, OPEN_REPORTS = "compliance.scheduled_reports", "compliance.open_scheduled_reports"
SCHEDULER = "(schedule)"
"""Stands as `requested_by` of the reports that are made without being asked for."""
REPORT_COMPLETED = "compliance.report_completed"
MAX_REPORT_DAYS = 3660
MAX_REPORT_CHECKS = 1000


REPORT_EXAMPLE: JsonObject = {"report_type": "pii_summary", "period": "monthly", "include_details": True}


def report_run_id(report_id: str) -> str:
    """The id of the workflow that makes this report."""
    return f"compliance.report:{report_id}"


class ReportType(StrEnum):
    """What a report tells about."""

    PII_SUMMARY = "pii_summary"
    MODERATION_SUMMARY = "moderation_summary"
    POLICY_EFFECTIVENESS = "policy_effectiveness"
    REVIEW_SLA = "review_sla"


class ReportPeriod(StrEnum):
    """The calendar period (UTC) that today lies in, up to today."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class ReportStatus(StrEnum):
    """How far a report is."""

    PENDING = "pending"
    COMPLETED = "completed"


class ReportRequest(Contract):
    """A report over a period, or over the days `from` to `to` (UTC, both included)."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"examples": [REPORT_EXAMPLE]})

    report_type: ReportType
    period: ReportPeriod | None = None
    first_day: date | None = Field(None, alias="from")
    last_day: date | None = Field(None, alias="to")
    include_details: bool = Field(
        False, description=f"list the checks with findings, newest first, {MAX_REPORT_CHECKS} at most"
    )
    correlation_id: RefId | None = None

    @model_validator(mode="after")
    def _one_span_of_days(self) -> Self:
        days = (self.first_day, self.last_day)
        if (self.period is None) == (days == (None, None)) or (self.period is None and None in days):
            raise ValueError("give either period, or both from and to")
        if self.first_day and self.last_day and not 0 <= (self.last_day - self.first_day).days < MAX_REPORT_DAYS:
            raise ValueError(f"to must not lie before from, nor more than {MAX_REPORT_DAYS} days after it")
        return self


class Figure(StrEnum):
    """What is counted a day; each has words of its own: a status, a risk level, a type of check, a kind of data.

    The words of a policy's figures are two, with a space between: `strict@1 blocked`, `strict@1 toxicity`.
    """

    STATUS = "status"
    RISK = "risk"
    PII_STATUS = "pii.status"
    PII_RISK = "pii.risk"
    CHECKED = "checked"
    FLAGGED = "flagged"
    UNAVAILABLE = "unavailable"
    ENTITY = "entity"
    POLICY_STATUS = "policy.status"
    POLICY_FLAGGED = "policy.flagged"


class DayCount(Answer):
    """So many checks of one day, by one word of one figure."""

    day: date
    figure: Figure
    word: str
    count: int


class TypeFigures(Answer):
    """One type of check over the report's days."""

    checked: int = 0
    flagged: int = 0
    unavailable: int = Field(0, description="asked for while no detector could judge")


class DayFigures(Answer):
    """One day's checks."""

    day: date
    checks: int = 0
    flagged: int = Field(0, description="checks that are flagged, blocked or in review")


class PolicyFigures(Answer):
    """One version of a policy over the report's days."""

    checks: int = 0
    acted: int = Field(0, description="checks that it had flagged, blocked or sent to review")
    by_status: dict[CheckStatus, int] = Field(default_factory=dict)
    by_type: dict[CheckType, int] = Field(default_factory=dict, description="findings, by type of check")
    reviewed: int | None = Field(None, description="decisions of people on its checks; null in a user's own report")
    upheld: int | None = Field(None, description="of those, texts rejected: the policy was right to ask")


class ReviewDay(Answer):
    """One day's reviews."""

    day: date
    opened: int = 0
    decided: int = 0
    late: int = Field(0, description="decided after their due time")


class ReviewFigures(Answer):
    """The review queue over the report's days. Times are minutes from opening to decision."""

    opened: int
    decided: int
    in_time: int
    late: int
    waiting: int = Field(description="open when the report was made")
    overdue: int = Field(description="of those, past their due time")
    escalated: int
    median_minutes: float | None = None
    slowest_tenth_minutes: float | None = Field(None, description="90th percentile")
    by_decision: dict[str, int]
    by_day: list[ReviewDay]


class ReportedCheck(Answer):
    """One check with findings, by reference: nothing of its text."""

    check_id: str
    status: CheckStatus
    risk_level: RiskLevel
    check_types: list[CheckType]
    entities: list[PiiEntity]
    policy: str
    checked_by: str
    created_at: datetime


class ReportDetails(Answer):
    """The checks behind the figures, newest first."""

    checks: list[ReportedCheck]
    truncated: bool = Field(description=f"whether there are more than the {MAX_REPORT_CHECKS} listed")


class ReportResult(Answer):
    """The figures. Of `pii_summary`, only checks that looked for personal data are counted."""

    total_checks: int
    flagged_checks: int
    by_status: dict[CheckStatus, int]
    by_risk: dict[RiskLevel, int]
    by_type: dict[CheckType, TypeFigures]
    by_entity: dict[PiiEntity, int] = Field(description="checks in which the kind was found")
    by_day: list[DayFigures]
    by_policy: dict[str, PolicyFigures] | None = Field(None, description="policy_effectiveness: by `name@version`")
    reviews: ReviewFigures | None = Field(None, description="review_sla: the queue")
    details: ReportDetails | None = None


class ReportItem(Answer):
    """A report as a list shows it."""

    report_id: str
    report_type: ReportType
    status: ReportStatus
    period: ReportPeriod | None
    first_day: date = Field(serialization_alias="from")
    last_day: date = Field(serialization_alias="to")
    include_details: bool
    requested_by: str
    correlation_id: str | None
    created_at: datetime
    completed_at: datetime | None
    workflow_id: str
    workflow_url: str


class Report(ReportItem):
    """A report; `result` is there once `status` is completed."""

    result: ReportResult | None = None


class NewReport(Answer):
    """What was asked for, written before the workflow starts. `only_of`: the one user whose checks are counted."""

    report_id: str
    tenant_id: str
    report_type: ReportType
    period: ReportPeriod | None = None
    first_day: date
    last_day: date
    include_details: bool = False
    requested_by: str
    only_of: str | None = None
    correlation_id: str | None = None


class ReportInput(Answer):
    """Whose report, and which."""

    tenant_id: str
    report_id: str


class ReportOutcome(Answer):
    """What the workflow answers."""

    report_id: str
    total_checks: int = 0


class ScheduledReports(Answer):
    """Which month's reports are due: the one before `today` (UTC); null: before the day the workflow runs."""

    today: date | None = None


class OpenedReports(Answer):
    """How many reports were opened, over all tenants."""

    opened: int = 0
