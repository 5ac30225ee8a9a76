"""What a worker tells of an attempt: begun, how far, failed. Guards make a second telling change nothing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Update, case, cast, func, null, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.platform import JsonObject
from core.contracts.task import OPEN, TaskError, TaskStatus
from core.store.task.statements import move_task, of_execution
from core.tables.task import ExecutionRow, TaskRow

LOST = TaskError(code="attempt_lost", message="The worker stopped answering, or the attempt ran out of time.")


@dataclass(frozen=True, slots=True)
class Begun:
    """What whoever runs an attempt needs to know."""

    owner_id: str
    name: str
    type: str
    payload: JsonObject
    correlation_id: str


async def begin_attempt(
    session: AsyncSession, *, task_id: str, execution_id: str, attempt: int, worker: str
) -> Begun | None:
    """A worker takes the execution: running from now. None if it is finished, or a later attempt has begun."""
    columns = (TaskRow.owner_id, TaskRow.name, TaskRow.type, TaskRow.payload, TaskRow.correlation_id)
    statement = move_task(task_id, execution_id, to=TaskStatus.RUNNING, out_of=OPEN).returning(*map(col, columns))
    connection = await session.connection()
    task = (await connection.execute(statement)).mappings().one_or_none()
    if task is None:
        return None
    begun = await connection.execute(_begin(execution_id, attempt, worker))
    return Begun(**task) if begun.rowcount else None


def _begin(execution_id: str, attempt: int, worker: str) -> Update:
    values: dict[str, Any] = {
        "status": TaskStatus.RUNNING.value,
        "attempt": attempt,
        "worker": worker,
        "attempt_started_at": func.now(),
        "started_at": func.coalesce(col(ExecutionRow.started_at), func.now()),
    }
    if attempt > 1:
        values |= {"progress": 0, "message": None, "failures": _with_lost_attempt(attempt)}
    return of_execution(execution_id).where(col(ExecutionRow.attempt) <= attempt).values(values)


def _with_lost_attempt(attempt: int) -> ColumnElement[Any]:
    """An earlier attempt that never told its end has lost its worker."""
    unfinished = col(ExecutionRow.attempt_started_at).is_not(None) & (col(ExecutionRow.attempt) < attempt)
    return case((unfinished, _with_failure(LOST)), else_=col(ExecutionRow.failures))


def _with_failure(error: TaskError) -> ColumnElement[Any]:
    """The failures, and the current attempt as one more."""
    parts: dict[str, Any] = {
        "attempt": col(ExecutionRow.attempt),
        "worker": col(ExecutionRow.worker),
        "started_at": col(ExecutionRow.attempt_started_at),
        "ended_at": func.now(),
        "error": cast(error.model_dump(), JSONB),
    }
    flat = [part for pair in parts.items() for part in pair]
    entry = func.jsonb_build_array(func.jsonb_build_object(*flat))
    return col(ExecutionRow.failures).op("||", return_type=JSONB())(entry)


def _current(execution_id: str, task_id: str) -> Update:
    return of_execution(execution_id).where(
        col(ExecutionRow.task_id) == task_id, col(ExecutionRow.status) == TaskStatus.RUNNING.value
    )


async def report_progress(
    session: AsyncSession, *, task_id: str, execution_id: str, percent: float, message: str | None
) -> bool:
    """False if the execution does not run (any more)."""
    statement = _current(execution_id, task_id).values(progress=percent, message=message)
    return bool((await (await session.connection()).execute(statement)).rowcount)


async def fail_attempt(
    session: AsyncSession, *, task_id: str, execution_id: str, attempt: int, error: TaskError
) -> bool:
    """Keep why an attempt failed; whether there is another, the workflow decides. False if it was over already."""
    statement = (
        _current(execution_id, task_id)
        .where(col(ExecutionRow.attempt) == attempt, col(ExecutionRow.attempt_started_at).is_not(None))
        .values(failures=_with_failure(error), attempt_started_at=null())
    )
    return bool((await (await session.connection()).execute(statement)).rowcount)


async def last_failure(session: AsyncSession, execution_id: str, *, untold: TaskError) -> TaskError:
    """Why the last attempt failed; `untold` if it ended without a word."""
    columns = (ExecutionRow.task_id, ExecutionRow.attempt, ExecutionRow.attempt_started_at, ExecutionRow.failures)
    query = select(*map(col, columns)).where(col(ExecutionRow.execution_id) == execution_id)
    found = (await (await session.connection()).execute(query)).one()
    if found.attempt_started_at is None:
        return TaskError.model_validate(found.failures[-1]["error"]) if found.failures else untold
    await fail_attempt(session, task_id=found.task_id, execution_id=execution_id, attempt=found.attempt, error=untold)
    return untold
