"""The compliance service's crew: the queue `compliance`, with detectors that load when the first batch comes."""

from activities.compliance import ComplianceActivities
from core.adapters.detectors import Detectors
from core.adapters.report_page.compliance import CheckReportPage
from core.contracts.compliance import CONTENT_KEY, QUEUE
from core.keys import derive
from workers.runtime import Crew, Deps
from workflows.compliance import ComplianceBatch, ComplianceReport


def crew(deps: Deps) -> Crew:
    """Workflows and activities of batches and reports."""
    activities = ComplianceActivities(
        deps.database,
        Detectors(),
        hash_key=derive(deps.settings.secret_key, CONTENT_KEY),
        printer=CheckReportPage(),
    )
    return Crew(
        queue=QUEUE,
        workflows=[ComplianceBatch, ComplianceReport],
        activities=[activities.check_chunk, activities.build_report],
    )
