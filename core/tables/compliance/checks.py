"""Checks, and counters a day."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from core.tables.platform import json_column, moment


def words() -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


class CheckRow(SQLModel, table=True):
    """`results` leaves out the spans and the redacted text, which have columns of their own: lists do not read them."""

    __tablename__ = "checks"
    __table_args__ = (
        Index("checks_by_time", "tenant_id", "created_at", "check_id"),
        Index("checks_by_caller", "tenant_id", "checked_by", "created_at", "check_id"),
        Index("checks_by_status", "tenant_id", "status", "created_at", "check_id"),
        Index("checks_by_batch", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
        Index("checks_by_content", "tenant_id", "content_hash", "created_at"),
        Index(
            "checks_with_redacted",
            "tenant_id",
            "created_at",
            "check_id",
            postgresql_where=text("redacted IS NOT NULL"),
        ),
        {"schema": "compliance"},
    )

    check_id: str = Field(primary_key=True)
    tenant_id: str
    batch_id: str | None = None
    status: str
    risk_level: str
    check_types: list[str] = words()
    entities: list[str] = words()
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
    category: str | None = None
    policy_source: str
    reasons: list[str] = words()
    cached_from: str | None = None
    cached_age_seconds: float | None = None


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
