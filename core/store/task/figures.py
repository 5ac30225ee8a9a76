"""Figures: counts from the counters, percentiles and typical durations from a bounded window of recent executions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select, tuple_
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.task import DayCounts, Spread, TaskStatus
from core.tables.task import DayRow, ExecutionRow, TotalRow

WINDOW = 1000
RECENT = 25
MOST_TYPES = 200
TENANT = ""  # the owner_id under which the counters hold the whole tenant
COMPLETED = col(ExecutionRow.status) == TaskStatus.COMPLETED.value

Counts = dict[TaskStatus, int]
Counter = type[TotalRow] | type[DayRow]
Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose tasks (None: the tenant's), of which type (None: any), on which days (first and last included, UTC)."""

    owner_id: str | None
    type: str | None
    first: date
    last: date

    def counted(self, row: Counter) -> list[Any]:
        """The conditions on a counter."""
        found: list[Any] = [col(row.owner_id) == (TENANT if self.owner_id is None else self.owner_id)]
        return found if self.type is None else [*found, col(row.type) == self.type]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long executions took, and waited before."""

    duration: Spread = field(default_factory=Spread)
    wait: Spread = field(default_factory=Spread)


@dataclass(frozen=True, slots=True)
class Ended:
    """How many executions ended how in the period."""

    completed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """All there is to say about a scope: `overall` of every type, `totals` of the most used; the timing under None is
    that of all types together."""

    overall: Counts
    totals: dict[str, Counts]
    ended: dict[str, Ended]
    days: list[DayCounts]
    timing: dict[str | None, Timing]


async def figures(session: AsyncSession, scope: Scope) -> Figures:
    """Five short reads, none of them over history."""
    connection = await session.connection()
    overall = (await connection.execute(select(*_sums()).where(*scope.counted(TotalRow)))).one()
    totals = (await connection.execute(_totals(scope))).all()
    ended = (await connection.execute(_ended(scope))).all()
    days = (await connection.execute(_days(scope))).mappings()
    timing = (await connection.execute(_timing(scope))).all()
    return Figures(
        overall=_counts(overall),
        totals={row[0]: _counts(row[1:]) for row in totals},
        ended={row[0]: Ended(int(row[1]), int(row[2])) for row in ended},
        days=[DayCounts.model_validate(day) for day in days],
        timing={row[0]: _spread(row) for row in timing},
    )


def _counts(sums: Sequence[Any]) -> Counts:
    return dict(zip(TaskStatus, map(int, sums), strict=True))


def _sums() -> list[Any]:
    return [func.coalesce(func.sum(col(getattr(TotalRow, status.value))), 0) for status in TaskStatus]


def _totals(scope: Scope) -> Query:
    sums = _sums()
    query = select(col(TotalRow.type), *sums).where(*scope.counted(TotalRow)).group_by(col(TotalRow.type))
    return query.order_by(sum(sums[1:], sums[0]).desc(), col(TotalRow.type)).limit(MOST_TYPES)


def _ended(scope: Scope) -> Query:
    sums = (func.sum(col(DayRow.completed)), func.sum(col(DayRow.failed)))
    return select(col(DayRow.type), *sums).where(*_in_period(scope)).group_by(col(DayRow.type))


def _days(scope: Scope) -> Query:
    sums = [
        func.sum(col(getattr(DayRow, name))).label(name) for name in ("created", "completed", "failed", "cancelled")
    ]
    return select(col(DayRow.day), *sums).where(*_in_period(scope)).group_by(col(DayRow.day)).order_by(col(DayRow.day))


def _in_period(scope: Scope) -> list[Any]:
    return [*scope.counted(DayRow), col(DayRow.day) >= scope.first, col(DayRow.day) <= scope.last]


def _timing(scope: Scope) -> Query:
    """Percentiles by type and over all, of the last completed executions of the period."""
    starts, ends = (datetime.combine(day, time.min, UTC) for day in (scope.first, scope.last + timedelta(days=1)))
    duration = func.extract("epoch", col(ExecutionRow.completed_at) - col(ExecutionRow.started_at))
    wait = func.extract("epoch", col(ExecutionRow.started_at) - col(ExecutionRow.queued_at))
    recent = (
        select(col(ExecutionRow.type).label("type"), duration.label("duration"), wait.label("wait"))
        .where(COMPLETED, col(ExecutionRow.completed_at) >= starts, col(ExecutionRow.completed_at) < ends)
        .where(*([] if scope.owner_id is None else [col(ExecutionRow.owner_id) == scope.owner_id]))
        .where(*([] if scope.type is None else [col(ExecutionRow.type) == scope.type]))
        .order_by(col(ExecutionRow.completed_at).desc())
        .limit(WINDOW)
        .subquery()
    )
    spreads = [func.percentile_cont([0.5, 0.95]).within_group(recent.c[name]) for name in ("duration", "wait")]
    return select(recent.c.type, *spreads).group_by(func.grouping_sets(tuple_(recent.c.type), tuple_()))


def _spread(row: Row[*tuple[Any, ...]]) -> Timing:
    duration, wait = (Spread(p50=p50, p95=p95) for p50, p95 in (found or (None, None) for found in row[1:]))
    return Timing(duration, wait)


async def recent_durations(session: AsyncSession, task_type: str) -> list[timedelta]:
    """What the last completed executions of a type took."""
    query = (
        select(col(ExecutionRow.started_at), col(ExecutionRow.completed_at))
        .where(col(ExecutionRow.type) == task_type, COMPLETED)
        .order_by(col(ExecutionRow.completed_at).desc())
        .limit(RECENT)
    )
    found = (await (await session.connection()).execute(query)).all()
    return [ended - started for started, ended in found if started is not None and ended is not None]
