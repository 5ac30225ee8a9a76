"""What moves a task from status to status. Each move is guarded by where it starts, so a second one changes nothing."""

from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import func, insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.platform import DomainEvent, JsonObject, Service
from core.contracts.task import FINISHED, OPEN, TaskError, TaskStatus
from core.store import event
from core.store.task.attempts import end_attempt, last_failure
from core.store.task.statements import Moved, move_task, of_execution
from core.tables.task import ExecutionRow, TaskRow

# Built once: a statement made for each call would cost more than running it.
_NEW_TASK, _NEW_EXECUTION = insert(TaskRow), insert(ExecutionRow)


async def add_task(session: AsyncSession, task: TaskRow, *, queued_at: datetime | None = None) -> None:
    """A new task with its first execution, which a worker may take from `queued_at` (now when left out)."""
    await (await session.connection()).execute(_NEW_TASK, task.model_dump())
    await _add_execution(session, task, queued_at)


async def _add_execution(session: AsyncSession, task: TaskRow, queued_at: datetime | None = None) -> None:
    values = {
        "execution_id": task.execution_id,
        "tenant_id": task.tenant_id,
        "task_id": task.task_id,
        "owner_id": task.owner_id,
        "type": task.type,
        "number": task.executions,
        "status": task.status,
    }
    later = {"queued_at": queued_at} if queued_at else {}
    await (await session.connection()).execute(_NEW_EXECUTION, values | later)


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
    await _add_execution(session, renewed)
    return renewed


async def complete(
    session: AsyncSession, tenant_id: str, *, task_id: str, execution_id: str, result: JsonValue
) -> bool:
    """The handler's result, once. False if the execution does not run (any more)."""
    ended = await end_attempt(session, task_id=task_id, execution_id=execution_id, result=result)
    if ended is None:
        return False
    await _tell(session, tenant_id, ended, TaskStatus.COMPLETED)
    return True


async def fail(session: AsyncSession, tenant_id: str, *, task_id: str, execution_id: str, untold: TaskError) -> bool:
    """Failed for good, with the last attempt's own error, or `untold` if it ended without a word."""
    ended = await _end(session, task_id, execution_id, to=TaskStatus.FAILED)
    if ended is None:
        return False
    error = await last_failure(session, execution_id, untold=untold)
    await _close(session, execution_id, TaskStatus.FAILED, error=error.model_dump())
    await _tell(session, tenant_id, ended, TaskStatus.FAILED, {"error_code": error.code})
    return True


async def cancel(session: AsyncSession, tenant_id: str, *, task_id: str, execution_id: str) -> bool:
    """Cancelled from now on, whatever its handler still does. False if it was finished."""
    ended = await _end(session, task_id, execution_id, to=TaskStatus.CANCELLED)
    if ended is None:
        return False
    await _close(session, execution_id, TaskStatus.CANCELLED)
    await _tell(session, tenant_id, ended, TaskStatus.CANCELLED)
    return True


async def _end(session: AsyncSession, task_id: str, execution_id: str, *, to: TaskStatus) -> Moved | None:
    columns = (TaskRow.task_id, TaskRow.execution_id, TaskRow.type, TaskRow.owner_id, TaskRow.correlation_id)
    statement = move_task(task_id, execution_id, to=to, out_of=OPEN).returning(*map(col, columns))
    return (await (await session.connection()).execute(statement)).one_or_none()


async def _close(session: AsyncSession, execution_id: str, status: TaskStatus, **values: Any) -> None:
    statement = of_execution(execution_id).values(status=status.value, completed_at=func.now(), **values)
    await (await session.connection()).execute(statement)


async def _tell(
    session: AsyncSession,
    tenant_id: str,
    ended: Moved,
    status: TaskStatus,
    more: JsonObject | None = None,
) -> None:
    about: JsonObject = {
        "task_id": ended.task_id,
        "execution_id": ended.execution_id,
        "type": ended.type,
        "owner_id": ended.owner_id,
    }
    told = DomainEvent(
        event_type=f"task.{status.value}",
        source=Service.TASK.value,
        payload=about | (more or {}),
        correlation_id=ended.correlation_id,
        causation_id=ended.execution_id,
    )
    await event.append(session, tenant_id, [told])
