"""Counts of the log: rolled up by a pump, read together with what the pump has not reached yet."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.event import DAYS, TOP_TYPES, DayCount, EventStatistics
from core.contracts.platform import PumpName

CURSOR = PumpName.EVENT_ROLLUP.value
WHOLE_TENANT = ""

_STRETCH = text(
    """
    SELECT xid, seq, rows, GREATEST(0, EXTRACT(epoch FROM clock_timestamp() - oldest))::float AS waited FROM (
      SELECT xid, seq, row_number() OVER (ORDER BY xid, seq) AS rows, min(published_at) OVER () AS oldest FROM (
        SELECT xid, seq, published_at FROM event.events
        WHERE (xid, seq) > (:xid, :seq) AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        ORDER BY xid, seq LIMIT :most) AS next
    ) AS numbered ORDER BY rows DESC LIMIT 1
    """
)
_ROLL_UP = text(
    """
    WITH stretch AS MATERIALIZED (
      SELECT tenant_id, published_by, (published_at AT TIME ZONE 'UTC')::date AS day, category, event_type, published_at
      FROM event.events
      WHERE (xid, seq) > (:xid, :seq) AND (xid, seq) <= (:last_xid, :last_seq) AND replayed_from IS NULL
    ), measured AS (
      INSERT INTO event.lags (tenant_id, lag_ms, measured_at)
      SELECT tenant_id, GREATEST(0, EXTRACT(epoch FROM clock_timestamp() - min(published_at)) * 1000)::bigint,
        clock_timestamp()
      FROM stretch GROUP BY tenant_id
      ON CONFLICT (tenant_id) DO UPDATE SET lag_ms = excluded.lag_ms, measured_at = excluded.measured_at
    )
    INSERT INTO event.rollups AS r (tenant_id, published_by, day, category, event_type, total)
    SELECT tenant_id, COALESCE(published_by, ''), day, category, event_type, count(*) FROM stretch
    GROUP BY GROUPING SETS (
      (tenant_id, day, category, event_type), (tenant_id, published_by, day, category, event_type))
    ON CONFLICT (tenant_id, published_by, day, category, event_type) DO UPDATE SET total = r.total + excluded.total
    """
)
_PLACE = text("SELECT xid, seq FROM ops.cursors WHERE name = :name")
# The first bound only tells the planner how short the rest of the log is; the second one, read in the same snapshot
# as the roll-ups, makes each event count once.
_COUNTS = text(
    """
    WITH rest AS MATERIALIZED (
      SELECT (published_at AT TIME ZONE 'UTC')::date AS day, category, event_type, published_at FROM event.events
      WHERE (xid, seq) > (:xid, :seq)
        AND (xid, seq) > (COALESCE((SELECT xid FROM ops.cursors WHERE name = :name), 0),
                          COALESCE((SELECT seq FROM ops.cursors WHERE name = :name), 0))
        AND replayed_from IS NULL AND :who IN ('', published_by)
    ), counts AS (
      SELECT day, category, event_type, total FROM event.rollups WHERE published_by = :who
      UNION ALL SELECT day, category, event_type, count(*) FROM rest GROUP BY day, category, event_type
    )
    SELECT day, category, event_type, sum(total)::bigint AS total, (now() AT TIME ZONE 'UTC')::date AS today,
      COALESCE((SELECT EXTRACT(epoch FROM clock_timestamp() - min(published_at)) * 1000 FROM rest),
               (SELECT lag_ms FROM event.lags), 0)::bigint AS lag_ms
    FROM counts GROUP BY GROUPING SETS ((), (day), (category), (event_type))
    """
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The next settled rows after a cursor: where they end, how many, how long (seconds) the oldest waited."""

    end: tuple[int, int]
    rows: int
    waited: float


async def stretch_after(session: AsyncSession, place: tuple[int, int], *, most: int) -> Stretch | None:
    """What a pump at `place` takes next; None when it has reached all that is settled."""
    given = {"xid": place[0], "seq": place[1], "most": most}
    row = (await (await session.connection()).execute(_STRETCH, given)).first()
    return Stretch((row.xid, row.seq), row.rows, row.waited) if row else None


async def roll_up(session: AsyncSession, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Add the events in (start, end] to the counts, and measure how long they had waited."""
    given = {"xid": start[0], "seq": start[1], "last_xid": end[0], "last_seq": end[1]}
    await (await session.connection()).execute(_ROLL_UP, given)


async def statistics(session: AsyncSession, *, published_by: str | None) -> EventStatistics:
    """The tenant's counts, or those of one publisher."""
    connection = await session.connection()
    place = (await connection.execute(_PLACE, {"name": CURSOR})).first()
    given = {"xid": place.xid if place else 0, "seq": place.seq if place else 0}
    rows = (await connection.execute(_COUNTS, given | {"name": CURSOR, "who": published_by or WHOLE_TENANT})).all()
    days: dict[date, int] = {row.day: row.total for row in rows if row.day}
    whole = next(row for row in rows if not (row.day or row.category or row.event_type))
    return EventStatistics(
        total_events=whole.total or 0,
        events_today=days.get(whole.today, 0),
        by_category=_largest({row.category: row.total for row in rows if row.category}),
        by_type=_largest({row.event_type: row.total for row in rows if row.event_type}, TOP_TYPES),
        per_day=[DayCount(day=day, total=days[day]) for day in sorted(days, reverse=True)[:DAYS]],
        processing_lag_ms=max(0, whole.lag_ms),
    )


def _largest(counts: dict[str, int], most: int | None = None) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])
