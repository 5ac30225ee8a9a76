"""Re-scores: opened, carried on from where the last commit was, ended once. Checks are only read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as plain_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import (
    RESCORE_CANCELLED,
    RESCORE_COMPLETED,
    Check,
    RescoreChunk,
    RescoreFigures,
    RescoreStatus,
)
from core.contracts.platform import DomainEvent, Service
from core.store import event
from core.store.compliance.checks import WHOLE, as_check
from core.store.platform import before, locked
from core.tables.compliance import CheckRow, RescoreRow

OPEN = (RescoreStatus.PENDING, RescoreStatus.RUNNING)
_BY_TIME = (col(RescoreRow.created_at), col(RescoreRow.rescore_id))
_NEWEST = (col(CheckRow.created_at), col(CheckRow.check_id))


async def open_rescore(session: AsyncSession, row: RescoreRow) -> RescoreRow:
    """Write a re-score that waits for its workflow, with the number of checks it will judge again."""
    some = plain_select(col(CheckRow.check_id)).where(*_wanted(row)).limit(row.limit).subquery()
    count = plain_select(func.count()).select_from(some)
    row.total = int((await (await session.connection()).execute(count)).scalar_one())
    session.add(row)
    await session.flush()
    return row


def _wanted(row: RescoreRow) -> list[ColumnElement[bool]]:
    """Checks that kept their redacted text, in the time and of the policy asked for."""
    found = [col(CheckRow.redacted).is_not(None), col(CheckRow.created_at) < (row.until or row.created_at)]
    if row.since is not None:
        found.append(col(CheckRow.created_at) >= row.since)
    if row.of_policy is not None:
        found.append(col(CheckRow.policy) == row.of_policy)
    return found


async def rescore_of(session: AsyncSession, rescore_id: str, *, requested_by: str | None) -> RescoreRow | None:
    """A re-score, if this user (None: anyone) may see it."""
    query = select(RescoreRow).where(col(RescoreRow.rescore_id) == rescore_id)
    if requested_by is not None:
        query = query.where(col(RescoreRow.requested_by) == requested_by)
    return (await session.exec(query)).first()


async def list_rescores(
    session: AsyncSession, *, requested_by: str | None, limit: int, after: Sequence[Any] | None
) -> list[RescoreRow]:
    """Newest first; one more than `limit` when there is another page."""
    query = select(RescoreRow).order_by(*(key.desc() for key in _BY_TIME)).limit(limit + 1)
    if requested_by is not None:
        query = query.where(col(RescoreRow.requested_by) == requested_by)
    if after is not None:
        query = query.where(before(_BY_TIME, after))
    return list((await session.exec(query)).all())


async def start_rescore(session: AsyncSession, rescore_id: str) -> RescoreRow | None:
    """The re-score, running from now; None if it is finished or was never there."""
    row = await _locked(session, rescore_id)
    if row is None or row.status not in OPEN:
        return None
    row.status = RescoreStatus.RUNNING
    session.add(row)
    return row


async def next_checks(session: AsyncSession, row: RescoreRow, *, limit: int) -> list[Check]:
    """The checks that follow, newest first, with spans and redacted texts."""
    left = row.limit - RescoreFigures.model_validate(row.result).rescored
    query = plain_select(*WHOLE).where(*_wanted(row)).order_by(*(key.desc() for key in _NEWEST)).limit(min(limit, left))
    if row.place_id is not None:
        query = query.where(before(_NEWEST, (row.place_time, row.place_id)))
    return [as_check(found) for found in (await (await session.connection()).execute(query)).mappings()]


async def settle_rescore(
    session: AsyncSession, known: RescoreRow, figures: RescoreFigures, done: Sequence[Check]
) -> RescoreChunk:
    """Keep what a chunk found, unless the re-score ended meanwhile or another attempt has done the chunk."""
    row = await _locked(session, known.rescore_id)
    if row is None or row.status not in OPEN or row.place_id != known.place_id:
        return RescoreChunk(left=row.total - known.result["rescored"] if row and row.status in OPEN else 0)
    row.result = figures.model_dump(mode="json")
    if done:
        row.place_time, row.place_id = done[-1].created_at, done[-1].check_id
    left = max(0, row.total - figures.rescored) if done else 0
    if not left:
        await _finish(session, row, RescoreStatus.COMPLETED)
    session.add(row)
    return RescoreChunk(rescored=len(done), left=left)


async def cancel_rescore(session: AsyncSession, rescore_id: str) -> RescoreRow | None:
    """Stop it; what it found so far stays. None if it is finished."""
    row = await _locked(session, rescore_id)
    if row is None or row.status not in OPEN:
        return None
    await _finish(session, row, RescoreStatus.CANCELLED)
    session.add(row)
    return row


async def _locked(session: AsyncSession, rescore_id: str) -> RescoreRow | None:
    """The re-score as it is once it is ours, whatever this transaction has read of it before it had to wait."""
    query = select(RescoreRow).where(col(RescoreRow.rescore_id) == rescore_id)
    return (await session.exec(locked(query))).first()


async def _finish(session: AsyncSession, row: RescoreRow, status: RescoreStatus) -> None:
    row.status, row.finished_at = status, datetime.now(UTC)
    counts = {name: row.result[name] for name in ("rescored", "changed")}
    told = DomainEvent(
        event_type=RESCORE_COMPLETED if status is RescoreStatus.COMPLETED else RESCORE_CANCELLED,
        source=Service.COMPLIANCE,
        payload={"rescore_id": row.rescore_id, "total": row.total, **counts, "requested_by": row.requested_by},
        correlation_id=row.correlation_id,
    )
    await event.append(session, row.tenant_id, [told])
