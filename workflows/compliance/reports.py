"""compliance.report: one report made."""

from temporalio import workflow

from core.contracts.compliance import BUILD_REPORT, REPORT_RUN, ReportInput, ReportOutcome
from workflows.options import STORE


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
