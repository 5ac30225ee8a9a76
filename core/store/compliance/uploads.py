"""Batches that arrive in parts: opened empty, filled as lines come, sealed at the end, or given up."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import BatchStatus, NewBatch, NewItem
from core.store.compliance.batches import insert_items, new_row
from core.store.platform import locked
from core.tables.compliance import BatchItemRow, BatchRow

ROWS_AT_ONCE = 20_000


async def open_upload(session: AsyncSession, new: NewBatch) -> BatchRow:
    """A batch without items, for which more will come."""
    row = new_row(new, BatchStatus.UPLOADING, total=0, failed=0)
    row.touched_at = datetime.now(UTC)
    session.add(row)
    await session.flush()
    return row


async def add_items(session: AsyncSession, batch_id: str, items: Sequence[NewItem]) -> bool:
    """Write the next items; False if the batch takes no more, because it was cancelled or given up."""
    row = await _uploading(session, batch_id)
    if row is None:
        return False
    await insert_items(session, row, items, first=row.total)
    row.total += len(items)
    row.failed += sum(item.fault is not None for item in items)
    row.touched_at = datetime.now(UTC)
    session.add(row)
    return True


async def seal_upload(session: AsyncSession, batch_id: str) -> BatchRow | None:
    """The batch, complete and ready to be checked; None if it takes no more."""
    row = await _uploading(session, batch_id)
    if row is not None:
        row.status, row.touched_at = BatchStatus.PENDING, None
        session.add(row)
    return row


async def discard_upload(session: AsyncSession, batch_id: str) -> bool:
    """Delete up to 20,000 items of an upload that is given up, and in the end the batch; True when all is gone."""
    row = await _uploading(session, batch_id)
    if row is None:
        return True
    some = select(BatchItemRow.position).where(col(BatchItemRow.batch_id) == batch_id).limit(ROWS_AT_ONCE)
    statement = delete(BatchItemRow).where(col(BatchItemRow.batch_id) == batch_id, col(BatchItemRow.position).in_(some))
    if (await session.exec(statement)).rowcount == ROWS_AT_ONCE:
        return False
    await session.delete(row)
    return True


async def idle_uploads(session: AsyncSession, *, longer_than: timedelta) -> list[str]:
    """Uploads of which nothing came for so long."""
    query = select(BatchRow.batch_id).where(
        col(BatchRow.status) == BatchStatus.UPLOADING, col(BatchRow.touched_at) < func.now() - longer_than
    )
    return list((await session.exec(query)).all())


async def _uploading(session: AsyncSession, batch_id: str) -> BatchRow | None:
    query = select(BatchRow).where(col(BatchRow.batch_id) == batch_id, col(BatchRow.status) == BatchStatus.UPLOADING)
    return (await session.exec(locked(query))).first()
