"""Batches: opened with their texts, emptied of them as they are checked. A batch's row is the lock on its items."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, update
from sqlalchemy import select as plain_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import (
    BATCH_CANCELLED,
    BATCH_COMPLETED,
    MAX_CONTENT_BYTES,
    BatchItem,
    BatchItemResult,
    BatchStatus,
    Check,
    CheckRecord,
    ChunkResult,
    ItemFault,
    ItemStatus,
    NewBatch,
    item_fault,
)
from core.contracts.platform import DomainEvent, FieldProblem, Service
from core.ids import new_id
from core.store import event
from core.store.compliance.checks import checks_of, record
from core.store.platform import insert_rows
from core.tables.compliance import BatchItemRow, BatchRow

ITEMS = "compliance.batch_items"
ITEM_COLUMNS = ("batch_id", "position", "tenant_id", "item_id", "check_id", "status", "content", "error")
FAULTS = {
    ItemFault.EMPTY: "must hold at least one character",
    ItemFault.TOO_LONG: f"may hold at most {MAX_CONTENT_BYTES} bytes of UTF-8: send it in parts",
}
OPEN = (BatchStatus.PENDING, BatchStatus.RUNNING)


async def open_batch(session: AsyncSession, new: NewBatch, items: Sequence[BatchItem]) -> BatchRow:
    """Write a batch and its items, or find it written. An item that cannot be checked has failed already, and its text
    is not written."""
    if known := await session.get(BatchRow, new.batch_id):
        return known
    faults = [item_fault(item.content) for item in items]
    row = BatchRow(
        **new.model_dump(mode="json"),
        status=BatchStatus.PENDING,
        total=len(items),
        failed=sum(fault is not None for fault in faults),
        created_at=datetime.now(UTC),
    )
    session.add(row)
    await session.flush()
    rows = [_item(new, position, item, fault) for position, (item, fault) in enumerate(zip(items, faults, strict=True))]
    await insert_rows(session, ITEMS, ITEM_COLUMNS, rows)
    return row


def _item(new: NewBatch, position: int, item: BatchItem, fault: ItemFault | None) -> tuple[object, ...]:
    status = ItemStatus.FAILED if fault else ItemStatus.PENDING
    content = None if fault else item.content
    return (new.batch_id, position, new.tenant_id, item.id, new_id("chk"), status, content, fault)


async def batch_of(session: AsyncSession, batch_id: str, *, checked_by: str | None) -> BatchRow | None:
    """A batch, if this user (None: anyone) may see it."""
    query = select(BatchRow).where(col(BatchRow.batch_id) == batch_id)
    if checked_by is not None:
        query = query.where(col(BatchRow.checked_by) == checked_by)
    return (await session.exec(query)).first()


async def is_open(session: AsyncSession, batch_id: str) -> bool:
    """Whether some of its items still wait."""
    status = (await session.exec(select(BatchRow.status).where(col(BatchRow.batch_id) == batch_id))).first()
    return status in OPEN


async def item_results(
    session: AsyncSession, batch_id: str, *, limit: int, after: int = -1, spans: bool = False
) -> list[BatchItemResult]:
    """What became of the items, in the order of the request; one more than `limit` if more follow."""
    names = ("position", "item_id", "check_id", "status", "error")
    query = (
        plain_select(*(getattr(BatchItemRow, name) for name in names))
        .where(col(BatchItemRow.batch_id) == batch_id, col(BatchItemRow.position) > after)
        .order_by(col(BatchItemRow.position))
        .limit(limit + 1)
    )
    items = (await (await session.connection()).execute(query)).mappings().all()
    checks = await checks_of(session, [item["check_id"] for item in items], whole=spans)
    return [_result(item, checks.get(item["check_id"])) for item in items]


def _result(item: RowMapping, check: Check | None) -> BatchItemResult:
    place: dict[str, Any] = {"index": item["position"], "id": item["item_id"]}
    if check is None:
        return BatchItemResult(**place, status=ItemStatus(item["status"]), error=_problem(**item))
    return BatchItemResult(**place, **check.model_dump(include={"status", "check_id", "risk_level", "results"}))


def _problem(position: int, error: str | None, **_: object) -> FieldProblem | None:
    if error is None:
        return None
    return FieldProblem(field=f"items[{position}].content", message=FAULTS[ItemFault(error)], code=error)


async def start_batch(session: AsyncSession, batch_id: str) -> BatchRow | None:
    """The batch, running from now; None if it is finished or was never there."""
    row = await _locked(session, batch_id)
    if row is None or row.status not in OPEN:
        return None
    row.status = BatchStatus.RUNNING
    session.add(row)
    return row


async def pending_items(session: AsyncSession, batch_id: str, *, limit: int) -> list[BatchItemRow]:
    """The first items that wait, with their texts."""
    query = select(BatchItemRow).where(_waiting(batch_id)).order_by(col(BatchItemRow.position)).limit(limit)
    return list((await session.exec(query)).all())


async def settle_items(session: AsyncSession, batch_id: str, records: Sequence[CheckRecord]) -> ChunkResult:
    """Write the checks of items that still wait, delete their texts, and complete the batch after the last."""
    batch = await _locked(session, batch_id)
    if batch is None or batch.status not in OPEN:
        return ChunkResult()
    moved = await _empty(session, batch_id, [one.check.check_id for one in records])
    fresh = [one for one in records if one.check.check_id in moved]
    await record(session, batch.tenant_id, fresh)
    sums = Counter(batch.by_status) + Counter(one.check.status.value for one in fresh)
    batch.by_status = dict(sums)
    left = batch.total - batch.failed - sums.total()
    if not left:
        await _finish(session, batch, BatchStatus.COMPLETED)
    session.add(batch)
    return ChunkResult(checked=len(fresh), left=left)


async def cancel_batch(session: AsyncSession, batch_id: str) -> BatchRow | None:
    """Give up the items that still wait and delete their texts; what is checked stays. None if it is finished."""
    batch = await _locked(session, batch_id)
    if batch is None or batch.status not in OPEN:
        return None
    statement = update(BatchItemRow).where(_waiting(batch_id)).values(status=ItemStatus.CANCELLED, content=None)
    batch.cancelled = (await session.exec(statement)).rowcount
    await _finish(session, batch, BatchStatus.CANCELLED)
    session.add(batch)
    return batch


async def _locked(session: AsyncSession, batch_id: str) -> BatchRow | None:
    query = select(BatchRow).where(col(BatchRow.batch_id) == batch_id).with_for_update()
    return (await session.exec(query)).first()


def _waiting(batch_id: str) -> Any:
    return (col(BatchItemRow.batch_id) == batch_id) & (col(BatchItemRow.status) == ItemStatus.PENDING)


async def _empty(session: AsyncSession, batch_id: str, check_ids: Sequence[str]) -> set[str]:
    statement = (
        update(BatchItemRow)
        .where(_waiting(batch_id), col(BatchItemRow.check_id).in_(check_ids))
        .values(status=ItemStatus.CHECKED, content=None)
        .returning(col(BatchItemRow.check_id))
    )
    return set((await (await session.connection()).execute(statement)).scalars())


async def _finish(session: AsyncSession, batch: BatchRow, status: BatchStatus) -> None:
    batch.status, batch.finished_at = status, datetime.now(UTC)
    told = DomainEvent(
        event_type=BATCH_COMPLETED if status is BatchStatus.COMPLETED else BATCH_CANCELLED,
        source=Service.COMPLIANCE,
        payload={
            "batch_id": batch.batch_id,
            "total": batch.total,
            "failed": batch.failed,
            "cancelled": batch.cancelled,
            "by_status": dict(batch.by_status),
            "checked_by": batch.checked_by,
        },
        correlation_id=batch.correlation_id,
    )
    await event.append(session, batch.tenant_id, [told])
