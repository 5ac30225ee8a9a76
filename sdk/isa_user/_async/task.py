"""The task service: background jobs for people, and the reports that workers make."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._constants import WAIT_WITHIN
from isa_user._models.base import Moment, Priority
from isa_user._models.task import (
    Execution,
    ExecutionAck,
    StartedExecution,
    Task,
    TaskAnalytics,
    TaskStatus,
    TaskWork,
)
from isa_user._request import Request, path

ROOT = "/api/v1/tasks"
EXECUTION = ROOT + "/{}/executions/{}"


class TaskClient(BaseClient):
    """Creates and watches background tasks. `isa_user.TaskWorker` serves task types of your own."""

    async def create(
        self,
        *,
        name: str,
        type: str | None = None,  # noqa: A002 - the API's word
        payload: Mapping[str, Any] | None = None,
        priority: Priority | None = None,
        scheduled_at: Moment | None = None,
        timeout_seconds: int | None = None,
        max_attempts: int | None = None,
        **options: Unpack[WriteOptions],
    ) -> Task:
        """Create a task that runs as soon as a worker takes its type, or at `scheduled_at`.

        Left out, `type` is the name, `priority` normal, and an attempt may take 24 hours. `payload` may hold 256 KiB.
        """
        body = {
            "name": name,
            "type": type,
            "payload": payload,
            "priority": priority,
            "scheduled_at": scheduled_at,
            "timeout_seconds": timeout_seconds,
            "max_attempts": max_attempts,
        }
        return await self._call(Request(method="POST", path=ROOT, body=body), Task, options)

    def list_tasks(
        self,
        *,
        status: TaskStatus | Sequence[TaskStatus] | None = None,
        type: str | None = None,  # noqa: A002 - the API's word
        priority: Priority | None = None,
        name: str | None = None,
        created_from: Moment | None = None,
        created_to: Moment | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[Task]:
        """Tasks, newest first, without payloads and results; `created_to` is exclusive."""
        query = {
            "status": status,
            "type": type,
            "priority": priority,
            "name": name,
            "created_from": created_from,
            "created_to": created_to,
            "limit": limit,
            "cursor": cursor,
        }
        return self._pages(Request(method="GET", path=ROOT, query=query), Task, options)

    async def get(self, task_id: str, **options: Unpack[ReadOptions]) -> Task:
        """Where a task stands: status, progress in percent, estimated completion, result or error."""
        return await self._call(Request(method="GET", path=path(ROOT + "/{}", task_id)), Task, options)

    async def wait_for_task(self, task_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]) -> Task:
        """The task once it has ended: completed, failed or cancelled. `TimedOut` after `within` seconds."""
        return await self._wait(lambda: self.get(task_id, **options), done=lambda task: task.finished, within=within)

    async def execute(self, task_id: str, **options: Unpack[WriteOptions]) -> TaskWork:
        """Run a task now; a finished one gets a new execution. `Conflict` (`task_running`) while it runs."""
        return await self._call(Request(method="POST", path=path(ROOT + "/{}/execute", task_id)), TaskWork, options)

    async def cancel(self, task_id: str, **options: Unpack[WriteOptions]) -> TaskWork:
        """Cancel a task and stop its handler. `Conflict` (`task_finished`) when it has ended."""
        return await self._call(Request(method="POST", path=path(ROOT + "/{}/cancel", task_id)), TaskWork, options)

    def executions(
        self, task_id: str, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> Paged[Execution]:
        """A task's executions with their attempts, errors, durations and workers, newest first."""
        query = {"limit": limit, "cursor": cursor}
        request = Request(method="GET", path=path(ROOT + "/{}/executions", task_id), query=query)
        return self._pages(request, Execution, options)

    async def analytics(
        self,
        *,
        from_date: date | str | None = None,
        to_date: date | str | None = None,
        type: str | None = None,  # noqa: A002 - the API's word
        **options: Unpack[ReadOptions],
    ) -> TaskAnalytics:
        """Counts, success rate and durations of the last 30 days, or of the days named (UTC, both included)."""
        query = {"from_date": from_date, "to_date": to_date, "type": type}
        request = Request(method="GET", path=f"{ROOT}/analytics", query=query)
        return await self._call(request, TaskAnalytics, options)

    async def start_execution(
        self, task_id: str, execution_id: str, *, worker: str, attempt: int, **options: Unpack[WriteOptions]
    ) -> StartedExecution:
        """For workers: take an execution and get its payload.

        `Conflict` with code `task_cancelled` or `execution_finished` when there is nothing left to do.
        """
        body = {"worker": worker, "attempt": attempt}
        request = Request(method="POST", path=path(EXECUTION + "/start", task_id, execution_id), body=body)
        return await self._call(request, StartedExecution, options)

    async def report_progress(
        self,
        task_id: str,
        execution_id: str,
        *,
        percent: float,
        message: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> ExecutionAck:
        """For workers: how far the handler is, 0 to 100."""
        body = {"percent": percent, "message": message}
        request = Request(method="POST", path=path(EXECUTION + "/progress", task_id, execution_id), body=body)
        return await self._call(request, ExecutionAck, options)

    async def report_result(
        self, task_id: str, execution_id: str, *, result: Any, **options: Unpack[WriteOptions]
    ) -> ExecutionAck:
        """For workers: the handler's result, any JSON value of at most 256 KiB; the task is completed."""
        request = Request(
            method="POST",
            path=path(EXECUTION + "/result", task_id, execution_id),
            body={"result": result},
            keep_null=True,
        )
        return await self._call(request, ExecutionAck, options)

    async def report_error(
        self,
        task_id: str,
        execution_id: str,
        *,
        code: str,
        message: str,
        retryable: bool,
        attempt: int,
        **options: Unpack[WriteOptions],
    ) -> ExecutionAck:
        """For workers: why an attempt failed."""
        body = {"code": code, "message": message, "retryable": retryable, "attempt": attempt}
        request = Request(method="POST", path=path(EXECUTION + "/error", task_id, execution_id), body=body)
        return await self._call(request, ExecutionAck, options)
