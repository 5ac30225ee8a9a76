"""The task service's side effects: bookkeeping of executions, and the handlers of built-in types."""

from activities.task.errands import CheckBatch, MakeReport, ReplayEvents, SendNotification
from activities.task.handlers import Handler, Job, PermanentTaskError, TaskFailure
from activities.task.http import HttpRequest
from activities.task.runs import TaskActivities

__all__ = [
    "CheckBatch",
    "Handler",
    "HttpRequest",
    "Job",
    "MakeReport",
    "PermanentTaskError",
    "ReplayEvents",
    "SendNotification",
    "TaskActivities",
    "TaskFailure",
]
