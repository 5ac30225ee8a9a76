"""The two updates every move is made of. A task's row is locked before its execution's, so no two moves deadlock."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Update, update
from sqlmodel import col

from core.contracts.task import TaskStatus
from core.tables.task import ExecutionRow, TaskRow

Moved = Row[*tuple[Any, ...]]
"""What an ended execution's event tells: task_id, execution_id, type, owner_id, correlation_id."""


def move_task(task_id: str, execution_id: str, *, to: TaskStatus, out_of: Sequence[TaskStatus]) -> Update:
    """Moves the task if it stands at one of `out_of` and this is its current execution."""
    return (
        update(TaskRow)
        .where(
            col(TaskRow.task_id) == task_id,
            col(TaskRow.execution_id) == execution_id,
            col(TaskRow.status).in_([status.value for status in out_of]),
        )
        .values(status=to.value)
    )


def of_execution(execution_id: str) -> Update:
    """An update of one execution."""
    return update(ExecutionRow).where(col(ExecutionRow.execution_id) == execution_id)
