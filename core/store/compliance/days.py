"""Counters a day, kept in the transaction that writes the checks they count."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date

from pydantic_core import to_json
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import Check, CheckType, DayCount, Figure
from core.store.platform.direct import execute
from core.tables.compliance import DayRow

EVERYONE = ""
# Sorted, so that two transactions never wait for each other's rows crosswise.
_ADD = b"""
INSERT INTO compliance.days AS known (tenant_id, who, day, figure, word, shard, count)
SELECT %s, new.who, new.day, new.figure, new.word, pg_backend_pid() %% 8, new.count
FROM json_to_recordset(%s::json) AS new(who text, day date, figure text, word text, count bigint)
ORDER BY new.who, new.day, new.figure, new.word
ON CONFLICT (tenant_id, who, day, figure, word, shard) DO UPDATE SET count = known.count + EXCLUDED.count
"""


async def add(session: AsyncSession, tenant_id: str, checks: Iterable[Check]) -> None:
    """Count these checks, for the tenant and for whoever asked for them."""
    counted = Counter(
        (who, check.created_at.astimezone(UTC).date(), figure, word)
        for check in checks
        for figure, word in _figures(check)
        for who in (EVERYONE, check.checked_by)
    )
    rows = [
        {"who": who, "day": day, "figure": figure, "word": word, "count": count}
        for (who, day, figure, word), count in counted.items()
    ]
    await execute(session, _ADD, (tenant_id, to_json(rows).decode()))


def _figures(check: Check) -> Iterator[tuple[Figure, str]]:
    yield Figure.STATUS, check.status
    yield Figure.RISK, check.risk_level
    policy = f"{check.policy}@{check.policy_version}"
    yield Figure.POLICY_STATUS, f"{policy} {check.status}"
    if CheckType.PII in check.results:
        yield Figure.PII_STATUS, check.status
        yield Figure.PII_RISK, check.risk_level
    for check_type, result in check.results.items():
        yield Figure.CHECKED, check_type
        if not result.available:
            yield Figure.UNAVAILABLE, check_type
        if result.flagged:
            yield Figure.FLAGGED, check_type
            yield Figure.POLICY_FLAGGED, f"{policy} {check_type}"
        for entity in result.detected or ():
            yield Figure.ENTITY, entity


async def counts(session: AsyncSession, *, who: str | None, first: date, last: date) -> Sequence[DayCount]:
    """The counters of these days (both included), of one user or of the whole tenant."""
    keys = (col(DayRow.day), col(DayRow.figure), col(DayRow.word))
    query = (
        select(*keys, func.sum(col(DayRow.count)))
        .where(col(DayRow.who) == (who or EVERYONE), col(DayRow.day).between(first, last))
        .group_by(*keys)
    )
    found = (await session.exec(query)).all()
    return [DayCount(day=day, figure=Figure(figure), word=word, count=int(count)) for day, figure, word, count in found]
