"""The task service's crew: the queue `task`, and what serves each built-in type."""

from activities.task import CheckBatch, HttpRequest, MakeReport, ReplayEvents, SendNotification, TaskActivities
from core.adapters.http import HttpxCaller
from core.contracts.task import QUEUE, BuiltIn
from core.grouped import Grouped
from core.notification.desk import Desk
from core.store import task as store
from workers.runtime import Crew, Deps
from workflows.task import TaskRun


def crew(deps: Deps) -> Crew:
    """Workflow and activities of tasks. A new built-in type is one more line here."""
    http = HttpxCaller(allow_private=deps.settings.webhook_allow_private)
    deps.stack.push_async_callback(http.close)
    activities = TaskActivities(
        deps.database,
        begins=Grouped(deps.database, store.begin_attempts),
        results=Grouped(deps.database, store.complete),
        handlers={BuiltIn.HTTP_REQUEST: HttpRequest(http)},
        errands={
            BuiltIn.NOTIFICATION_SEND: SendNotification(Desk()),
            BuiltIn.COMPLIANCE_BATCH_CHECK: CheckBatch(),
            BuiltIn.EVENT_REPLAY: ReplayEvents(),
            BuiltIn.REPORT: MakeReport(),
        },
        worker=deps.client.identity,
    )
    return Crew(
        queue=QUEUE,
        workflows=[TaskRun],
        activities=[
            activities.admit,
            activities.release,
            activities.perform,
            activities.settle,
            activities.conclude,
        ],
    )
