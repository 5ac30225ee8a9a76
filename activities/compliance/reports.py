"""Reports made: counters added up, a page drawn."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from core.contracts.compliance import (
    BUILD_REPORT,
    MAX_REPORT_CHECKS,
    OPEN_REPORTS,
    SCHEDULER,
    NewReport,
    OpenedReports,
    PolicyFigures,
    ReportDetails,
    ReportedCheck,
    ReportInput,
    ReportOutcome,
    ReportResult,
    ReportStatus,
    ReportType,
    ScheduledReports,
)
from core.domain.compliance.figures import month_before, summarise
from core.domain.compliance.review_figures import review_figures, reviewed_by_policy
from core.domain.compliance.starting import start_of_report
from core.ids import new_id
from core.ports import CheckReportPrinter, Transactions
from core.store import compliance as store
from core.store.compliance.reviews import figures as reviews
from core.store.platform import add_intents
from core.tables.compliance import ReportRow

AT_ONCE = 4
"""Reports made by one worker at a time: each keeps a connection until its pages are drawn."""


class ReportActivities:
    """Collaborators: the database, what makes a report a page."""

    def __init__(self, database: Transactions, *, printer: CheckReportPrinter) -> None:
        self._database, self._printer, self._turn = database, printer, asyncio.Semaphore(AT_ONCE)

    @activity.defn(name=BUILD_REPORT)
    async def build_report(self, wanted: ReportInput) -> ReportOutcome:
        """Add up the counters, draw the page, keep both. A report that is completed already stays as it is."""
        async with self._turn, self._database.begin(wanted.tenant_id) as session:
            row = await store.claim_report(session, wanted.report_id)
            if row is None or row.status == ReportStatus.COMPLETED:
                return ReportOutcome(report_id=wanted.report_id)
            result = await _figures(session, row)
            printed = await self._printer.print(NewReport.model_validate(row), result)
            await store.complete_report(session, row, result, html=printed.html, pdf=printed.pdf)
        return ReportOutcome(report_id=wanted.report_id, total_checks=result.total_checks)

    @activity.defn(name=OPEN_REPORTS)
    async def open_scheduled(self, wanted: ScheduledReports) -> OpenedReports:
        """Open last month's reports of every tenant that had anything checked. Run again, it opens none twice."""
        first, last = month_before(wanted.today or datetime.now(UTC).date())
        async with self._database.begin_all() as session:
            tenants = await store.tenants_with_checks(session, first=first, last=last)
        opened = 0
        for tenant_id in tenants:
            opened += await self._open(tenant_id, first, last)
            activity.heartbeat(opened)
        return OpenedReports(opened=opened)

    async def _open(self, tenant_id: str, first: date, last: date) -> int:
        reports = [_monthly(tenant_id, report_type, first, last) for report_type in ReportType]
        async with self._database.begin(tenant_id) as session:
            opened = await store.open_scheduled(session, reports)
            fresh = [report for report in reports if report.report_id in opened]
            await add_intents(session, [start_of_report(one, intent_id=new_id("intent")) for one in fresh])
        return len(opened)


def _monthly(tenant_id: str, report_type: ReportType, first: date, last: date) -> NewReport:
    return NewReport(
        report_id=new_id("report"),
        tenant_id=tenant_id,
        report_type=report_type,
        first_day=first,
        last_day=last,
        requested_by=SCHEDULER,
    )


async def _figures(session: AsyncSession, row: ReportRow) -> ReportResult:
    counts = await store.counts(session, who=row.only_of, first=row.first_day, last=row.last_day)
    result = summarise(ReportType(row.report_type), counts)
    if row.only_of is None:  # reviews are counted for the tenant only
        await _add_reviews(session, row, result)
    if row.include_details:
        result.details = await _details(session, row)
    return result


async def _add_reviews(session: AsyncSession, row: ReportRow, result: ReportResult) -> None:
    if row.report_type == ReportType.REVIEW_SLA:
        days = await reviews.day_counts(session, first=row.first_day, last=row.last_day)
        waiting, overdue = await reviews.waiting_now(session), await reviews.overdue_now(session)
        result.reviews = review_figures(days, waiting=waiting, overdue=overdue)
    if row.report_type == ReportType.POLICY_EFFECTIVENESS:
        decided = reviewed_by_policy(await reviews.day_counts(session, first=row.first_day, last=row.last_day))
        known = result.by_policy or {}
        # a check of one month may be decided in the next, in which its policy had no other
        result.by_policy = {name: known.get(name, PolicyFigures()) for name in sorted({*known, *decided})}
        for name, figures in result.by_policy.items():
            figures.reviewed, figures.upheld = decided.get(name, (0, 0))


async def _details(session: AsyncSession, row: ReportRow) -> ReportDetails:
    found = await store.checks_found(
        session,
        who=row.only_of,
        of_pii=row.report_type == ReportType.PII_SUMMARY,
        since=datetime.combine(row.first_day, time.min, tzinfo=UTC),
        until=_after(row.last_day),
        limit=MAX_REPORT_CHECKS + 1,
    )
    listed = [ReportedCheck.model_validate(dict(check)) for check in found[:MAX_REPORT_CHECKS]]
    return ReportDetails(checks=listed, truncated=len(found) > MAX_REPORT_CHECKS)


def _after(day: date) -> datetime:
    """When this day is over; the calendar's last one has no next."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)
