"""Reading tasks and their executions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy import select as plain_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.task import Priority, TaskStatus
from core.store.platform import before
from core.tables.task import ExecutionRow, TaskRow

# A list leaves out payload and result, which may be large.
ITEM = tuple(
    map(
        col,
        (
            TaskRow.task_id,
            TaskRow.name,
            TaskRow.type,
            TaskRow.status,
            TaskRow.priority,
            TaskRow.owner_id,
            TaskRow.scheduled_at,
            TaskRow.created_at,
            TaskRow.execution_id,
            TaskRow.executions,
            TaskRow.correlation_id,
            ExecutionRow.progress,
            ExecutionRow.message,
            ExecutionRow.started_at,
            ExecutionRow.completed_at,
            ExecutionRow.error,
        ),
    )
)


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks a list shows; None or empty means any."""

    owner_id: str | None = None
    statuses: tuple[TaskStatus, ...] = ()
    type: str | None = None
    priority: Priority | None = None
    name: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None

    def clauses(self) -> list[Any]:
        """The conditions in SQL."""
        same = {
            TaskRow.owner_id: self.owner_id,
            TaskRow.type: self.type,
            TaskRow.priority: self.priority,
            TaskRow.name: self.name,
        }
        found: list[Any] = [col(column) == value for column, value in same.items() if value is not None]
        if self.statuses:
            found.append(col(TaskRow.status).in_([status.value for status in self.statuses]))
        if self.created_from is not None:
            found.append(col(TaskRow.created_at) >= self.created_from)
        if self.created_to is not None:
            found.append(col(TaskRow.created_at) < self.created_to)
        return found


async def list_tasks(
    session: AsyncSession, wanted: TaskFilter, *, limit: int, after: list[Any] | None
) -> list[RowMapping]:
    """Newest first; one more than `limit` when there is another page."""
    keys = (col(TaskRow.created_at), col(TaskRow.task_id))
    query = (
        plain_select(*ITEM)
        .join(ExecutionRow, col(ExecutionRow.execution_id) == col(TaskRow.execution_id))
        .where(*wanted.clauses())
        .order_by(*(key.desc() for key in keys))
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(before(keys, after))
    return list((await (await session.connection()).execute(query)).mappings())


async def find_task(
    session: AsyncSession, task_id: str, *, owner_id: str | None = None
) -> tuple[TaskRow, ExecutionRow] | None:
    """A task with its current execution, if the owner (None: anyone) may see it."""
    query = (
        select(TaskRow, ExecutionRow)
        .join(ExecutionRow, col(ExecutionRow.execution_id) == col(TaskRow.execution_id))
        .where(col(TaskRow.task_id) == task_id)
    )
    if owner_id is not None:
        query = query.where(col(TaskRow.owner_id) == owner_id)
    return (await session.exec(query)).first()


async def executions_of(
    session: AsyncSession, task_id: str, *, limit: int, after: list[Any] | None
) -> list[ExecutionRow]:
    """Newest first; one more than `limit` when there is another page."""
    query = (
        select(ExecutionRow)
        .where(col(ExecutionRow.task_id) == task_id)
        .order_by(col(ExecutionRow.number).desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(col(ExecutionRow.number) < after[0])
    return list((await session.exec(query)).all())


async def standing(session: AsyncSession, *, task_id: str, execution_id: str) -> TaskStatus | None:
    """Where an execution stands; None if there is none by these ids."""
    query = select(ExecutionRow.status).where(
        col(ExecutionRow.execution_id) == execution_id, col(ExecutionRow.task_id) == task_id
    )
    found = (await session.exec(query)).first()
    return TaskStatus(found) if found else None
