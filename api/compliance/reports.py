"""Reports: asked for as work, read as JSON, HTML with charts, PDF, or CSV."""

from datetime import UTC, datetime

from fastapi import Response
from fastapi.responses import HTMLResponse

from api.app import GONE
from api.compliance.access import PREFIX, Reader, RowId, Writer, router
from api.deps import AppState, PageOf, Session, Starting
from api.unit import State
from core.auth import Caller
from core.contracts.compliance import (
    NewReport,
    Report,
    ReportItem,
    ReportRequest,
    ReportResult,
    ReportStatus,
    ReportType,
    report_run_id,
)
from core.contracts.platform import Page
from core.domain.compliance.figures import days_of
from core.domain.compliance.starting import start_of_report
from core.domain.compliance.tables import as_csv
from core.errors import Conflict, Forbidden, Gone, NotFound
from core.ids import new_id
from core.store import compliance as store
from core.store.platform import decode_cursor, encode_cursor
from core.tables.compliance import ReportRow
from core.telemetry import correlation_id
from core.temporal import workflow_url


@router.post(
    "/reports",
    response_model=Report,
    status_code=202,
    summary="Ask for a report",
    description="Over the tenant's checks; with a user's token, over that user's own.",
)
async def create_report(
    session: Session, starting: Starting, state: AppState, caller: Writer, wanted: ReportRequest, response: Response
) -> Report:
    row = await store.open_report(session, _new(caller, wanted))
    await starting.promise(start_of_report(NewReport.model_validate(row), intent_id=new_id("intent")))
    response.headers["Location"] = f"{PREFIX}/reports/{row.report_id}"
    return Report.model_validate(_known(state, row))


def _new(caller: Caller, wanted: ReportRequest) -> NewReport:
    if wanted.report_type is ReportType.REVIEW_SLA and caller.own_only:
        raise Forbidden("The review queue is the tenant's: ask for this report with a service's or an admin's token.")
    first, last = wanted.first_day, wanted.last_day
    if wanted.period is not None:
        first, last = days_of(wanted.period, datetime.now(UTC).date())
    assert first is not None  # the contract takes a period, or both days
    assert last is not None
    return NewReport(
        report_id=new_id("report"),
        tenant_id=caller.tenant_id,
        report_type=wanted.report_type,
        period=wanted.period,
        first_day=first,
        last_day=last,
        include_details=wanted.include_details,
        requested_by=caller.user_id,
        only_of=caller.own_only,
        correlation_id=wanted.correlation_id or correlation_id.get(),
    )


def _known(state: State, row: ReportRow) -> dict[str, object]:
    workflow_id = report_run_id(row.report_id)
    return {
        **row.model_dump(),
        "workflow_id": workflow_id,
        "workflow_url": workflow_url(state.settings, workflow_id),
    }


@router.get("/reports", response_model=Page[ReportItem], summary="List reports")
async def list_reports(session: Session, state: AppState, caller: Reader, page: PageOf) -> Page[ReportItem]:
    after = decode_cursor(page.cursor, (datetime, str))
    found = await store.list_reports(session, requested_by=caller.own_only, limit=page.limit, after=after)
    more, rows = len(found) > page.limit, found[: page.limit]
    return Page[ReportItem](
        items=[ReportItem.model_validate(_known(state, row)) for row in rows],
        next_cursor=encode_cursor(rows[-1].created_at, rows[-1].report_id) if more else None,
    )


async def _must_find(session: Session, caller: Caller, report_id: str) -> ReportRow:
    row = await store.report_of(session, report_id, requested_by=caller.own_only)
    if row is None:
        raise NotFound(f"There is no report {report_id}.", code="report_not_found")
    return row


async def _must_be_ready(session: Session, caller: Caller, report_id: str) -> ReportRow:
    row = await _must_find(session, caller, report_id)
    if row.status != ReportStatus.COMPLETED:
        raise Conflict("The report is still being made: try again soon.", code="report_not_ready", retry_after=1)
    return row


@router.get("/reports/{report_id}", response_model=Report, summary="Get a report")
async def get_report(session: Session, state: AppState, caller: Reader, report_id: RowId) -> Report:
    return Report.model_validate(_known(state, await _must_find(session, caller, report_id)))


@router.get(
    "/reports/{report_id}/html", response_class=HTMLResponse, summary="A completed report as a page with charts"
)
async def get_report_html(session: Session, caller: Reader, report_id: RowId) -> HTMLResponse:
    row = await _must_be_ready(session, caller, report_id)
    return HTMLResponse(row.html or "")


@router.get(
    "/reports/{report_id}/pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}, 410: GONE},
    summary="A completed report as a PDF",
)
async def get_report_pdf(session: Session, caller: Reader, report_id: RowId) -> Response:
    row = await _must_be_ready(session, caller, report_id)
    if row.pdf is None:
        raise Gone("This report has no PDF any more: a person it named is erased. Ask for it anew.", code="pdf_erased")
    return _download(row.pdf, f"{report_id}.pdf", "application/pdf")


@router.get(
    "/reports/{report_id}/csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    summary="A completed report's figures as CSV",
)
async def get_report_csv(session: Session, caller: Reader, report_id: RowId) -> Response:
    row = await _must_be_ready(session, caller, report_id)
    text = as_csv(ReportResult.model_validate(row.result))
    return _download(text, f"{report_id}.csv", "text/csv; charset=utf-8")


def _download(content: str | bytes, name: str, media_type: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
