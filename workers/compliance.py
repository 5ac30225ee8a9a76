"""The compliance service's crew: the queue `compliance`, with detectors that load when the first batch comes."""

import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from activities.compliance import BatchActivities, ReportActivities, RescoreActivities, ReviewActivities
from activities.compliance.data_requests import DataRequestActivities
from core.adapters.detectors import Detectors, Limit, registry
from core.adapters.patterns import compiled
from core.adapters.report_page.compliance import CheckReportPage
from core.compliance.policies import Policies
from core.compliance.reviews import People, Reviews
from core.contracts.compliance import (
    CONTENT_KEY,
    FORGET_UPLOADS,
    QUEUE,
    REPORTS_SCHEDULED,
    ForgetUploads,
    ScheduledReports,
)
from core.contracts.compliance.data_requests import ARTIFACT_KEY, DATA_REQUESTS_EXPIRE, ExpireInput
from core.keys import RedactionKeys, Seals, derive
from core.notification.desk import Desk
from workers.runtime import Crew, Deps, Scheduled
from workflows.compliance import (
    ComplianceBatch,
    ComplianceDataRequest,
    ComplianceDataRequestsExpire,
    ComplianceReport,
    ComplianceRescore,
    ComplianceReview,
    ComplianceScheduledReports,
    ForgetUploadsRun,
)

LOOK_FOR_UPLOADS_EVERY = timedelta(minutes=5)
MONTHLY = "0 2 1 * *"
"""Two in the morning (UTC) on the first: late enough for the last checks of the month to be counted."""

SWEEP_EVERY = timedelta(hours=1)
"""Artifacts past their time cannot be fetched; within the hour they are deleted."""

MAX_CACHED = 200
"""Thousands of reviews may wait for days; a short history is soon read again, and memory is better left free."""


def crew(deps: Deps) -> Crew:
    """Workflows and activities of batches and reports."""
    hash_key = derive(deps.settings.secret_key, CONTENT_KEY)
    processes = deps.settings.detector_processes or os.cpu_count() or 1
    limit = Limit(deps.settings.detector_timeout_seconds)
    detectors = Detectors(registry(deps.settings), limit=limit, processes=processes)
    deps.stack.push_async_callback(detectors.aclose)
    policies = Policies(deps.database, compiled)
    keys = partial(RedactionKeys, deps.settings.secret_key)
    batches = BatchActivities(
        deps.database,
        detectors,
        policies=policies,
        hash_key=hash_key,
        redaction_keys=keys,
        parallel=processes + 1,  # while one range is written, the others keep the processes busy
    )
    rescores = RescoreActivities(deps.database, detectors, policies=policies)
    reports = ReportActivities(deps.database, printer=CheckReportPage())
    moves = Reviews(Desk(), People.of(deps.settings), claim_for=timedelta(minutes=deps.settings.review_claim_minutes))
    reviews = ReviewActivities(deps.database, moves)
    return Crew(
        queue=QUEUE,
        workflows=[
            ComplianceBatch,
            ComplianceDataRequest,
            ComplianceDataRequestsExpire,
            ForgetUploadsRun,
            ComplianceReport,
            ComplianceRescore,
            ComplianceReview,
            ComplianceScheduledReports,
        ],
        activities=[
            *batches.all(),
            rescores.rescore_chunk,
            reviews.move,
            reviews.nudge,
            reviews.expire,
            reports.build_report,
            reports.open_scheduled,
            *_of_data_requests(deps),
        ],
        schedules=[
            _forgetting_uploads(deps.settings.upload_idle_seconds),
            Scheduled(REPORTS_SCHEDULED, _monthly_reports()),
            Scheduled(DATA_REQUESTS_EXPIRE, _expired_artifacts()),
        ],
        options={"max_cached_workflows": MAX_CACHED},
    )


def _forgetting_uploads(idle_seconds: int) -> Scheduled:
    wanted = ForgetUploads(idle_seconds=2 * idle_seconds)  # a front door that lives gives up first
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(FORGET_UPLOADS, wanted, id=FORGET_UPLOADS, task_queue=QUEUE),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=LOOK_FOR_UPLOADS_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    return Scheduled(FORGET_UPLOADS, schedule)


def _of_data_requests(deps: Deps) -> list[Callable[..., Any]]:
    seals = Seals(deps.settings.secret_key, ARTIFACT_KEY)
    keep_for = timedelta(days=deps.settings.data_request_artifact_days)
    requests = DataRequestActivities(deps.database, seals, keep_for=keep_for)
    return [requests.begin, requests.remind, requests.collect, requests.erase, requests.finish, requests.expire]


def _monthly_reports() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            REPORTS_SCHEDULED, ScheduledReports(), id=REPORTS_SCHEDULED, task_queue=QUEUE
        ),
        spec=ScheduleSpec(cron_expressions=[MONTHLY]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=7)),
    )


def _expired_artifacts() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            DATA_REQUESTS_EXPIRE, ExpireInput(), id=DATA_REQUESTS_EXPIRE, task_queue=QUEUE
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SWEEP_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
