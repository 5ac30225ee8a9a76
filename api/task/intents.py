"""What the task front door asks of Temporal."""

from core.contracts.platform import Intent, IntentKind, Service
from core.contracts.task import BUILT_IN, QUEUE, TASK_RUN, TEMPORAL_PRIORITY, Priority, Run, TaskStatus, task_run_id
from core.ids import new_id
from core.tables.task import TaskRow


def run_intent(task: TaskRow) -> Intent:
    """Start the task's current execution."""
    run = Run(
        tenant_id=task.tenant_id,
        task_id=task.task_id,
        execution_id=task.execution_id,
        attempt_limit=task.max_attempts,
        type=task.type,
        built_in=task.type in BUILT_IN,
        scheduled_at=task.scheduled_at if task.status == TaskStatus.SCHEDULED else None,
        timeout_seconds=task.timeout_seconds,
    )
    return intent(task).model_copy(
        update={
            "workflow_type": TASK_RUN,
            "queue": QUEUE,
            "payload": run.model_dump(mode="json", exclude_none=True),
            "summary": f"Task {task.task_id} of type {task.type}",
            "priority": TEMPORAL_PRIORITY[Priority(task.priority)],
        }
    )


def intent(task: TaskRow, kind: IntentKind = IntentKind.START, signal: str = "") -> Intent:
    """Something about the workflow of the task's current execution."""
    return Intent(
        intent_id=new_id("intent"),
        kind=kind,
        tenant_id=task.tenant_id,
        workflow_id=task_run_id(task.task_id, task.executions),
        signal=signal,
        service=Service.TASK,
        user_id=task.owner_id,
        correlation_id=task.correlation_id,
    )
