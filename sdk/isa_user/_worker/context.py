"""What a handler knows of its task, and what it can tell."""

import asyncio
from collections.abc import Callable
from typing import Any

from isa_user._errors import TaskCancelled
from isa_user._models.task import StartedExecution
from isa_user._worker.progress import checked_percent


class _Context:
    def __init__(
        self,
        started: StartedExecution,
        *,
        attempt: int,
        report: Callable[[float, str | None], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._started, self._attempt = started, attempt
        self._report, self._is_cancelled = report, is_cancelled

    @property
    def task_id(self) -> str:
        """The task."""
        return self._started.task_id

    @property
    def execution_id(self) -> str:
        """This run of the task; the same for all its attempts, so a good key for making a side effect once."""
        return self._started.execution_id

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self._attempt

    @property
    def name(self) -> str:
        """The task's name."""
        return self._started.name

    @property
    def payload(self) -> dict[str, Any]:
        """What the task was created with."""
        return self._started.payload

    @property
    def correlation_id(self) -> str | None:
        """The timeline this task belongs to: hand it on to the calls that the handler makes."""
        return self._started.correlation_id

    @property
    def cancelled(self) -> bool:
        """Whether the task was cancelled, or the worker has to end."""
        return self._is_cancelled()


class TaskContext(_Context):
    """What an asynchronous handler gets. A cancellation is an `asyncio.CancelledError` at its next `await`."""

    async def progress(self, percent: float, message: str | None = None) -> None:
        """Tell how far the task is, 0 to 100, as often as you like: about once a second the latest value is sent."""
        self._report(checked_percent(percent), message)
        await asyncio.sleep(0)


class SyncTaskContext(_Context):
    """What a synchronous handler gets, in a thread of its own. It has to look for a cancellation itself."""

    def progress(self, percent: float, message: str | None = None) -> None:
        """Tell how far the task is, 0 to 100. Raises `TaskCancelled` when the task was cancelled."""
        self.raise_if_cancelled()
        self._report(checked_percent(percent), message)

    def raise_if_cancelled(self) -> None:
        """Raise `TaskCancelled` when the task was cancelled; call it between steps that take long."""
        if self.cancelled:
            raise TaskCancelled
