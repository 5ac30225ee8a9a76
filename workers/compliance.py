"""The compliance service's crew: the queue `compliance`, with detectors that load when the first batch comes."""

from activities.compliance import BatchActivities, ReportActivities
from core.adapters.detectors import Detectors
from core.adapters.report_page.compliance import CheckReportPage
from core.contracts.compliance import CONTENT_KEY, QUEUE
from core.keys import derive
from workers.runtime import Crew, Deps
from workflows.compliance import ComplianceBatch, ComplianceReport


def crew(deps: Deps) -> Crew:
    """Workflows and activities of batches and reports."""
    hash_key = derive(deps.settings.secret_key, CONTENT_KEY)
    batches = BatchActivities(deps.database, Detectors(), hash_key=hash_key)
    reports = ReportActivities(deps.database, printer=CheckReportPage())
    return Crew(
        queue=QUEUE,
        workflows=[ComplianceBatch, ComplianceReport],
        activities=[batches.check_chunk, reports.build_report],
    )
