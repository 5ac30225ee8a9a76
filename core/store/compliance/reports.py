"""Reports: opened before their workflow starts, completed once."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import REPORT_COMPLETED, NewReport, ReportResult, ReportStatus
from core.contracts.platform import DomainEvent, Service
from core.store import event
from core.store.platform import before, claimed
from core.tables.compliance import DayRow, ReportRow

# What lists and answers do not show is not read either.
_PAGES = [defer(getattr(ReportRow, name)) for name in ("html", "pdf")]
_BY_TIME = (col(ReportRow.created_at), col(ReportRow.report_id))


async def open_report(session: AsyncSession, new: NewReport) -> ReportRow:
    """Write a report that waits for its workflow, or find it written."""
    if known := await session.get(ReportRow, new.report_id):
        return known
    row = ReportRow(**new.model_dump(), status=ReportStatus.PENDING, created_at=datetime.now(UTC))
    session.add(row)
    await session.flush()
    return row


async def report_of(session: AsyncSession, report_id: str, *, requested_by: str | None) -> ReportRow | None:
    """A report, if this user (None: anyone) may see it."""
    query = select(ReportRow).where(col(ReportRow.report_id) == report_id)
    if requested_by is not None:
        query = query.where(col(ReportRow.requested_by) == requested_by)
    return (await session.exec(query)).first()


async def claim_report(session: AsyncSession, report_id: str) -> ReportRow | None:
    """A report for whoever makes it in this transaction: an erasure waits for what it has read to be written."""
    return (await session.exec(claimed(select(ReportRow).where(col(ReportRow.report_id) == report_id)))).first()


async def list_reports(
    session: AsyncSession, *, requested_by: str | None, limit: int, after: Sequence[Any] | None
) -> list[ReportRow]:
    """Newest first; one more than `limit` when there is another page."""
    query = select(ReportRow).options(*_PAGES)
    query = query.order_by(*(key.desc() for key in _BY_TIME)).limit(limit + 1)
    if requested_by is not None:
        query = query.where(col(ReportRow.requested_by) == requested_by)
    if after is not None:
        query = query.where(before(_BY_TIME, after))
    return list((await session.exec(query)).all())


async def complete_report(
    session: AsyncSession, row: ReportRow, result: ReportResult, *, html: str, pdf: bytes
) -> bool:
    """Keep the result and tell the world, unless another attempt has done so."""
    waits = (col(ReportRow.report_id) == row.report_id) & (col(ReportRow.status) == ReportStatus.PENDING)
    values = {
        "status": ReportStatus.COMPLETED,
        "result": result.model_dump(mode="json"),
        "html": html,
        "pdf": pdf,
        "completed_at": func.now(),
    }
    if not (await session.exec(update(ReportRow).where(waits).values(values))).rowcount:
        return False
    told = DomainEvent(
        event_type=REPORT_COMPLETED,
        source=Service.COMPLIANCE,
        payload={"report_id": row.report_id, "report_type": row.report_type, "requested_by": row.requested_by},
        correlation_id=row.correlation_id,
    )
    await event.append(session, row.tenant_id, [told])
    return True


async def tenants_with_checks(session: AsyncSession, *, first: date, last: date) -> Sequence[str]:
    """The tenants that had anything checked on these days (both included)."""
    days = col(DayRow.day).between(first, last)
    query = select(DayRow.tenant_id).where(col(DayRow.who) == "", days).distinct().order_by(col(DayRow.tenant_id))
    return (await session.exec(query)).all()


async def open_scheduled(session: AsyncSession, reports: Sequence[NewReport]) -> set[str]:
    """Write those that were not opened before; the ids of the new ones."""
    rows = [{**one.model_dump(), "status": ReportStatus.PENDING} for one in reports]
    statement = insert(ReportRow).on_conflict_do_nothing().returning(col(ReportRow.report_id))
    return set((await (await session.connection()).execute(statement, rows)).scalars()) if rows else set()
