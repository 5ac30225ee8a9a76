"""The audit service's crew: compliance reports, and the roll-up of the log."""

from activities.audit import AuditReports, AuditRollup
from core.adapters.report_page import ReportPage
from core.contracts.audit import QUEUE
from core.contracts.platform import PumpName
from core.telemetry import PumpMetrics
from workers.runtime import Crew, Deps
from workflows.audit import AuditReport


def crew(deps: Deps) -> Crew:
    """Workflow, activities and pump of the audit service."""
    reports = AuditReports(deps.database, ReportPage())
    rollup = AuditRollup(deps.database, deps.database, PumpMetrics())
    return Crew(
        queue=QUEUE,
        workflows=[AuditReport],
        activities=[reports.build, reports.fail, rollup.roll_up],
        pumps=[PumpName.AUDIT_ROLLUP],
    )
