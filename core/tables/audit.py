"""Schema `audit`: the log and its roll-up, security alerts and their moves, compliance reports and their documents."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from core.tables.platform import json_column, moment

OWN_TRANSACTION = text("(pg_current_xact_id()::text)::bigint")
GRAVE = text("severity IN ('high', 'critical')")


def _bytewise(*, key: bool = False) -> Any:
    """Text compared byte by byte, so that a prefix is a range of the index."""
    return Field(sa_column=Column(Text(collation="C"), nullable=False, primary_key=key))


def _metadata() -> Any:
    """SQLModel keeps the attribute name `metadata` for itself; the column has it all the same."""
    return Field(sa_column=Column("metadata", JSONB, nullable=False))


def _alert_key() -> Any:
    return Field(sa_column=Column(Text, ForeignKey("audit.alerts.alert_id"), primary_key=True))


def _report_key() -> Any:
    return Field(sa_column=Column(Text, ForeignKey("audit.reports.report_id"), primary_key=True))


class AuditEventRow(SQLModel, table=True):
    __tablename__ = "events"
    __table_args__ = (
        Index("events_log", "xid", "seq"),
        Index("events_by_time", "tenant_id", "occurred_at", "event_id"),
        Index("events_by_actor", "tenant_id", "actor_id", "occurred_at", "event_id"),
        Index("events_by_type", "tenant_id", "event_type", "occurred_at", "event_id"),
        Index(
            "events_by_resource",
            *("tenant_id", "resource_id", "occurred_at", "event_id"),
            postgresql_where=text("resource_id IS NOT NULL"),
        ),
        Index(
            "events_by_correlation",
            *("tenant_id", "correlation_id", "occurred_at", "event_id"),
            postgresql_where=text("correlation_id IS NOT NULL"),
        ),
        Index("events_grave", "tenant_id", "severity", "occurred_at", "event_id", postgresql_where=GRAVE),
        {"schema": "audit"},
    )

    event_id: str = Field(primary_key=True)
    tenant_id: str
    event_type: str = _bytewise()
    category: str
    severity: str
    outcome: str
    actor_id: str = _bytewise()
    resource_type: str | None = None
    resource_id: str | None = None
    action: str | None = None
    details: dict[str, Any] = _metadata()
    correlation_id: str | None = None
    causation_id: str | None = None
    occurred_at: datetime = moment()
    recorded_at: datetime = moment(now=True)
    seq: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    xid: int = Field(default=None, sa_column=Column(BigInteger, server_default=OWN_TRANSACTION, nullable=False))


class ActorTotalRow(SQLModel, table=True):
    __tablename__ = "totals"
    __table_args__ = ({"schema": "audit"},)

    tenant_id: str = Field(primary_key=True)
    actor_id: str = _bytewise(key=True)
    event_type: str = _bytewise(key=True)
    events: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_at: datetime = moment()


class AlertRow(SQLModel, table=True):
    __tablename__ = "alerts"
    __table_args__ = (
        Index("alerts_by_time", "tenant_id", "created_at", "alert_id"),
        Index("alerts_by_status", "tenant_id", "status", "created_at", "alert_id"),
        Index("alerts_by_user", "tenant_id", "user_id", "created_at", "alert_id"),
        {"schema": "audit"},
    )

    alert_id: str = Field(primary_key=True)
    tenant_id: str
    alert_type: str
    severity: str
    status: str
    user_id: str | None = None
    description: str
    details: dict[str, Any] = _metadata()
    correlation_id: str | None = None
    created_by: str
    created_at: datetime = moment(now=True)
    updated_at: datetime = moment(now=True)
    closed_at: datetime | None = moment(nullable=True)


class AlertMoveRow(SQLModel, table=True):
    __tablename__ = "alert_moves"
    __table_args__ = ({"schema": "audit"},)

    alert_id: str = _alert_key()
    number: int = Field(primary_key=True)
    tenant_id: str
    from_status: str | None = None
    to_status: str
    moved_by: str
    note: str | None = None
    moved_at: datetime = moment(now=True)


class ReportRow(SQLModel, table=True):
    __tablename__ = "reports"
    __table_args__ = (Index("reports_by_time", "tenant_id", "created_at", "report_id"), {"schema": "audit"})

    report_id: str = Field(primary_key=True)
    tenant_id: str
    standard: str
    period_start: datetime = moment()
    period_end: datetime = moment()
    include_details: bool
    status: str
    requested_by: str
    correlation_id: str | None = None
    created_at: datetime = moment(now=True)
    completed_at: datetime | None = moment(nullable=True)
    failure: dict[str, Any] | None = json_column(nullable=True)
    result: dict[str, Any] | None = json_column(nullable=True)


class ReportDocumentRow(SQLModel, table=True):
    __tablename__ = "report_documents"
    __table_args__ = ({"schema": "audit"},)

    report_id: str = _report_key()
    format: str = Field(primary_key=True)
    tenant_id: str
    content: str
