"""Reviews, their steps, what people said of the detectors, and counters a day."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from core.tables.compliance.checks import words
from core.tables.platform import moment


class ReviewRow(SQLModel, table=True):
    """`reviewers`, `escalate_to` and the rest of the policy's terms as they were when it opened. `revision` counts its
    steps; `nudged` those of the clock."""

    __tablename__ = "reviews"
    __table_args__ = (
        Index("reviews_by_time", "tenant_id", "opened_at", "review_id"),
        Index("reviews_due", "tenant_id", "due_at", "review_id", postgresql_where=text("decided_at IS NULL")),
        Index("reviews_by_claimer", "tenant_id", "claimed_by", postgresql_where=text("claimed_by IS NOT NULL")),
        Index("reviews_by_check", "check_id", unique=True),
        {"schema": "compliance"},
    )

    review_id: str = Field(primary_key=True)
    tenant_id: str
    check_id: str
    status: str
    check_types: list[str] = words()
    risk_level: str
    policy: str
    policy_version: int
    checked_by: str
    content_hash: str
    second_reviewer: bool
    reviewers: list[str] = words()
    escalate_to: list[str] = words()
    votes: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default="[]")
    )
    claimed_by: str | None = None
    claimed_at: datetime | None = moment(nullable=True)
    claim_expires_at: datetime | None = moment(nullable=True)
    escalated_at: datetime | None = moment(nullable=True)
    revision: int
    nudged: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default="0"))
    opened_at: datetime = moment()
    due_at: datetime = moment()
    decided_by: str | None = None
    decided_at: datetime | None = moment(nullable=True)
    correlation_id: str | None = None


class ReviewStepRow(SQLModel, table=True):
    """Written once. `move_id` names an update of the workflow, so that it is made once."""

    __tablename__ = "review_steps"
    __table_args__ = ({"schema": "compliance"},)

    review_id: str = Field(sa_column=Column(Text, ForeignKey("compliance.reviews.review_id"), primary_key=True))
    position: int = Field(primary_key=True)
    tenant_id: str
    kind: str
    by: str | None = None
    note: str | None = None
    told: list[str] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    move_id: str | None = None
    at: datetime = moment()


class ReviewLabelRow(SQLModel, table=True):
    """Written once, with the decision."""

    __tablename__ = "review_labels"
    __table_args__ = (
        Index("review_labels_by_time", "tenant_id", "at", "review_id", "check_type"),
        {"schema": "compliance"},
    )

    review_id: str = Field(sa_column=Column(Text, ForeignKey("compliance.reviews.review_id"), primary_key=True))
    check_type: str = Field(primary_key=True)
    tenant_id: str
    check_id: str
    detector: str | None = None
    detector_version: str | None = None
    score: float | None = Field(default=None, sa_column=Column(Float(53), nullable=True))
    flagged: bool
    right: bool
    given: bool
    decision: str
    decided_by: str
    at: datetime = moment()


class ReviewDayRow(SQLModel, table=True):
    """Reviews of one day (UTC) by one figure; the sum over shards counts. What waits now stands under one fixed day."""

    __tablename__ = "review_days"
    __table_args__ = ({"schema": "compliance"},)

    tenant_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    figure: str = Field(primary_key=True)
    word: str = Field(primary_key=True)
    shard: int = Field(sa_column=Column(SmallInteger, primary_key=True, nullable=False))
    count: int = Field(sa_column=Column(BigInteger, nullable=False))
