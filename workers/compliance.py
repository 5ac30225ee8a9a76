"""The compliance service's crew: the queue `compliance`, with detectors that load when the first batch comes."""

import os
from datetime import timedelta
from functools import partial

from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleOverlapPolicy, SchedulePolicy, ScheduleSpec

from activities.compliance import BatchActivities, ReportActivities
from core.adapters.detectors import Detectors, Limit
from core.adapters.patterns import compiled
from core.adapters.report_page.compliance import CheckReportPage
from core.compliance.policies import Policies
from core.contracts.compliance import CONTENT_KEY, QUEUE, REPORTS_SCHEDULED, ScheduledReports
from core.keys import RedactionKeys, derive
from workers.runtime import Crew, Deps, Scheduled
from workflows.compliance import ComplianceBatch, ComplianceReport, ComplianceScheduledReports

MONTHLY = "0 2 1 * *"
"""Two in the morning (UTC) on the first: late enough for the last checks of the month to be counted."""


def crew(deps: Deps) -> Crew:
    """Workflows and activities of batches and reports."""
    hash_key = derive(deps.settings.secret_key, CONTENT_KEY)
    detectors = Detectors(
        limit=Limit(deps.settings.detector_timeout_seconds),
        processes=deps.settings.detector_processes or os.cpu_count() or 1,
    )
    deps.stack.push_async_callback(detectors.aclose)
    policies = Policies(deps.database, compiled)
    keys = partial(RedactionKeys, deps.settings.secret_key)
    batches = BatchActivities(deps.database, detectors, policies=policies, hash_key=hash_key, redaction_keys=keys)
    reports = ReportActivities(deps.database, printer=CheckReportPage())
    return Crew(
        queue=QUEUE,
        workflows=[ComplianceBatch, ComplianceReport, ComplianceScheduledReports],
        activities=[batches.check_chunk, reports.build_report, reports.open_scheduled],
        schedules=[Scheduled(REPORTS_SCHEDULED, _monthly_reports())],
    )


def _monthly_reports() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            REPORTS_SCHEDULED, ScheduledReports(), id=REPORTS_SCHEDULED, task_queue=QUEUE
        ),
        spec=ScheduleSpec(cron_expressions=[MONTHLY]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=7)),
    )
