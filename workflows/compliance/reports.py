"""compliance.report: one report made. compliance.scheduled_reports: last month's reports opened for every tenant."""

from temporalio import workflow

from core.contracts.compliance import (
    BUILD_REPORT,
    OPEN_REPORTS,
    REPORT_RUN,
    REPORTS_SCHEDULED,
    OpenedReports,
    ReportInput,
    ReportOutcome,
    ScheduledReports,
)
from workflows.options import LONG, STORE


@workflow.defn(name=REPORT_RUN)
class ComplianceReport:
    """Adds up counters and keeps the result: one activity, tried until it is done."""

    @workflow.run
    async def run(self, report: ReportInput) -> ReportOutcome:
        made: ReportOutcome = await workflow.execute_activity(
            BUILD_REPORT, report, result_type=ReportOutcome, summary="add up and draw", **STORE
        )
        workflow.set_current_details(f"made from {made.total_checks} checks")
        return made


@workflow.defn(name=REPORTS_SCHEDULED)
class ComplianceScheduledReports:
    """Opens reports; each is then made by a workflow of its own."""

    @workflow.run
    async def run(self, wanted: ScheduledReports) -> OpenedReports:
        # the month is fixed by the time the schedule meant, so that a late start tells of the right one
        dated = wanted.model_copy(update={"today": wanted.today or workflow.now().date()})
        opened: OpenedReports = await workflow.execute_activity(
            OPEN_REPORTS, dated, result_type=OpenedReports, summary="for every tenant", **LONG
        )
        workflow.set_current_details(f"{opened.opened} reports opened")
        return opened
