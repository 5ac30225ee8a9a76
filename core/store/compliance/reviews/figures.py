"""Reviews counted a day, in the transaction of what is counted; and what reports and statistics read of it."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

from pydantic_core import to_json
from sqlalchemy import func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance.reviews import ReviewFigure
from core.tables.compliance.reviews import ReviewDayRow, ReviewRow

Counted: TypeAlias = Counter[tuple[date, ReviewFigure, str]]
Days: TypeAlias = dict[tuple[date, ReviewFigure, str], int]
NOW = date(1970, 1, 1)
"""The day under which stands what waits now."""
# Sorted, so that two transactions never wait for each other's rows crosswise.
_ADD = text("""
INSERT INTO compliance.review_days AS known (tenant_id, day, figure, word, shard, count)
SELECT :tenant, new.day, new.figure, new.word, pg_backend_pid() % 8, new.count
FROM json_to_recordset(CAST(:rows AS json)) AS new(day date, figure text, word text, count bigint)
ORDER BY new.day, new.figure, new.word
ON CONFLICT (tenant_id, day, figure, word, shard) DO UPDATE SET count = known.count + EXCLUDED.count
""")


async def count(session: AsyncSession, tenant_id: str, counted: Mapping[tuple[date, ReviewFigure, str], int]) -> None:
    """Add to the counters; a negative number takes away."""
    rows = [{"day": day, "figure": figure, "word": word, "count": n} for (day, figure, word), n in counted.items()]
    if rows:
        await (await session.connection()).execute(_ADD, {"tenant": tenant_id, "rows": to_json(rows).decode()})


async def day_counts(session: AsyncSession, *, first: date | None, last: date | None) -> Days:
    """The counters of these days (both included; None: without limit)."""
    keys = (col(ReviewDayRow.day), col(ReviewDayRow.figure), col(ReviewDayRow.word))
    query = select(*keys, func.sum(col(ReviewDayRow.count))).where(keys[0] > NOW).group_by(*keys)
    query = query.where(keys[0] >= first) if first else query
    query = query.where(keys[0] <= last) if last else query
    found = (await session.exec(query)).all()
    return {(day, ReviewFigure(figure), word): int(total) for day, figure, word, total in found}


async def waiting_now(session: AsyncSession) -> int:
    """How many reviews wait for a decision, by the counter."""
    query = select(func.coalesce(func.sum(col(ReviewDayRow.count)), 0)).where(
        col(ReviewDayRow.day) == NOW, col(ReviewDayRow.figure) == ReviewFigure.WAITING
    )
    return int((await session.exec(query)).one())


async def overdue_now(session: AsyncSession) -> int:
    """How many of those are past their due time: counted in the index of what waits, which holds nothing of the past.
    No counter could know it, since time passes without a transaction."""
    query = select(func.count()).select_from(ReviewRow)
    query = query.where(col(ReviewRow.decided_at).is_(None), col(ReviewRow.due_at) <= func.now())
    return int((await session.exec(query)).one())
