"""Words of the task service: statuses, priorities, and the names and ids that Temporal sees."""

from enum import StrEnum

QUEUE = "task"
TASK_RUN = "task.run"
TASK_ADMIT = "task.admit"
TASK_RELEASE = "task.release"
TASK_PERFORM = "task.perform"
TASK_EXECUTE = "task.execute"
TASK_SETTLE = "task.settle"
TASK_CONCLUDE = "task.conclude"
EXECUTE_SIGNAL = "execute"
STATE_QUERY = "state"
HANDLER_FAILED = "task.handler_failed"
SUPERSEDED = "task.attempt_superseded"


class TaskStatus(StrEnum):
    """Where a task, or one of its executions, stands."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (TaskStatus.PENDING, TaskStatus.SCHEDULED, TaskStatus.RUNNING)
FINISHED = (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED)


class Priority(StrEnum):
    """Which waiting task a free worker takes first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


# Temporal's keys run from 1 (first) to 5 (last); 3 is its default.
TEMPORAL_PRIORITY = {Priority.URGENT: 1, Priority.HIGH: 2, Priority.NORMAL: 3, Priority.LOW: 4}


def task_run_id(task_id: str, number: int = 1) -> str:
    """The workflow id of a task's nth execution."""
    return f"{TASK_RUN}:{task_id}" if number == 1 else f"{TASK_RUN}:{task_id}:{number}"


def served_queue(tenant_id: str, task_type: str) -> str:
    """The queue a tenant's own workers poll for one type. A type has no colon, so no two pairs share a queue."""
    return f"task:{tenant_id}:{task_type}"
