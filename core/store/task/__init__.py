"""Queries of the task service: moves and attempts change where a task stands, lists read, figures add up."""

from core.store.task.attempts import Begun, Done, Start, begin_attempts, begun, fail_attempt, report_progress
from core.store.task.figures import Ended, Figures, Scope, Timing, figures, recent_durations
from core.store.task.lists import TaskFilter, executions_of, find_task, list_tasks, standing
from core.store.task.moves import add_tasks, cancel, complete, fail, release, renew

__all__ = [
    "Begun",
    "Done",
    "Ended",
    "Figures",
    "Scope",
    "Start",
    "TaskFilter",
    "Timing",
    "add_tasks",
    "begin_attempts",
    "begun",
    "cancel",
    "complete",
    "executions_of",
    "fail",
    "fail_attempt",
    "figures",
    "find_task",
    "list_tasks",
    "recent_durations",
    "release",
    "renew",
    "report_progress",
    "standing",
]
