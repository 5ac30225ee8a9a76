"""What a worker tells of an attempt: begun, how far, failed. Guards make a second telling change nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_json
from sqlalchemy import ColumnElement, Update, cast, func, null, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.platform import JsonObject
from core.contracts.task import TaskError, TaskStatus
from core.store.task.statements import Moved, of_execution
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


# The two statements of every task's happy path are written out: each moves as many executions as have come together.
# Only a task's current execution moves, and only while it is open; an earlier attempt that never told its end has lost
# its worker.
_BEGIN = text("""
WITH wanted AS (
  SELECT * FROM unnest(CAST(:task_ids AS text[]), CAST(:execution_ids AS text[]), CAST(:attempts AS int[]),
    CAST(:workers AS text[])) AS w (task_id, execution_id, attempt, worker)
), moved AS (
  UPDATE task.tasks AS t SET status = 'running' FROM wanted AS w
  WHERE t.task_id = w.task_id AND t.execution_id = w.execution_id AND t.status IN ('pending', 'scheduled', 'running')
  RETURNING t.execution_id, owner_id, name, type, payload, correlation_id
), begun AS (
  UPDATE task.executions AS e SET
    status = 'running', attempt = w.attempt, worker = w.worker, attempt_started_at = now(),
    started_at = coalesce(started_at, now()),
    progress = CASE WHEN e.attempt < w.attempt THEN 0 ELSE progress END,
    message = CASE WHEN e.attempt < w.attempt THEN NULL ELSE message END,
    failures = CASE WHEN e.attempt < w.attempt AND attempt_started_at IS NOT NULL
      THEN failures || jsonb_build_array(jsonb_build_object(
        'attempt', e.attempt, 'worker', e.worker, 'started_at', attempt_started_at, 'ended_at', now(),
        'error', CAST(:lost AS jsonb)))
      ELSE failures END
  FROM moved AS m JOIN wanted AS w USING (execution_id)
  WHERE e.execution_id = m.execution_id AND e.attempt <= w.attempt
  RETURNING e.execution_id
)
SELECT execution_id, owner_id, name, type, payload, correlation_id FROM moved JOIN begun USING (execution_id)
""")
_COMPLETE = text("""
WITH wanted AS (
  SELECT * FROM unnest(CAST(:task_ids AS text[]), CAST(:execution_ids AS text[]), CAST(:results AS text[]))
    AS w (task_id, execution_id, result)
), moved AS (
  UPDATE task.tasks AS t SET status = 'completed' FROM wanted AS w
  WHERE t.task_id = w.task_id AND t.execution_id = w.execution_id AND t.status = 'running'
  RETURNING t.task_id, t.execution_id, type, owner_id, correlation_id
), closed AS (
  UPDATE task.executions AS e SET
    status = 'completed', completed_at = now(), progress = 100, result = CAST(w.result AS jsonb)
  FROM moved AS m JOIN wanted AS w USING (execution_id) WHERE e.execution_id = m.execution_id
)
SELECT * FROM moved
""")


@dataclass(frozen=True, slots=True)
class Start:
    """An attempt that a worker wants to begin."""

    task_id: str
    execution_id: str
    attempt: int
    worker: str


@dataclass(frozen=True, slots=True)
class Done:
    """An execution's result."""

    task_id: str
    execution_id: str
    result: JsonValue


async def begin_attempts(session: AsyncSession, _tenant: str, starts: Sequence[Start]) -> list[Begun | None]:
    """Workers take executions: running from now. None for one that is finished, or has begun a later attempt."""
    given = {
        "task_ids": [start.task_id for start in starts],
        "execution_ids": [start.execution_id for start in starts],
        "attempts": [start.attempt for start in starts],
        "workers": [start.worker for start in starts],
        "lost": LOST.model_dump_json(),
    }
    rows = (await (await session.connection()).execute(_BEGIN, given)).all()
    found = {row[0]: Begun(*row[1:]) for row in rows}
    return [found.get(start.execution_id) for start in starts]


async def end_attempts(session: AsyncSession, ended: Sequence[Done]) -> Sequence[Moved]:
    """Results are kept and their executions completed; those that did run."""
    given = {
        "task_ids": [done.task_id for done in ended],
        "execution_ids": [done.execution_id for done in ended],
        "results": [to_json(done.result).decode() for done in ended],
    }
    return (await (await session.connection()).execute(_COMPLETE, given)).all()


async def begun(session: AsyncSession, *, task_id: str, execution_id: str) -> Begun:
    """What an execution that has begun is about."""
    columns = (TaskRow.owner_id, TaskRow.name, TaskRow.type, TaskRow.payload, TaskRow.correlation_id)
    query = (
        select(*map(col, columns))
        .join(ExecutionRow, col(ExecutionRow.task_id) == col(TaskRow.task_id))
        .where(col(TaskRow.task_id) == task_id, col(ExecutionRow.execution_id) == execution_id)
    )
    return Begun(**(await (await session.connection()).execute(query)).mappings().one())


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
