"""Schema `task`: tasks, executions, and the counters its trigger keeps."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from core.tables.platform import json_column, moment

DONE = text("status = 'completed'")


def _count() -> Any:
    return Field(sa_column=Column(BigInteger, nullable=False))


def _shard() -> Any:
    return Field(sa_column=Column(SmallInteger, primary_key=True, nullable=False))


class TaskRow(SQLModel, table=True):
    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_by_time", "tenant_id", "created_at", "task_id"),
        Index("tasks_by_owner", "tenant_id", "owner_id", "created_at", "task_id"),
        Index("tasks_by_status", "tenant_id", "status", "created_at", "task_id"),
        Index("tasks_by_type", "tenant_id", "type", "created_at", "task_id"),
        Index("tasks_by_name", "tenant_id", "name", "created_at", "task_id"),
        {"schema": "task"},
    )

    task_id: str = Field(primary_key=True)
    tenant_id: str
    owner_id: str
    name: str
    type: str
    priority: str
    status: str
    payload: dict[str, Any] = json_column()
    scheduled_at: datetime | None = moment(nullable=True)
    timeout_seconds: int | None = None
    max_attempts: int
    execution_id: str
    executions: int
    correlation_id: str
    created_at: datetime = moment(now=True)


class ExecutionRow(SQLModel, table=True):
    """`failures` holds the attempts that ended badly; the columns attempt… tell of the current or last one."""

    __tablename__ = "executions"
    __table_args__ = (
        Index("executions_by_number", "task_id", "number", unique=True),
        Index("executions_done", "tenant_id", "completed_at", postgresql_where=DONE),
        Index("executions_done_by_type", "tenant_id", "type", "completed_at", postgresql_where=DONE),
        Index("executions_done_by_owner", "tenant_id", "owner_id", "completed_at", postgresql_where=DONE),
        {"schema": "task"},
    )

    execution_id: str = Field(primary_key=True)
    tenant_id: str
    task_id: str = Field(sa_column=Column(Text, ForeignKey("task.tasks.task_id"), nullable=False))
    owner_id: str
    type: str
    number: int
    status: str
    progress: float = Field(default=0, sa_column=Column(Double, nullable=False, server_default="0"))
    message: str | None = None
    queued_at: datetime = moment(now=True)
    started_at: datetime | None = moment(nullable=True)
    completed_at: datetime | None = moment(nullable=True)
    attempt: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    attempt_started_at: datetime | None = moment(nullable=True)
    worker: str | None = None
    failures: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default="[]")
    )
    result: Any = json_column(nullable=True)
    error: dict[str, Any] | None = json_column(nullable=True)


class TotalRow(SQLModel, table=True):
    """How many tasks stand at each status now. owner_id '' is the whole tenant; the sum over shards counts."""

    __tablename__ = "totals"
    __table_args__ = ({"schema": "task"},)

    tenant_id: str = Field(primary_key=True)
    owner_id: str = Field(primary_key=True)
    type: str = Field(primary_key=True)
    shard: int = _shard()
    pending: int = _count()
    scheduled: int = _count()
    running: int = _count()
    completed: int = _count()
    failed: int = _count()
    cancelled: int = _count()


class DayRow(SQLModel, table=True):
    """What happened on one day (UTC). owner_id '' is the whole tenant; the sum over shards counts."""

    __tablename__ = "days"
    __table_args__ = ({"schema": "task"},)

    tenant_id: str = Field(primary_key=True)
    owner_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    type: str = Field(primary_key=True)
    shard: int = _shard()
    created: int = _count()
    completed: int = _count()
    failed: int = _count()
    cancelled: int = _count()
