"""Replays: asked for, counted, copied chunk by chunk, listed. The row holds the place a replay has reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, text, tuple_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.event import CHANNEL
from core.contracts.event.replay import ReplayRequest, ReplayStatus
from core.ids import new_id, new_ids
from core.store import platform
from core.store.event.log import EventFilter
from core.store.platform import direct
from core.tables.event import EventRow, ReplayRow

OPEN = (ReplayStatus.PENDING.value, ReplayStatus.RUNNING.value)
_COPY = text(
    """
    INSERT INTO event.events (event_id, tenant_id, stream, event_type, category, source, payload, published_by,
      correlation_id, causation_id, occurred_at, published_at, replayed_from)
    SELECT n.new_id, e.tenant_id, :stream, e.event_type, e.category, e.source, e.payload, e.published_by,
      e.correlation_id, e.causation_id, e.occurred_at, :now, e.event_id
    FROM unnest(CAST(:new_ids AS text[]), CAST(:old_ids AS text[])) AS n (new_id, old_id)
    JOIN event.events e ON e.event_id = n.old_id
    ORDER BY n.new_id
    ON CONFLICT (tenant_id, stream, replayed_from) WHERE replayed_from IS NOT NULL DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a replay."""

    tenant_id: str
    by: str
    correlation_id: str | None = None


async def create(
    session: AsyncSession, request: ReplayRequest, asked: Asked, *, replay_id: str | None = None
) -> ReplayRow:
    """Keep a replay to be run. Without an end it ends now."""
    now = datetime.now(UTC)
    row = ReplayRow(
        replay_id=replay_id or new_id("replay"),
        tenant_id=asked.tenant_id,
        status=ReplayStatus.PENDING.value,
        from_timestamp=request.from_timestamp,
        to_timestamp=request.to_timestamp or now,
        event_types=list(request.event_types),
        source_stream=request.source_stream,
        target_stream=request.target_stream,
        copied=0,
        skipped=0,
        requested_by=asked.by,
        correlation_id=asked.correlation_id,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    return row


async def get(session: AsyncSession, replay_id: str, *, lock: bool = False) -> ReplayRow | None:
    """One replay; `lock` holds its row until the transaction ends."""
    query = select(ReplayRow).where(col(ReplayRow.replay_id) == replay_id)
    return (await session.exec(platform.locked(query) if lock else query)).first()


async def find(
    session: AsyncSession, *, status: str | None, after: Sequence[Any] | None, limit: int
) -> Sequence[ReplayRow]:
    """Replays, newest first."""
    order = [col(ReplayRow.replay_id)]
    query = select(ReplayRow).order_by(order[0].desc()).limit(limit)
    if status is not None:
        query = query.where(col(ReplayRow.status) == status)
    if after is not None:
        query = query.where(platform.before(order, after))
    return (await session.exec(query)).all()


async def begin(session: AsyncSession, row: ReplayRow, wanted: EventFilter) -> None:
    """Count what there is to copy and set the replay running; one that runs already goes on from its place."""
    if row.status != ReplayStatus.PENDING.value:
        return
    count = select(func.count()).select_from(EventRow).where(*wanted.clauses(), _known(row))
    row.total = (await session.exec(count)).one()
    row.status, row.started_at = ReplayStatus.RUNNING.value, datetime.now(UTC)
    session.add(row)
    await session.flush()


async def copy_chunk(session: AsyncSession, row: ReplayRow, wanted: EventFilter, *, size: int) -> bool:
    """Copy the next events after the replay's place, oldest first, and move the place on; False when none is left."""
    order = [col(EventRow.occurred_at), col(EventRow.event_id)]
    columns = select(EventRow.occurred_at, EventRow.event_id)
    query = columns.where(*wanted.clauses(), _known(row)).order_by(*order).limit(size)
    if row.reached_at is not None and row.reached_id is not None:
        query = query.where(_after(row.reached_at, row.reached_id))
    found = (await session.exec(query)).all()
    if not found:
        return False
    given = {
        "stream": row.target_stream,
        "now": datetime.now(UTC),
        "new_ids": new_ids("evt", len(found)),
        "old_ids": [event_id for _, event_id in found],
    }
    copied = (await (await session.connection()).execute(_COPY, given)).rowcount
    row.copied += copied
    row.skipped += len(found) - copied
    row.reached_at, row.reached_id = found[-1]
    session.add(row)
    await session.flush()
    await direct.notify(session, CHANNEL)
    return len(found) == size


async def finish(session: AsyncSession, replay_id: str, status: ReplayStatus) -> bool:
    """End a replay that has not ended; False if it had."""
    statement = (
        update(ReplayRow)
        .where(col(ReplayRow.replay_id) == replay_id, col(ReplayRow.status).in_(OPEN))
        .values(status=status.value, finished_at=func.clock_timestamp())
    )
    return bool((await session.exec(statement)).rowcount)


def _known(row: ReplayRow) -> ColumnElement[bool]:
    """Only what was published before the replay was asked for: a fixed set, whatever arrives meanwhile."""
    return col(EventRow.published_at) <= row.created_at


def _after(moment: datetime, event_id: str) -> ColumnElement[bool]:
    return tuple_(col(EventRow.occurred_at), col(EventRow.event_id)) > tuple_(moment, event_id)
