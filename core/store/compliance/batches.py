"""Batches: opened with their texts, emptied of them as they are checked. A batch's row is the lock on its items."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import RowMapping, func, text, update
from sqlalchemy import select as plain_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import (
    BATCH_CANCELLED,
    BATCH_COMPLETED,
    BATCH_CONTENT,
    MAX_CONTENT_BYTES,
    MAX_LINE_BYTES,
    BatchItem,
    BatchItemResult,
    BatchStatus,
    Check,
    CheckRecord,
    ChunkResult,
    ItemFault,
    ItemStatus,
    NewBatch,
    NewItem,
    item_fault,
)
from core.contracts.platform import DomainEvent, FieldProblem, Service
from core.ids import new_id
from core.store import event
from core.store.compliance.checks import checks_of, record
from core.store.platform import before, locked
from core.store.platform.direct import insert_rows
from core.tables.compliance import BatchItemRow, BatchRow

ITEMS = "compliance.batch_items"
ITEM_COLUMNS = (
    *("batch_id", "position", "tenant_id", "item_id", "check_id", "status", "content", "content_type", "error"),
)
_LINE = "must be a JSON object with content, and of other fields at most id and content_type"
FAULTS = {
    ItemFault.EMPTY: ("content", "must hold at least one character"),
    ItemFault.TOO_LONG: ("content", "holds more bytes of UTF-8 than the policy takes: send it in parts"),
    ItemFault.INVALID: ("content", "must be a text without NUL characters"),
    ItemFault.MALFORMED: ("content", "is not what its content type says"),
    ItemFault.TOO_DEEP: ("content", "is nested too deep"),
    ItemFault.UNSUPPORTED: ("content_type", f"must be one of: {', '.join(BATCH_CONTENT)}"),
    ItemFault.ID: ("id", "must be a text of 1 to 200 characters"),
    ItemFault.LINE: ("", _LINE),
    ItemFault.LINE_TOO_LONG: ("", f"may hold at most {MAX_LINE_BYTES} bytes"),
}
OPEN = (BatchStatus.PENDING, BatchStatus.RUNNING)
_BY_TIME = (col(BatchRow.created_at), col(BatchRow.batch_id))
# Items up to a sum of characters: long texts are not read only to be left for the next time. One is always read.
_PENDING = text("""
SELECT position, item_id, check_id, content, content_type FROM (
  SELECT *, sum(length(content)) OVER (ORDER BY position) - length(content) AS before FROM (
    SELECT position, item_id, check_id, content, content_type FROM compliance.batch_items
    WHERE batch_id = :batch AND status = 'pending' AND position >= :first AND position < :end
    ORDER BY position LIMIT :limit
  ) AS waiting
) AS summed WHERE before < :characters ORDER BY position
""")


async def open_batch(
    session: AsyncSession, new: NewBatch, items: Sequence[BatchItem], *, limit: int = MAX_CONTENT_BYTES
) -> BatchRow:
    """Write a batch and its items, or find it written. An item that cannot be checked has failed already, and its text
    is not written. `limit`: the longest text, in bytes of UTF-8."""
    if known := await session.get(BatchRow, new.batch_id):
        return known
    rows = [
        NewItem(item.id, item.content, item.content_type, item_fault(item.content, item.content_type, limit=limit))
        for item in items
    ]
    row = new_row(new, BatchStatus.PENDING, total=len(rows), failed=sum(one.fault is not None for one in rows))
    session.add(row)
    await session.flush()
    await insert_items(session, row, rows, first=0)
    return row


def new_row(new: NewBatch, status: BatchStatus, *, total: int, failed: int) -> BatchRow:
    """A batch's row, not yet added."""
    known = new.model_dump(mode="json")
    return BatchRow(**known, status=status, total=total, failed=failed, created_at=datetime.now(UTC))


async def insert_items(session: AsyncSession, batch: BatchRow, items: Iterable[NewItem], *, first: int) -> None:
    """Write items at the places from `first` on."""
    rows = [_item(batch, position, item) for position, item in enumerate(items, first)]
    await insert_rows(session, ITEMS, ITEM_COLUMNS, rows)


def _item(batch: BatchRow, position: int, item: NewItem) -> tuple[object, ...]:
    status, content = (ItemStatus.FAILED, None) if item.fault else (ItemStatus.PENDING, item.content)
    place = (batch.batch_id, position, batch.tenant_id, item.item_id, new_id("chk"))
    return (*place, status, content, item.content_type, item.fault)


async def list_batches(
    session: AsyncSession,
    *,
    checked_by: str | None,
    status: BatchStatus | None,
    limit: int,
    after: Sequence[Any] | None,
) -> list[BatchRow]:
    """Newest first, of this user (None: anyone); one more than `limit` when there is another page."""
    query = select(BatchRow).order_by(*(key.desc() for key in _BY_TIME)).limit(limit + 1)
    if checked_by is not None:
        query = query.where(col(BatchRow.checked_by) == checked_by)
    if status is not None:
        query = query.where(col(BatchRow.status) == status)
    if after is not None:
        query = query.where(before(_BY_TIME, after))
    return list((await session.exec(query)).all())


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
    field, message = FAULTS[ItemFault(error)]
    return FieldProblem(field=f"items[{position}].{field}".rstrip("."), message=message, code=error)


