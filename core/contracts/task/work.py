"""What travels through Temporal: ids, counts and statuses only."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from core.contracts.platform import Answer
from core.contracts.task.answers import TaskError
from core.contracts.task.names import TaskStatus


class RunRef(Answer):
    """Which execution. The argument of `task.execute` and of our own activities."""

    tenant_id: str
    task_id: str
    execution_id: str
    attempt_limit: int


class Run(RunRef):
    """The argument of `task.run`."""

    type: str
    built_in: bool
    scheduled_at: datetime | None = None
    timeout_seconds: int | None = None


class HandOver(Answer):
    """Another service's workflow that does the work: the run waits for it as its child."""

    workflow_type: str
    workflow_id: str
    queue: str
    payload: dict[str, Any]


class Ran(Answer):
    """How an execution ended; or still `running`, handed over."""

    status: TaskStatus
    handed_over: HandOver | None = None


class Settlement(Answer):
    """Close an execution that was handed over: by what came of it, or given up as `cancelled` or `failed`."""

    run: RunRef
    given_up: TaskStatus | None = None


class ExecuteNow(Answer):
    """The argument of the signal `execute`: do not wait for the scheduled time."""


class Admission(Answer):
    """Whether an execution is still wanted, and whether it still has to wait for its time."""

    wanted: bool
    scheduled: bool


class Conclusion(Answer):
    """How to close an execution whose handler did not: failed with its last attempt's error, or `untold`."""

    run: RunRef
    status: TaskStatus
    untold: TaskError | None = None


class RunStage(StrEnum):
    """What a run is doing, as its query `state` tells."""

    ADMITTING = "admitting"
    WAITING_FOR_TIME = "waiting_for_time"
    RUNNING = "running"
    HANDED_OVER = "handed_over"
    CONCLUDING = "concluding"
    ENDED = "ended"


class RunState(Answer):
    """The answer of the query `state`."""

    stage: RunStage
    scheduled_at: datetime | None = None
