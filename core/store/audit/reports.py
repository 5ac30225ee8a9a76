"""Compliance reports: asked for, made, read as JSON or as a document."""

from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.audit import CreateReport, DocumentFormat, Failure, ReportResult, ReportStatus
from core.store.platform import before, claimed, decode_cursor, encode_cursor
from core.tables.audit import ReportDocumentRow, ReportRow

NEWEST_FIRST = (col(ReportRow.created_at), col(ReportRow.report_id))
UNFINISHED = (ReportStatus.PENDING.value, ReportStatus.RUNNING.value)


async def add_report(
    session: AsyncSession,
    tenant_id: str,
    report_id: str,
    wanted: CreateReport,
    *,
    requested_by: str,
    correlation_id: str | None,
) -> None:
    """Ask for a report; a second time with the same id changes nothing."""
    values = {
        **wanted.model_dump(mode="python"),
        "standard": wanted.standard.value,
        "report_id": report_id,
        "tenant_id": tenant_id,
        "status": ReportStatus.PENDING.value,
        "requested_by": requested_by,
        "correlation_id": correlation_id,
    }
    await session.exec(insert(ReportRow).values(values).on_conflict_do_nothing())


async def find_report(session: AsyncSession, report_id: str) -> ReportRow | None:
    """One report."""
    return await session.get(ReportRow, report_id)


async def list_reports(session: AsyncSession, *, limit: int, cursor: str | None) -> tuple[list[ReportRow], str | None]:
    """One page, newest first, and the cursor of the next."""
    query = select(ReportRow)
    if after := decode_cursor(cursor, (datetime, str)):
        query = query.where(before(NEWEST_FIRST, after))
    query = query.order_by(*(column.desc() for column in NEWEST_FIRST)).limit(limit + 1)
    rows = list((await session.exec(query)).all())
    page = rows[:limit]
    return page, encode_cursor(page[-1].created_at, page[-1].report_id) if len(rows) > limit else None


async def begin_report(session: AsyncSession, report_id: str) -> ReportRow | None:
    """Mark an unfinished report as running; None if there is none to make."""
    await _change(session, report_id, {"status": ReportStatus.RUNNING.value})
    row = await session.get(ReportRow, report_id)
    return row if row and row.status in UNFINISHED else None


async def claim_report(session: AsyncSession, report_id: str) -> ReportRow:
    """A report for whoever makes it in this transaction: an erasure waits for what it has read to be written."""
    return (await session.exec(claimed(select(ReportRow).where(col(ReportRow.report_id) == report_id)))).one()


async def complete_report(
    session: AsyncSession, report: ReportRow, result: ReportResult, documents: dict[DocumentFormat, str]
) -> bool:
    """Keep what a report says; False if it was finished before."""
    kept = to_jsonable_python(result)
    changed = {"status": ReportStatus.COMPLETED.value, "result": kept, "completed_at": func.clock_timestamp()}
    if not await _change(session, report.report_id, changed):
        return False
    key = {"report_id": report.report_id, "tenant_id": report.tenant_id}
    rows = [{**key, "format": kind.value, "content": content} for kind, content in documents.items()]
    await session.exec(insert(ReportDocumentRow).values(rows).on_conflict_do_nothing())
    return True


async def fail_report(session: AsyncSession, report_id: str, failure: Failure) -> bool:
    """Say why a report could not be made; False if it was finished before."""
    changed = {"status": ReportStatus.FAILED.value, "failure": failure.model_dump(), "completed_at": func.now()}
    return await _change(session, report_id, changed)


async def find_document(session: AsyncSession, report_id: str, kind: DocumentFormat) -> str | None:
    """A completed report in one of its formats."""
    row = await session.get(ReportDocumentRow, (report_id, kind.value))
    return row.content if row else None


async def _change(session: AsyncSession, report_id: str, values: dict[str, Any]) -> bool:
    statement = update(ReportRow).where(col(ReportRow.report_id) == report_id, col(ReportRow.status).in_(UNFINISHED))
    return bool((await session.exec(statement.values(**values))).rowcount)
