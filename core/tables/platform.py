"""Schema `ops`: intents, idempotency keys, pump cursors; and the columns every table shares."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


def moment(*, now: bool = False, nullable: bool = False) -> Any:
    """A timestamptz column; `now` fills it with the transaction's time."""
    column: Column[datetime] = Column(
        DateTime(timezone=True), server_default=func.now() if now else None, nullable=nullable
    )
    return Field(default=None, sa_column=column)


def json_column(*, nullable: bool = False) -> Any:
    """A jsonb column."""
    return Field(default=None if nullable else ..., sa_column=Column(JSONB, nullable=nullable))


class IntentRow(SQLModel, table=True):
    __tablename__ = "intents"
    __table_args__ = (Index("intents_by_age", "created_at"), {"schema": "ops"})

    intent_id: str = Field(primary_key=True)
    tenant_id: str
    intent: dict[str, Any] = json_column()
    created_at: datetime = moment(now=True)


class IdempotencyRow(SQLModel, table=True):
    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_by_age", "created_at"), {"schema": "ops"})

    key_hash: str = Field(primary_key=True)
    tenant_id: str
    body_hash: str
    status: int
    headers: dict[str, str] = json_column()
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = moment(now=True)


class CursorRow(SQLModel, table=True):
    __tablename__ = "cursors"
    __table_args__ = ({"schema": "ops"},)

    name: str = Field(primary_key=True)
    xid: int = Field(sa_column=Column(BigInteger, nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    moved_at: datetime = moment(now=True)
