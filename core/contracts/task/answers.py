"""What the task front door answers."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, JsonValue

from core.contracts.platform import Answer, JsonObject, Work
from core.contracts.task.names import Priority, TaskStatus


class TaskError(Answer):
    """Why an execution failed; `code` is stable."""

    code: str
    message: str


class TaskItem(Answer):
    """A task as a list shows it: without its payload and result."""

    task_id: str
    name: str
    type: str
    status: TaskStatus
    priority: Priority
    owner_id: str
    progress: Annotated[float, Field(description="percent of the current execution")] = 0
    message: str | None = None
    scheduled_at: datetime | None = None
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error: TaskError | None = None
    execution_id: Annotated[str, Field(description="the current or last execution")]
    executions: Annotated[int, Field(description="how many executions there have been")]
    correlation_id: str | None = None
    workflow_id: str
    workflow_url: str


class Task(TaskItem):
    """A task with all that is known about it."""

    payload: JsonObject
    timeout_seconds: int | None = None
    max_attempts: int
    result: JsonValue = None
    estimated_completion: Annotated[
        datetime | None, Field(description="from this type's recent durations and the progress; null when unknown")
    ] = None
    waiting_for_worker: Annotated[
        bool | None, Field(description="pending, and no worker polls for this type; null when Temporal cannot be asked")
    ] = None


class TaskWork(Work):
    """What a run-now or a cancel answers: accepted, and where to watch it."""

    task_id: str
    execution_id: str
    status: TaskStatus


class Attempt(Answer):
    """One try of an execution."""

    attempt: int
    worker: str | None = None
    status: Annotated[TaskStatus, Field(description="running, completed, failed or cancelled")]
    started_at: datetime
    ended_at: datetime | None = None
    error: TaskError | None = None


class Execution(Work):
    """One run of a task, with every attempt it took."""

    execution_id: str
    task_id: str
    number: Annotated[int, Field(description="1 for a task's first execution")]
    status: TaskStatus
    attempts: list[Attempt]
    worker: Annotated[str | None, Field(description="who runs it, or ran it last")] = None
    progress: float = 0
    message: str | None = None
    queued_at: Annotated[datetime, Field(description="when a worker could first have taken it")]
    started_at: datetime | None = None
    completed_at: datetime | None = None
    wait_seconds: Annotated[float | None, Field(description="from queued to started")] = None
    duration_seconds: Annotated[float | None, Field(description="from started to finished")] = None
    result: JsonValue = None
    error: TaskError | None = None


class StartedExecution(Answer):
    """What a worker needs in order to run an execution."""

    task_id: str
    execution_id: str
    name: str
    type: str
    payload: JsonObject
    status: TaskStatus
    attempt: int
    correlation_id: str | None = None


class ExecutionAck(Answer):
    """A worker's report was recorded."""

    execution_id: str
    status: TaskStatus


class Spread(Answer):
    """Median and 95th percentile of recent completed executions, in seconds."""

    p50: float | None = None
    p95: float | None = None


class TypeCounts(Answer):
    """One type's figures."""

    type: str
    total: int
    by_status: dict[TaskStatus, int]
    success_rate: float | None = None
    duration_seconds: Spread = Spread()
    wait_seconds: Spread = Spread()


class DayCounts(Answer):
    """What happened on one day (UTC)."""

    day: date
    created: int
    completed: int
    failed: int
    cancelled: int


class TaskAnalytics(Answer):
    """Tasks by status now, and what happened in the period."""

    from_date: date
    to_date: date
    total_tasks: int
    by_status: dict[TaskStatus, int]
    success_rate: Annotated[
        float | None, Field(description="completed / (completed + failed) executions of the period; null without any")
    ] = None
    duration_seconds: Spread
    wait_seconds: Spread
    by_type: Annotated[list[TypeCounts], Field(description="the 200 types with the most tasks")]
    per_day: list[DayCounts]
