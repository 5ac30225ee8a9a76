"""Schema `compliance`: checks, batches with their items, reports, and counters a day."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from core.tables.platform import json_column, moment


def _words() -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


class CheckRow(SQLModel, table=True):
    """`results` leaves out the spans and the redacted text, which have columns of their own: lists do not read them."""

    __tablename__ = "checks"
    __table_args__ = (
        Index("checks_by_time", "tenant_id", "created_at", "check_id"),
        Index("checks_by_caller", "tenant_id", "checked_by", "created_at", "check_id"),
        Index("checks_by_status", "tenant_id", "status", "created_at", "check_id"),
        Index("checks_by_batch", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
        {"schema": "compliance"},
    )

    check_id: str = Field(primary_key=True)
    tenant_id: str
    batch_id: str | None = None
    status: str
    risk_level: str
    check_types: list[str] = _words()
    entities: list[str] = _words()
    results: dict[str, Any] = json_column()
    spans: dict[str, Any] = json_column()
    redacted: str | None = None
    policy: str
    policy_version: int
    content_type: str
    content_hash: str
    content_length: int
    checked_by: str
    correlation_id: str | None = None
    created_at: datetime = moment()


class DayRow(SQLModel, table=True):
    """Checks of one day (UTC) by one figure. who '' is the whole tenant; the sum over shards counts."""

    __tablename__ = "days"
    __table_args__ = ({"schema": "compliance"},)

    tenant_id: str = Field(primary_key=True)
    who: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    figure: str = Field(primary_key=True)
    word: str = Field(primary_key=True)
    shard: int = Field(sa_column=Column(SmallInteger, primary_key=True, nullable=False))
    count: int = Field(sa_column=Column(BigInteger, nullable=False))


class BatchRow(SQLModel, table=True):
    """`by_status` counts the checks made so far by outcome."""

    __tablename__ = "batches"
    __table_args__ = (Index("batches_by_time", "tenant_id", "created_at", "batch_id"), {"schema": "compliance"})

    batch_id: str = Field(primary_key=True)
    tenant_id: str
    status: str
    check_types: list[str] = _words()
    policy: str
    policy_version: int
    total: int
    failed: int
    cancelled: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    by_status: dict[str, int] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default="{}")
    )
    checked_by: str
    correlation_id: str | None = None
    created_at: datetime = moment(now=True)
    finished_at: datetime | None = moment(nullable=True)


class BatchItemRow(SQLModel, table=True):
    """`content` is there only while the item waits for its check."""

    __tablename__ = "batch_items"
    __table_args__ = (
        Index("batch_items_pending", "batch_id", "position", postgresql_where=text("status = 'pending'")),
        {"schema": "compliance"},
    )

    batch_id: str = Field(sa_column=Column(Text, ForeignKey("compliance.batches.batch_id"), primary_key=True))
    position: int = Field(primary_key=True)
    tenant_id: str
    item_id: str | None = None
    check_id: str
    status: str
    content: str | None = None
    error: str | None = None


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