async def start_batch(session: AsyncSession, batch_id: str) -> BatchRow | None:
    """The batch, running from now; None if it is finished or was never there."""
    row = await batch_of(session, batch_id, checked_by=None)
    if row is not None and row.status == BatchStatus.RUNNING:
        return row  # no lock: ranges that are written meanwhile hold it
    row = await _locked(session, batch_id)
    if row is None or row.status not in OPEN:
        return None
    row.status = BatchStatus.RUNNING
    session.add(row)
    return row


async def pending_items(
    session: AsyncSession, batch_id: str, *, limit: int, characters: int, first: int = 0, end: int = 2**31 - 1
) -> list[BatchItemRow]:
    """The first items that wait from place `first` up to `end`, with their texts: so many, with about so many
    characters."""
    wanted = {"batch": batch_id, "first": first, "end": end, "limit": limit, "characters": characters}
    rows = (await (await session.connection()).execute(_PENDING, wanted)).mappings()
    return [BatchItemRow(**row) for row in rows]


async def settle_items(
    session: AsyncSession,
    batch_id: str,
    records: Sequence[CheckRecord],
    faults: Mapping[str, ItemFault] = MappingProxyType({}),
) -> ChunkResult:
    """Write the checks of items that still wait, delete their texts, and complete the batch after the last.

    `faults`: what is wrong with items that turned out not to be checkable, by the ids that their checks would have had.
    """
    batch = await _locked(session, batch_id)
    if batch is None or batch.status not in OPEN:
        return ChunkResult()
    moved = await _empty(session, batch_id, [one.check.check_id for one in records])
    fresh = [one for one in records if one.check.check_id in moved]
    await record(session, batch.tenant_id, fresh)
    for fault in set(faults.values()):
        failed = [check_id for check_id, found in faults.items() if found is fault]
        batch.failed += len(await _empty(session, batch_id, failed, fault))
    batch.by_status = dict(Counter(batch.by_status) + Counter(one.check.status.value for one in fresh))
    left = _left(batch)
    if not left:
        await _finish(session, batch, BatchStatus.COMPLETED)
    session.add(batch)
    return ChunkResult(checked=len(fresh), left=left)


async def range_result(session: AsyncSession, batch_id: str, first: int, end: int) -> ChunkResult:
    """How many items from place `first` up to `end` are checked, whoever did it, and how many of the batch wait."""
    query = (
        plain_select(func.count())
        .select_from(BatchItemRow)
        .where(col(BatchItemRow.batch_id) == batch_id, col(BatchItemRow.status) == ItemStatus.CHECKED)
        .where(col(BatchItemRow.position) >= first, col(BatchItemRow.position) < end)
    )
    checked = (await (await session.connection()).execute(query)).scalar_one()
    batch = await batch_of(session, batch_id, checked_by=None)
    return ChunkResult(checked=checked, left=_left(batch) if batch else 0)


async def cancel_batch(session: AsyncSession, batch_id: str) -> BatchRow | None:
    """Give up the items that still wait and delete their texts; what is checked stays. None if it is finished.

    An upload that is cancelled takes no more lines.
    """
    batch = await _locked(session, batch_id)
    if batch is None or batch.status not in (*OPEN, BatchStatus.UPLOADING):
        return None
    statement = update(BatchItemRow).where(_waiting(batch_id)).values(status=ItemStatus.CANCELLED, content=None)
    batch.cancelled = (await session.exec(statement)).rowcount
    await _finish(session, batch, BatchStatus.CANCELLED)
    session.add(batch)
    return batch


def _left(batch: BatchRow) -> int:
    return batch.total - batch.failed - batch.cancelled - sum(batch.by_status.values())


async def _locked(session: AsyncSession, batch_id: str) -> BatchRow | None:
    """The batch as it is once it is ours, whatever this transaction has read of it before it had to wait."""
    query = select(BatchRow).where(col(BatchRow.batch_id) == batch_id)
    return (await session.exec(locked(query))).first()


def _waiting(batch_id: str) -> Any:
    return (col(BatchItemRow.batch_id) == batch_id) & (col(BatchItemRow.status) == ItemStatus.PENDING)


async def _empty(
    session: AsyncSession, batch_id: str, check_ids: Sequence[str], fault: ItemFault | None = None
) -> set[str]:
    status = ItemStatus.FAILED if fault else ItemStatus.CHECKED
    statement = (
        update(BatchItemRow)
        .where(_waiting(batch_id), col(BatchItemRow.check_id).in_(check_ids))
        .values(status=status, content=None, error=fault)
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
