"""Reports on checks."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.contracts.compliance import SCHEDULER
from core.tables.platform import json_column, moment


class ReportRow(SQLModel, table=True):
    """`only_of` limits the figures to one user's checks."""

    __tablename__ = "reports"
    __table_args__ = (
        Index("reports_by_time", "tenant_id", "created_at", "report_id"),
        Index(
            "reports_scheduled_once",
            "tenant_id",
            "report_type",
            "first_day",
            "last_day",
            unique=True,
            postgresql_where=text(f"requested_by = '{SCHEDULER}'"),
        ),
        {"schema": "compliance"},
    )

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
    pdf: bytes | None = None
    created_at: datetime = moment(now=True)
    completed_at: datetime | None = moment(nullable=True)
