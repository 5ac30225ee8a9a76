"""What moves a task from status to status. Each move is guarded by where it starts, so a second one changes nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import func
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.platform import DomainEvent, JsonObject, Service
from core.contracts.task import FINISHED, OPEN, TaskError, TaskStatus
from core.store import event
from core.store.platform.direct import insert_rows
from core.store.task.attempts import Done, end_attempts, last_failure
from core.store.task.statements import Moved, move_task, of_execution
from core.tables.task import TaskRow

_TASKS, _EXECUTIONS = "task.tasks", "task.executions"
_TASK_COLUMNS = tuple(TaskRow.model_fields)
_EXECUTION_COLUMNS = ("execution_id", "tenant_id", "task_id", "owner_id", "type", "number", "status", "queued_at")


async def add_tasks(session: AsyncSession, tasks: Sequence[TaskRow]) -> None:
    """New tasks, each with its first execution."""
    rows = [tuple(_column(task, name) for name in _TASK_COLUMNS) for task in tasks]
    await insert_rows(session, _TASKS, _TASK_COLUMNS, rows)
    await _add_executions(session, [(task, task.created_at) for task in tasks])


def _column(task: TaskRow, name: str) -> object:
    value = getattr(task, name)
    return to_json(value).decode() if name == "payload" else value


async def _add_executions(session: AsyncSession, tasks: Sequence[tuple[TaskRow, datetime]]) -> None:
    """An execution of each task, which a worker may take from that moment on, or from the task's scheduled time."""
    rows = [
        (
            task.execution_id,
            task.tenant_id,
            task.task_id,
            task.owner_id,
            task.type,
            task.executions,
            task.status,
            task.scheduled_at if task.status == TaskStatus.SCHEDULED else since,
        )
        for task, since in tasks
    ]
    await insert_rows(session, _EXECUTIONS, _EXECUTION_COLUMNS, rows)


async def release(session: AsyncSession, *, task_id: str, execution_id: str) -> bool:
    """The scheduled time has come, or nobody wants to wait for it. False if the task was not scheduled (any more)."""
    connection = await session.connection()
    statement = move_task(task_id, execution_id, to=TaskStatus.PENDING, out_of=(TaskStatus.SCHEDULED,))
    if not (await connection.execute(statement)).rowcount:
        return False
    values = {"status": TaskStatus.PENDING.value, "queued_at": func.now()}
    await connection.execute(of_execution(execution_id).values(values))
    return True


async def renew(session: AsyncSession, task: TaskRow, execution_id: str) -> TaskRow | None:
    """A finished task gets a new execution: the task as it is then. None if it is not finished (any more)."""
    statement = move_task(task.task_id, task.execution_id, to=TaskStatus.PENDING, out_of=FINISHED).values(
        execution_id=execution_id, executions=col(TaskRow.executions) + 1
    )
    if not (await (await session.connection()).execute(statement)).rowcount:
        return None
    changed = {"execution_id": execution_id, "executions": task.executions + 1, "status": TaskStatus.PENDING.value}
    renewed = task.model_copy(update=changed)
    await _add_executions(session, [(renewed, datetime.now(UTC))])
    return renewed


async def complete(session: AsyncSession, tenant_id: str, done: Sequence[Done]) -> list[bool]:
    """The handlers' results, each once. False for an execution that does not run (any more)."""
    ended = {row.execution_id: row for row in await end_attempts(session, done)}
    await event.append(session, tenant_id, [_event(row, TaskStatus.COMPLETED) for row in ended.values()])
    return [one.execution_id in ended for one in done]


async def fail(session: AsyncSession, tenant_id: str, *, task_id: str, execution_id: str, untold: TaskError) -> bool:
    """Failed for good, with the last attempt's own error, or `untold` if it ended without a word."""
    ended = await _end(session, task_id, execution_id, to=TaskStatus.FAILED)
    if ended is None:
        return False
    error = await last_failure(session, execution_id, untold=untold)
    await _close(session, execution_id, TaskStatus.FAILED, error=error.model_dump())
    await event.append(session, tenant_id, [_event(ended, TaskStatus.FAILED, {"error_code": error.code})])
    return True


async def cancel(session: AsyncSession, tenant_id: str, *, task_id: str, execution_id: str) -> bool:
    """Cancelled from now on, whatever its handler still does. False if it was finished."""
    ended = await _end(session, task_id, execution_id, to=TaskStatus.CANCELLED)
    if ended is None:
        return False
    await _close(session, execution_id, TaskStatus.CANCELLED)
    await event.append(session, tenant_id, [_event(ended, TaskStatus.CANCELLED)])
    return True


async def _end(session: AsyncSession, task_id: str, execution_id: str, *, to: TaskStatus) -> Moved | None:
    columns = (TaskRow.task_id, TaskRow.execution_id, TaskRow.type, TaskRow.owner_id, TaskRow.correlation_id)
    statement = move_task(task_id, execution_id, to=to, out_of=OPEN).returning(*map(col, columns))
    return (await (await session.connection()).execute(statement)).one_or_none()


async def _close(session: AsyncSession, execution_id: str, status: TaskStatus, **values: Any) -> None:
    statement = of_execution(execution_id).values(status=status.value, completed_at=func.now(), **values)
    await (await session.connection()).execute(statement)


def _event(ended: Moved, status: TaskStatus, more: JsonObject | None = None) -> DomainEvent:
    about: JsonObject = {
        "task_id": ended.task_id,
        "execution_id": ended.execution_id,
        "type": ended.type,
        "owner_id": ended.owner_id,
    }
    return DomainEvent(
        event_type=f"task.{status.value}",
        source=Service.TASK.value,
        payload=about | (more or {}),
        correlation_id=ended.correlation_id,
        causation_id=ended.execution_id,
    )
