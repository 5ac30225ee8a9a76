"""From rows to what the task front door answers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping

from api.unit import State
from core.contracts.task import (
    Execution,
    Task,
    TaskAnalytics,
    TaskItem,
    TaskStatus,
    TaskWork,
    TypeCounts,
    task_run_id,
)
from core.domain import task as rules
from core.store import task as store
from core.tables.task import ExecutionRow, TaskRow
from core.temporal import workflow_url


def _links(state: State, task_id: str, number: int) -> dict[str, str]:
    workflow_id = task_run_id(task_id, number)
    return {"workflow_id": workflow_id, "workflow_url": workflow_url(state.settings, workflow_id)}


def item(state: State, row: RowMapping) -> TaskItem:
    """A task in a list."""
    return TaskItem.model_validate({**row, **_links(state, row["task_id"], row["executions"])})


def whole(
    state: State,
    task: TaskRow,
    run: ExecutionRow | None = None,
    *,
    waiting: bool | None = None,
    recent: Sequence[timedelta] = (),
) -> Task:
    """A task with its current execution (None: just created) and what the type's recent durations say."""
    ran = (
        run.model_dump(include={"progress", "message", "started_at", "completed_at", "result", "error"}) if run else {}
    )
    typical = None if waiting else rules.typical_duration(recent)
    return Task.model_validate(
        {
            **task.model_dump(),
            **ran,
            **_links(state, task.task_id, task.executions),
            "waiting_for_worker": waiting,
            "estimated_completion": _estimate(task, run, typical),
        }
    )


def _estimate(task: TaskRow, run: ExecutionRow | None, typical: timedelta | None) -> datetime | None:
    now = datetime.now(UTC)
    if task.status == TaskStatus.SCHEDULED:
        return rules.estimate_completion(now, starts_at=task.scheduled_at or now, progress=0, typical=typical)
    if task.status == TaskStatus.PENDING or run is None:
        return rules.estimate_completion(now, starts_at=now, progress=0, typical=typical)
    if task.status == TaskStatus.RUNNING:
        began = run.attempt_started_at or now
        return rules.estimate_completion(now, starts_at=began, progress=run.progress, typical=typical)
    return None


def work(state: State, task: TaskRow) -> TaskWork:
    """Accepted, and where to watch it."""
    return TaskWork.model_validate({**task.model_dump(), **_links(state, task.task_id, task.executions)})


def execution(state: State, row: ExecutionRow) -> Execution:
    """One execution with its attempts."""
    status = TaskStatus(row.status)
    attempts = rules.attempts_of(
        row.failures,
        attempt=row.attempt,
        worker=row.worker,
        started_at=row.attempt_started_at,
        status=status,
        ended_at=row.completed_at,
    )
    return Execution.model_validate(
        {
            **row.model_dump(),
            **_links(state, row.task_id, row.number),
            "attempts": attempts,
            "wait_seconds": _seconds(row.queued_at, row.started_at),
            "duration_seconds": _seconds(row.started_at, row.completed_at),
        }
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start is not None and end is not None else None


def analytics(scope: store.Scope, found: store.Figures) -> TaskAnalytics:
    """The figures of a scope."""
    overall = found.timing.get(None, store.Timing())
    return TaskAnalytics(
        from_date=scope.first,
        to_date=scope.last,
        total_tasks=sum(found.overall.values()),
        by_status=found.overall,
        success_rate=rules.success_rate(
            sum(e.completed for e in found.ended.values()), sum(e.failed for e in found.ended.values())
        ),
        duration_seconds=overall.duration,
        wait_seconds=overall.wait,
        by_type=[_type(name, found) for name in found.totals],
        per_day=found.days,
    )


def _type(name: str, found: store.Figures) -> TypeCounts:
    ended, timing = found.ended.get(name, store.Ended()), found.timing.get(name, store.Timing())
    return TypeCounts(
        type=name,
        total=sum(found.totals[name].values()),
        by_status=found.totals[name],
        success_rate=rules.success_rate(ended.completed, ended.failed),
        duration_seconds=timing.duration,
        wait_seconds=timing.wait,
    )
