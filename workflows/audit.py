"""audit.report: one compliance report, made or failed with a reason."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from core.contracts.audit import REPORT_BUILD, REPORT_FAIL, REPORT_RUN, ReportBuilt, ReportFailure, ReportRef
from workflows.options import REPORT, STORE

REPORT_FAILED = "audit.report_failed"


@workflow.defn(name=REPORT_RUN)
class AuditReport:
    """One activity counts, prints and keeps the report. Whatever ends it otherwise is written into its row."""

    @workflow.run
    async def run(self, ref: ReportRef) -> ReportBuilt:
        try:
            built: ReportBuilt = await workflow.execute_activity(
                REPORT_BUILD, ref, result_type=ReportBuilt, summary="count, print, keep", **REPORT
            )
        except ActivityError as error:
            await self._fail(_reason(ref, error))
            if is_cancelled_exception(error):
                raise
            raise ApplicationError(_reason(ref, error).code, type=REPORT_FAILED, non_retryable=True) from error
        except asyncio.CancelledError:
            await self._fail(_cancelled(ref))
            raise
        workflow.set_current_details(f"completed: {built.events} events counted")
        return built

    async def _fail(self, failure: ReportFailure) -> None:
        workflow.set_current_details(f"failed: {failure.code}")
        await workflow.execute_activity(REPORT_FAIL, failure, summary=failure.code, **STORE)


def _reason(ref: ReportRef, error: ActivityError) -> ReportFailure:
    if is_cancelled_exception(error):
        return _cancelled(ref)
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.non_retryable:
        return ReportFailure(report=ref, code=cause.type or REPORT_FAILED, message=cause.message)
    return ReportFailure(report=ref, code="report_out_of_time", message="An hour of tries has not made the report.")


def _cancelled(ref: ReportRef) -> ReportFailure:
    return ReportFailure(report=ref, code="report_cancelled", message="An operator cancelled the report.")
