"""Compliance reports: ask for one, watch it, read it as JSON, HTML or CSV."""

import asyncio
from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import HTMLResponse
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from api.audit.access import PREFIX, Id, Manager, router
from api.deps import AppState, PageOf, Session, Starting
from api.unit import State
from core.contracts.audit import (
    QUEUE,
    REPORT_RUN,
    CreateReport,
    DocumentFormat,
    Report,
    ReportItem,
    ReportRef,
    ReportResult,
    ReportStatus,
    report_run_id,
)
from core.contracts.platform import AuditEntry, Intent, Page, Service
from core.domain import audit as rules
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.store import audit as store
from core.tables.audit import ReportRow
from core.telemetry import correlation_id
from core.temporal import workflow_url

REQUESTED = "compliance.report.requested"
# The page carries its style and its drawings in itself and needs nothing else, so nothing else may load.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


@router.post(
    "/compliance/reports", status_code=202, response_model=ReportItem, summary="Make a compliance report over a period"
)
async def create_report(
    wanted: CreateReport, caller: Manager, session: Session, starting: Starting, state: AppState, response: Response
) -> ReportItem:
    report_id, correlation = new_id("report"), correlation_id.get()
    await store.add_report(
        session, caller.tenant_id, report_id, wanted, requested_by=caller.user_id, correlation_id=correlation
    )
    entry = AuditEntry(
        event_type=REQUESTED,
        actor_id=caller.user_id,
        action="create",
        resource_type="compliance_report",
        resource_id=report_id,
        category="data_access",
        metadata={"standard": wanted.standard.value},
        correlation_id=correlation,
    )
    await store.append_entries(session, caller.tenant_id, [entry])
    intent = Intent(
        intent_id=new_id("intent"),
        tenant_id=caller.tenant_id,
        workflow_id=report_run_id(report_id),
        workflow_type=REPORT_RUN,
        queue=QUEUE,
        payload=ReportRef(tenant_id=caller.tenant_id, report_id=report_id).model_dump(mode="json"),
        service=Service.AUDIT,
        user_id=caller.user_id,
        correlation_id=correlation,
        summary=f"{wanted.standard.value} report {report_id}",
    )
    await starting.promise(intent)
    response.headers["Location"] = f"{PREFIX}/compliance/reports/{report_id}"
    return _item(state, await _must_find(session, report_id))


@router.get("/compliance/reports", response_model=Page[ReportItem], summary="Compliance reports, newest first")
async def list_reports(page: PageOf, _: Manager, session: Session, state: AppState) -> Page[ReportItem]:
    rows, following = await store.list_reports(session, limit=page.limit, cursor=page.cursor)
    return Page[ReportItem](items=[_item(state, row) for row in rows], next_cursor=following)


@router.get("/compliance/reports/{report_id}", response_model=Report, summary="A report; `result` once completed")
async def get_report(report_id: Id, _: Manager, session: Session, state: AppState) -> Report:
    row = await _must_find(session, report_id)
    return Report.model_validate({**row.model_dump(), **_links(state, report_id)})


@router.get(
    "/compliance/reports/{report_id}/html",
    response_class=HTMLResponse,
    summary="A completed report as one page with charts, to read or print",
)
async def read_page(report_id: Id, _: Manager, session: Session) -> HTMLResponse:
    await _must_be_completed(session, report_id)
    page = await store.find_document(session, report_id, DocumentFormat.HTML)
    return HTMLResponse(page, headers=PAGE_HEADERS)


@router.get(
    "/compliance/reports/{report_id}/csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    summary="A completed report's figures, or the events behind it, as CSV",
)
async def read_csv(
    report_id: Id,
    _: Manager,
    session: Session,
    part: Annotated[Literal["figures", "events"], Query(description="events needs `include_details`")] = "figures",
) -> Response:
    row = await _must_be_completed(session, report_id)
    content = await asyncio.to_thread(_csv, ReportResult.model_validate(row.result), part)
    name = f'attachment; filename="{report_id}-{part}.csv"'
    return Response(content, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


async def _must_find(session: AsyncSession, report_id: str) -> ReportRow:
    row = await store.find_report(session, report_id)
    if row is None:
        raise NotFound(f"There is no report {report_id}.", code="report_not_found")
    return row


async def _must_be_completed(session: AsyncSession, report_id: str) -> ReportRow:
    row = await _must_find(session, report_id)
    if row.status != ReportStatus.COMPLETED:
        detail = f"The report is {row.status}: read it once it is completed."
        raise Conflict(detail, code="report_not_ready")
    return row


def _csv(result: ReportResult, part: str) -> str:
    """Made when it is read: so it says what the result says, whoever has been erased from that meanwhile."""
    if part == "figures":
        return rules.figures_csv(result)
    if result.details is None:
        raise NotFound("The report lists no events: ask for one with include_details.", code="document_not_found")
    return rules.events_csv(result.details)


def _item(state: State, row: ReportRow) -> ReportItem:
    return ReportItem.model_validate({**row.model_dump(exclude={"result"}), **_links(state, row.report_id)})


def _links(state: State, report_id: str) -> dict[str, str]:
    workflow_id = report_run_id(report_id)
    return {"workflow_id": workflow_id, "workflow_url": workflow_url(state.settings, workflow_id)}
