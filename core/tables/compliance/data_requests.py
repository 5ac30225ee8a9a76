"""Data-subject requests, their progress in each service, and the sealed parts of an export."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from core.tables.compliance.checks import words
from core.tables.platform import json_column, moment

REQUESTS = "compliance.data_requests.request_id"
STILL_OPEN = text("status IN ('pending', 'approved', 'running')")
HAS_ARTIFACT = text("status = 'completed' AND expires_at IS NOT NULL")


def _request_key() -> Any:
    return Field(sa_column=Column(Text, ForeignKey(REQUESTS), primary_key=True))


class DataRequestRow(SQLModel, table=True):
    """`alias` is the pseudonym that stands for the subject wherever something of them must stay."""

    __tablename__ = "data_requests"
    __table_args__ = (
        Index("data_requests_by_time", "tenant_id", "created_at", "request_id"),
        Index("data_requests_by_subject", "tenant_id", "subject", "created_at", "request_id"),
        Index("data_requests_open", "tenant_id", "kind", "subject", unique=True, postgresql_where=STILL_OPEN),
        Index("data_requests_expiring", "expires_at", postgresql_where=HAS_ARTIFACT),
        {"schema": "compliance"},
    )

    request_id: str = Field(primary_key=True)
    tenant_id: str
    kind: str
    status: str
    subject: str
    alias: str
    email_addresses: list[str] = words()
    phone_numbers: list[str] = words()
    reason: str | None = None
    reference: str | None = None
    requested_by: str
    four_eyes: bool
    decided_by: str | None = None
    note: str | None = None
    correlation_id: str | None = None
    due_at: datetime = moment()
    reminded_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment(now=True)
    decided_at: datetime | None = moment(nullable=True)
    started_at: datetime | None = moment(nullable=True)
    finished_at: datetime | None = moment(nullable=True)
    artifact_bytes: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    expires_at: datetime | None = moment(nullable=True)


class DataRequestStepRow(SQLModel, table=True):
    """`place` is where the next page begins; `revision` grows with each page, so that no page counts twice."""

    __tablename__ = "data_request_steps"
    __table_args__ = ({"schema": "compliance"},)

    request_id: str = _request_key()
    service: str = Field(primary_key=True)
    tenant_id: str
    status: str
    place: list[Any] = json_column()
    revision: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    chunks: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    counts: dict[str, int] = json_column()
    started_at: datetime | None = moment(nullable=True)
    finished_at: datetime | None = moment(nullable=True)


class DataRequestChunkRow(SQLModel, table=True):
    """One sealed part of an export's file."""

    __tablename__ = "data_request_chunks"
    __table_args__ = ({"schema": "compliance"},)

    request_id: str = _request_key()
    part: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    tenant_id: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
