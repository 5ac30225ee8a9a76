"""Schema `event`: the event log, its roll-ups, replays, subscriptions, and the deliveries of every webhook."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Date, Identity, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from core.tables.platform import json_column, moment


def key(*, primary: bool = False, nullable: bool = False) -> Any:
    """Text that sorts by its bytes, so that ids and `user.*` are ranges of an index."""
    return Field(sa_column=Column(Text(collation="C"), primary_key=primary, nullable=nullable))


def words() -> Any:
    """A text[] column."""
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


def counter(*, nullable: bool = False) -> Any:
    """A bigint column."""
    return Field(sa_column=Column(BigInteger, nullable=nullable, server_default=None if nullable else text("0")))


def transaction_id() -> Any:
    """The id of the transaction that wrote the row."""
    default = text("(pg_current_xact_id()::text)::bigint")
    return Field(default=None, sa_column=Column(BigInteger, nullable=False, server_default=default))


class EventRow(SQLModel, table=True):
    __tablename__ = "events"
    __table_args__ = (
        Index("events_by_time", "tenant_id", "stream", "occurred_at", "event_id"),
        Index("events_by_type", "tenant_id", "event_type", "occurred_at"),
        Index("events_by_publisher", "tenant_id", "published_by", "occurred_at"),
        Index(
            "events_by_correlation", "tenant_id", "correlation_id", postgresql_where=text("correlation_id IS NOT NULL")
        ),
        Index("events_by_commit", "xid", "seq"),
        Index(
            "events_replayed_once",
            "tenant_id",
            "stream",
            "replayed_from",
            unique=True,
            postgresql_where=text("replayed_from IS NOT NULL"),
        ),
        {"schema": "event"},
    )

    event_id: str = key(primary=True)
    tenant_id: str
    stream: str
    event_type: str = key()
    category: str
    source: str
    payload: dict[str, Any] = json_column()
    published_by: str
    correlation_id: str | None = None
    causation_id: str | None = None
    occurred_at: datetime = moment()
    published_at: datetime = moment()
    replayed_from: str | None = key(nullable=True)
    seq: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    xid: int = transaction_id()


class RollupRow(SQLModel, table=True):
    """Counts of one UTC day; `published_by` is empty in the tenant's own count."""

    __tablename__ = "rollups"
    __table_args__ = ({"schema": "event"},)

    tenant_id: str = Field(primary_key=True)
    published_by: str = Field(primary_key=True)
    day: date = Field(sa_column=Column(Date, primary_key=True))
    category: str = Field(primary_key=True)
    event_type: str = Field(primary_key=True)
    total: int = counter()


class LagRow(SQLModel, table=True):
    """How long the last event counted had waited for the roll-up."""

    __tablename__ = "lags"
    __table_args__ = ({"schema": "event"},)

    tenant_id: str = Field(primary_key=True)
    lag_ms: int = counter()
    measured_at: datetime = moment()


class ReplayRow(SQLModel, table=True):
    __tablename__ = "replays"
    __table_args__ = (Index("replays_by_tenant", "tenant_id", "replay_id"), {"schema": "event"})

    replay_id: str = key(primary=True)
    tenant_id: str
    status: str
    from_timestamp: datetime = moment()
    to_timestamp: datetime = moment()
    event_types: list[str] = words()
    source_stream: str
    target_stream: str
    total: int | None = counter(nullable=True)
    copied: int = counter()
    skipped: int = counter()
    reached_at: datetime | None = moment(nullable=True)
    reached_id: str | None = key(nullable=True)
    requested_by: str
    correlation_id: str | None = None
    created_at: datetime = moment()
    started_at: datetime | None = moment(nullable=True)
    finished_at: datetime | None = moment(nullable=True)


class SubscriptionRow(SQLModel, table=True):
    __tablename__ = "subscriptions"
    __table_args__ = (Index("subscriptions_by_tenant", "tenant_id", "subscription_id"), {"schema": "event"})

    subscription_id: str = key(primary=True)
    tenant_id: str
    status: str
    status_reason: str | None = None
    event_types: list[str] = words()
    stream: str
    delivery_type: str
    webhook_url: str
    description: str | None = None
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    old_secret: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    old_secret_until: datetime | None = moment(nullable=True)
    created_by: str
    created_at: datetime = moment()
    updated_at: datetime = moment()
    xid: int = transaction_id()


WAITING = text("status = 'pending' AND kind = 'subscription'")


class DeliveryRow(SQLModel, table=True):
    """One message to one endpoint, whoever asked for it. `body` is kept here unless an event's row holds it."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_by_subscription", "tenant_id", "subscription_id", "delivery_id"),
        Index("deliveries_waiting", "subscription_id", "delivery_id", postgresql_where=WAITING),
        {"schema": "event"},
    )

    delivery_id: str = key(primary=True)
    tenant_id: str
    kind: str
    subscription_id: str | None = key(nullable=True)
    event_id: str | None = key(nullable=True)
    reference: str | None = None
    event_type: str
    url: str
    body: dict[str, Any] | None = json_column(nullable=True)
    status: str
    attempts: int = counter()
    round: int = counter()
    status_code: int | None = None
    error: str | None = None
    leased_until: datetime | None = moment(nullable=True)
    next_attempt_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)


class AttemptRow(SQLModel, table=True):
    __tablename__ = "delivery_attempts"
    __table_args__ = ({"schema": "event"},)

    delivery_id: str = key(primary=True)
    attempt: int = Field(primary_key=True)
    tenant_id: str
    status: str
    status_code: int | None = None
    latency_ms: int
    error: str | None = None
    response: str | None = None
    attempted_at: datetime = moment()
