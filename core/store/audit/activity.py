"""What each actor did: rolled up by the pump, exact at any time because the rest of the log is counted on top."""

from collections import Counter

from sqlalchemy import func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.audit import ActivitySummary
from core.store.platform import claim_cursor
from core.tables.audit import ActorTotalRow

LARGEST_STEP = 5000

# Two statements, exact together: what lies up to the cursor is in the totals of the same snapshot and never changes;
# what lies beyond it is counted. With the cursor's place as a value, the planner knows how short that rest is.
_ROLLED = text("""
SELECT c.xid, c.seq, t.event_type, t.events, t.last_at
FROM (SELECT coalesce(max(xid), 0) AS xid, coalesce(max(seq), 0) AS seq FROM ops.cursors WHERE name = :pump) c
LEFT JOIN audit.totals t ON t.actor_id = :actor
""")
_REST = text("""
SELECT event_type, count(*) AS events, max(occurred_at) AS last_at
FROM audit.events WHERE actor_id = :actor AND (xid, seq) > (:xid, :seq) GROUP BY event_type
""")

_ROLL_UP = text("""
WITH tail AS MATERIALIZED (
  SELECT tenant_id, actor_id, event_type, occurred_at, recorded_at, xid, seq FROM audit.events
  WHERE (xid, seq) > (:xid, :seq) AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  ORDER BY xid, seq LIMIT :most
), added AS (
  INSERT INTO audit.totals AS t (tenant_id, actor_id, event_type, events, last_at)
  SELECT tenant_id, actor_id, event_type, count(*), max(occurred_at) FROM tail
  GROUP BY tenant_id, actor_id, event_type
  ON CONFLICT (tenant_id, actor_id, event_type)
  DO UPDATE SET events = t.events + EXCLUDED.events, last_at = greatest(t.last_at, EXCLUDED.last_at)
), moved AS (
  UPDATE ops.cursors c SET xid = last.xid, seq = last.seq, moved_at = clock_timestamp()
  FROM (SELECT xid, seq FROM tail ORDER BY xid DESC, seq DESC LIMIT 1) AS last WHERE c.name = :pump
)
SELECT count(*) AS rows, coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0)::float AS lag FROM tail
""")


async def summary(session: AsyncSession, user_id: str, *, pump: str) -> ActivitySummary:
    """Everything this actor did, by type."""
    connection = await session.connection()
    rolled = (await connection.execute(_ROLLED, {"actor": user_id, "pump": pump})).all()
    reached = {"actor": user_id, "xid": rolled[0].xid, "seq": rolled[0].seq}
    rest = (await connection.execute(_REST, reached)).all()
    found = [row for row in (*rolled, *rest) if row.event_type is not None]
    counts = Counter[str]()
    for row in found:
        counts[row.event_type] += row.events
    return ActivitySummary(
        user_id=user_id,
        total_events=counts.total(),
        last_activity=max((row.last_at for row in found), default=None),
        activity_by_type=dict(sorted(counts.items(), key=lambda kept: (-kept[1], kept[0]))),
    )


async def roll_up(session: AsyncSession, *, pump: str, most: int = LARGEST_STEP) -> tuple[int, float]:
    """Add the next events of all tenants to the totals; how many, and the age in seconds of the oldest of them."""
    at = await claim_cursor(session, pump)
    if at is None:
        return 0, 0.0
    given = {"pump": pump, "xid": at[0], "seq": at[1], "most": most}
    moved = (await (await session.connection()).execute(_ROLL_UP, given)).one()
    return moved.rows, moved.lag


async def rolled_up(session: AsyncSession, user_id: str) -> int:
    """How many of this actor's events the totals hold so far."""
    query = select(func.coalesce(func.sum(ActorTotalRow.events), 0)).where(col(ActorTotalRow.actor_id) == user_id)
    return int((await session.exec(query)).one())
