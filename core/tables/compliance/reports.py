"""Reports on checks."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from core.tables.platform import json_column, moment


class ReportRow(SQLModel, table=True):
    """`only_of` limits the figures to one user's checks."""

    __tablename__ = "reports"
    __table_args__ = (Index("reports_by_time", "tenant_id", "created_at", "report_id"), {"schema": "compliance"})

    report_id: str = Field(primary_key=True)
    tenant_id: str
    report_type: str
    status: str
    period: str | None = None
    first_day: date
    last_day: date
    include_details: bool
    requested_by: str
    only_of: str | None = None
    correlation_id: str | None = None
    result: dict[str, Any] | None = json_column(nullable=True)
    html: str | None = None
    created_at: datetime = moment(now=True)
    completed_at: datetime | None = moment(nullable=True)
