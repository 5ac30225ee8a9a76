"""How work on a report is started: by the front door that was asked for it, or by the schedule."""

from core.contracts.compliance import QUEUE, REPORT_RUN, NewReport, ReportInput, report_run_id
from core.contracts.platform import Intent, Service


def start_of_report(report: NewReport, *, intent_id: str) -> Intent:
    """The promise to run the workflow of this report."""
    return Intent(
        intent_id=intent_id,
        tenant_id=report.tenant_id,
        workflow_id=report_run_id(report.report_id),
        workflow_type=REPORT_RUN,
        queue=QUEUE,
        payload=ReportInput(tenant_id=report.tenant_id, report_id=report.report_id).model_dump(mode="json"),
        service=Service.COMPLIANCE,
        user_id=report.requested_by,
        correlation_id=report.correlation_id or "",
        summary=f"{report.report_type} from {report.first_day} to {report.last_day}",
    )
