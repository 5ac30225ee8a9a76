"""Batches with their items."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from core.tables.compliance.checks import words
from core.tables.platform import moment


class BatchRow(SQLModel, table=True):
    """`by_status` counts the checks made so far by outcome; `touched_at`: when an upload's last lines came."""

    __tablename__ = "batches"
    __table_args__ = (
        Index("batches_by_time", "tenant_id", "created_at", "batch_id"),
        Index("batches_by_caller", "tenant_id", "checked_by", "created_at", "batch_id"),
        Index("batches_uploading", "touched_at", postgresql_where=text("status = 'uploading'")),
        {"schema": "compliance"},
    )

    batch_id: str = Field(primary_key=True)
    tenant_id: str
    status: str
    check_types: list[str] = words()
    policy: str
    policy_version: int
    policy_source: str = Field(
        default="request", sa_column=Column(Text, nullable=False, server_default=text("'request'"))
    )
    category: str | None = None
    content_type: str = Field(default="text", sa_column=Column(Text, nullable=False, server_default=text("'text'")))
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
    touched_at: datetime | None = moment(nullable=True)


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
    content_type: str | None = None
    error: str | None = None
