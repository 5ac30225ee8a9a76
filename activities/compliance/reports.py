"""Reports made: counters added up, a page drawn."""

from datetime import UTC, datetime, time, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from core.contracts.compliance import (
    BUILD_REPORT,
    MAX_REPORT_CHECKS,
    NewReport,
    ReportDetails,
    ReportedCheck,
    ReportInput,
    ReportOutcome,
    ReportResult,
    ReportStatus,
    ReportType,
)
from core.domain.compliance.figures import summarise
from core.ports import CheckReportPrinter, Transactions
from core.store import compliance as store
from core.tables.compliance import ReportRow


class ReportActivities:
    """Collaborators: the database, what makes a report a page."""

    def __init__(self, database: Transactions, *, printer: CheckReportPrinter) -> None:
        self._database, self._printer = database, printer

    @activity.defn(name=BUILD_REPORT)
    async def build_report(self, wanted: ReportInput) -> ReportOutcome:
        """Add up the counters, draw the page, keep both. A report that is completed already stays as it is."""
        async with self._database.begin(wanted.tenant_id) as session:
            row = await store.report_of(session, wanted.report_id, requested_by=None)
            if row is None or row.status == ReportStatus.COMPLETED:
                return ReportOutcome(report_id=wanted.report_id)
            result = await _figures(session, row)
        html = await self._printer.html(NewReport.model_validate(row), result)
        async with self._database.begin(wanted.tenant_id) as session:
            await store.complete_report(session, row, result, html)
        return ReportOutcome(report_id=wanted.report_id, total_checks=result.total_checks)


async def _figures(session: AsyncSession, row: ReportRow) -> ReportResult:
    counts = await store.counts(session, who=row.only_of, first=row.first_day, last=row.last_day)
    result = summarise(ReportType(row.report_type), counts)
    if row.include_details:
        result.details = await _details(session, row)
    return result


async def _details(session: AsyncSession, row: ReportRow) -> ReportDetails:
    found = await store.checks_found(
        session,
        who=row.only_of,
        of_pii=row.report_type == ReportType.PII_SUMMARY,
        since=datetime.combine(row.first_day, time.min, tzinfo=UTC),
        until=datetime.combine(row.last_day + timedelta(days=1), time.min, tzinfo=UTC),
        limit=MAX_REPORT_CHECKS + 1,
    )
    listed = [ReportedCheck.model_validate(dict(check)) for check in found[:MAX_REPORT_CHECKS]]
    return ReportDetails(checks=listed, truncated=len(found) > MAX_REPORT_CHECKS)
