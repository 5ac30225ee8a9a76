"""Reports on checks."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from isa_user._models.base import WorkResult

ComplianceReportType = Literal["pii_summary", "moderation_summary", "policy_effectiveness", "review_sla"]
ReportPeriod = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]


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
