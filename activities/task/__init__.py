"""The task service's side effects: bookkeeping of executions, and the handlers of built-in types."""

from activities.task.handlers import Handler, Job
from activities.task.http import HttpRequest
from activities.task.runs import TaskActivities

__all__ = ["Handler", "HttpRequest", "Job", "TaskActivities"]
