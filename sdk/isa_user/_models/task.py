"""What the task service answers."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from isa_user._models.base import Result, WorkResult

TaskStatus = Literal["pending", "scheduled", "running", "completed", "failed", "cancelled"]


class TaskFailure(Result):
    """Why a task failed; `code` is stable."""

    code: str
    message: str


class Task(WorkResult):
    """A task and its current or last execution; `progress` is in percent.

    Lists leave out `payload`, `result`, `max_attempts`, `timeout_seconds`, `estimated_completion` and
    `waiting_for_worker`. The last is true when nobody serves the type, and None when that cannot be told.
    """

    task_id: str
    name: str
    type: str
    status: str
    priority: str
    owner_id: str
    payload: dict[str, Any] = Field(default_factory=dict)
    progress: float = 0
    message: str | None = None
    result: Any = None
    error: TaskFailure | None = None
    execution_id: str
    executions: int
    max_attempts: int | None = None
    timeout_seconds: int | None = None
    waiting_for_worker: bool | None = None
    correlation_id: str | None = None
    created_at: datetime
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    estimated_completion: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether it is completed, failed or cancelled."""
        return self.status in {"completed", "failed", "cancelled"}


class TaskWork(WorkResult):
    """A run-now or a cancel was accepted."""

    task_id: str
    execution_id: str
    status: str


class Attempt(Result):
    """One try of an execution."""

    attempt: int
    worker: str | None = None
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    error: TaskFailure | None = None


class Execution(WorkResult):
    """One run of a task, with every attempt it took. Durations are in seconds."""

    execution_id: str
    task_id: str
    number: int
    status: str
    attempts: list[Attempt]
    worker: str | None = None
    progress: float = 0
    message: str | None = None
    queued_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    wait_seconds: float | None = None
    duration_seconds: float | None = None
    result: Any = None
    error: TaskFailure | None = None


class StartedExecution(Result):
    """What a worker needs in order to run an execution."""

    task_id: str
    execution_id: str
    name: str
    type: str
    payload: dict[str, Any]
    status: str
    attempt: int
    correlation_id: str | None = None


class ExecutionAck(Result):
    """A worker's report was recorded."""

    execution_id: str
    status: str


class Spread(Result):
    """Median and 95th percentile of recent completed executions, in seconds."""

    p50: float | None = None
    p95: float | None = None


class TypeFigures(Result):
    """One task type's figures."""

    type: str
    total: int
    by_status: dict[str, int]
    success_rate: float | None = None
    duration_seconds: Spread = Spread()
    wait_seconds: Spread = Spread()


class DayFigures(Result):
    """What happened on one day (UTC)."""

    day: date
    created: int
    completed: int
    failed: int
    cancelled: int


class TaskAnalytics(Result):
    """Tasks by status now, and what happened in the period. Rates are between 0 and 1."""

    from_date: date
    to_date: date
    total_tasks: int
    by_status: dict[str, int]
    success_rate: float | None = None
    duration_seconds: Spread
    wait_seconds: Spread
    by_type: list[TypeFigures]
    per_day: list[DayFigures]
