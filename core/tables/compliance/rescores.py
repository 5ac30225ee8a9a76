"""Re-scores of past checks."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from core.tables.platform import json_column, moment


class RescoreRow(SQLModel, table=True):
    """Either `policy` and its version, or a `draft`. The place is the last check that was judged again."""

    __tablename__ = "rescores"
    __table_args__ = (Index("rescores_by_time", "tenant_id", "created_at", "rescore_id"), {"schema": "compliance"})

    rescore_id: str = Field(primary_key=True)
    tenant_id: str
    status: str
    policy: str | None = None
    policy_version: int | None = None
    draft: dict[str, Any] | None = json_column(nullable=True)
    run_detectors: bool
    of_policy: str | None = None
    since: datetime | None = moment(nullable=True)
    until: datetime | None = moment(nullable=True)
    limit: int
    examples: int
    total: int
    result: dict[str, Any] = json_column()
    place_time: datetime | None = moment(nullable=True)
    place_id: str | None = None
    requested_by: str
    correlation_id: str | None = None
    created_at: datetime = moment(now=True)
    finished_at: datetime | None = moment(nullable=True)
