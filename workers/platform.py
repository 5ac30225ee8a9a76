"""The platform's crew: pump supervisors, and the reconciler every ten seconds."""

from datetime import timedelta

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from activities.platform import PlatformActivities
from core.contracts.platform import INTENTS_RECONCILE, QUEUE, ReconcileInput
from core.telemetry import IntentMetrics
from workers.runtime import Crew, Deps, Scheduled
from workflows.platform import IntentsReconcile, PumpRun

RECONCILE_EVERY = timedelta(seconds=10)


def crew(deps: Deps) -> Crew:
    """Workflows, activities and the schedule of what serves all five services."""
    activities = PlatformActivities(deps.database, deps.keeper, IntentMetrics())
    reconcile = Schedule(
        action=ScheduleActionStartWorkflow(INTENTS_RECONCILE, ReconcileInput(), id=INTENTS_RECONCILE, task_queue=QUEUE),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=RECONCILE_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    return Crew(
        queue=QUEUE,
        workflows=[PumpRun, IntentsReconcile],
        activities=[activities.reconcile],
        schedules=[Scheduled(INTENTS_RECONCILE, reconcile)],
    )
