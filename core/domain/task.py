"""Rules of tasks: which type one has, when it starts, how long it will take, how its attempts read."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from core.contracts.task import TYPE_PATTERN, Attempt, TaskError, TaskStatus

TELLING_PROGRESS = 1.0  # percent; below it a handler has hardly begun, and what it says would be stretched too far


def type_of(name: str, given: str | None) -> str | None:
    """The type a task has: the one given, else its name; None if the name cannot be one."""
    if given is not None:
        return given
    return name if len(name) <= 100 and re.fullmatch(TYPE_PATTERN, name) else None


def first_status(scheduled_at: datetime | None, now: datetime) -> TaskStatus:
    """Only a time still to come schedules a task."""
    return TaskStatus.SCHEDULED if scheduled_at is not None and scheduled_at > now else TaskStatus.PENDING


def typical_duration(durations: Sequence[timedelta]) -> timedelta | None:
    """The median of what a type's recent executions took; None without any."""
    return timedelta(seconds=median(d.total_seconds() for d in durations)) if durations else None


def estimate_completion(
    now: datetime, *, starts_at: datetime, progress: float, typical: timedelta | None
) -> datetime | None:
    """When an unfinished execution will be done, never before `now`; None with nothing to go by.

    `starts_at` is when it started, or will. The history speaks at first; the handler's own progress (percent) has the
    more say the further it has come.
    """
    by_history = starts_at + typical if typical is not None else None
    elapsed = now - starts_at
    if progress < TELLING_PROGRESS or elapsed <= timedelta(0):
        return max(now, by_history) if by_history is not None else None
    by_progress = starts_at + elapsed * (100 / progress)
    if by_history is None:
        return max(now, by_progress)
    return max(now, by_history + (by_progress - by_history) * (progress / 100))


def success_rate(completed: int, failed: int) -> float | None:
    """The share of executions that ended well among those that ran to an end; cancelled ones do not count."""
    ended = completed + failed
    return completed / ended if ended else None


def attempts_of(
    failures: Sequence[Mapping[str, Any]],
    *,
    attempt: int,
    worker: str | None,
    started_at: datetime | None,
    status: TaskStatus,
    ended_at: datetime | None,
) -> list[Attempt]:
    """Every attempt in order: those that failed, and the current or last one unless it is among them."""
    failed = [
        Attempt(
            attempt=one["attempt"],
            worker=one["worker"],
            status=TaskStatus.FAILED,
            started_at=one["started_at"],
            ended_at=one["ended_at"],
            error=TaskError.model_validate(one["error"]),
        )
        for one in failures
    ]
    if started_at is None:
        return failed
    return [*failed, Attempt(attempt=attempt, worker=worker, status=status, started_at=started_at, ended_at=ended_at)]
