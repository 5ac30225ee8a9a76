"""The task service's crew: the queue `task`, and a handler for each built-in type."""

from typing import Any

from activities.task import Handler, HttpRequest, TaskActivities
from core.adapters.http import HttpxCaller
from core.contracts.task import QUEUE, BuiltIn
from workers.runtime import Crew, Deps
from workflows.task import TaskRun


def crew(deps: Deps) -> Crew:
    """Workflow, activities and handlers of tasks."""
    http = HttpxCaller(allow_private=deps.settings.webhook_allow_private)
    deps.stack.push_async_callback(http.close)
    handlers: dict[str, Handler[Any]] = {BuiltIn.HTTP_REQUEST: HttpRequest(http)}
    activities = TaskActivities(deps.database, handlers, worker=deps.client.identity)
    return Crew(
        queue=QUEUE,
        workflows=[TaskRun],
        activities=[activities.admit, activities.release, activities.perform, activities.conclude],
    )
