"""One attempt at one task: started, handled, reported. The activity `task.execute` of a worker."""

import asyncio
import contextvars
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError, to_jsonable_python
from temporalio import activity
from temporalio.exceptions import ApplicationError

from isa_user._async.task import TaskClient
from isa_user._constants import (
    HEARTBEAT_INTERVAL,
    LAST_WORDS_TIMEOUT,
    LONGEST_ERROR_MESSAGE,
    PATIENT_MAX_RETRIES,
    PROGRESS_TIMEOUT,
)
from isa_user._errors import ApiError, Conflict, IsaError, PermanentTaskError, TaskCancelled
from isa_user._models.task import StartedExecution
from isa_user._worker.context import SyncTaskContext, TaskContext
from isa_user._worker.progress import ProgressReporter

log = logging.getLogger("isa_user.worker")

AsyncHandler = Callable[[TaskContext, dict[str, Any]], Awaitable[Any]]
SyncHandler = Callable[[SyncTaskContext, dict[str, Any]], Any]

# The server's words for: nobody waits for this attempt any more.
OVER = {"task_cancelled", "execution_finished", "attempt_superseded"}
# The server understood the result and will not have it: sending it again cannot help.
REFUSED = {400, 413, 422}


class ExecutionRef(BaseModel):
    """The argument of `task.execute`: which execution. The payload is fetched, it does not travel."""

    model_config = ConfigDict(extra="ignore")

    tenant_id: str
    task_id: str
    execution_id: str
    attempt_limit: int | None = None


class Outcome(BaseModel):
    """The answer of `task.execute`; what the handler returned went to the task service."""

    status: str


class ExecutionOverError(Exception):
    """The task was cancelled, or another attempt has finished it: stop, and report nothing."""


@dataclass(frozen=True, kw_only=True)
class TaskType:
    """What serves one task type: the activity that Temporal calls, and what it needs."""

    handler: AsyncHandler | SyncHandler
    tasks: TaskClient
    worker: str
    threads: Executor

    @activity.defn(name="task.execute")
    async def execute(self, ref: ExecutionRef) -> Outcome:
        """One attempt at one execution."""
        attempt = Attempt(self, ref, activity.info().attempt)
        async with _heartbeats():
            try:
                return await attempt.carry_out()
            except ExecutionOverError:
                log.info("task %s: nobody waits for this attempt any more", ref.task_id)
                return Outcome(status="superseded")
            except asyncio.CancelledError:
                await attempt.say_last_words()
                raise


class Attempt:
    """One attempt, and its conversation with the task service."""

    def __init__(self, served: TaskType, ref: ExecutionRef, number: int) -> None:
        self._served, self._tasks = served, served.tasks
        self._ids = ref.task_id, ref.execution_id
        self._number = number
        self._over = False
        self._handling: asyncio.Task[Any] | None = None
        self._reporter = ProgressReporter(self._send_progress)

    async def carry_out(self) -> Outcome:
        """Start, handle, report."""
        started = await self._start()
        try:
            await self._report_result(await self._handled(started))
        except (ExecutionOverError, ApplicationError):
            raise
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            if isinstance(error, TaskCancelled) and self.is_cancelled():
                raise asyncio.CancelledError from None
            raise await self._failure(error) from None  # the handler's words stay out of Temporal's history
        return Outcome(status="completed")

    def is_cancelled(self) -> bool:
        """Whether the handler should stop."""
        return self._over or activity.is_cancelled()

    async def _start(self) -> StartedExecution:
        try:
            return await self._tasks.start_execution(
                *self._ids, worker=self._served.worker, attempt=self._number, max_retries=PATIENT_MAX_RETRIES
            )
        except IsaError as error:
            raise _over_or(error, "task.not_started") from error

    async def _handled(self, started: StartedExecution) -> Any:
        try:
            async with self._reporter.running():
                self._handling = asyncio.create_task(self._handle(started))
                returned = await self._handling
        except asyncio.CancelledError:
            if self._over and not activity.is_cancelled():
                raise ExecutionOverError from None
            raise
        try:
            return to_jsonable_python(returned)
        except PydanticSerializationError as error:
            raise PermanentTaskError(f"the handler's result is not JSON: {error}", code="result_not_json") from error

    async def _handle(self, started: StartedExecution) -> Any:
        handler, loop = self._served.handler, asyncio.get_running_loop()
        if _is_async(handler):
            context = TaskContext(
                started, attempt=self._number, report=self._reporter.report, is_cancelled=self.is_cancelled
            )
            return await handler(context, started.payload)  # type: ignore[arg-type]  # told apart the line before

        def report(percent: float, message: str | None) -> None:
            loop.call_soon_threadsafe(self._reporter.report, percent, message)

        sync_context = SyncTaskContext(started, attempt=self._number, report=report, is_cancelled=self.is_cancelled)
        return await self._in_thread(lambda: handler(sync_context, started.payload))  # type: ignore[arg-type]  # as above

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        context = contextvars.copy_context()
        future = asyncio.get_running_loop().run_in_executor(self._served.threads, context.run, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            # A thread cannot be stopped from outside: its place is taken until the handler looks at `ctx.cancelled`.
            await asyncio.wait([future])
            if not future.cancelled() and (error := future.exception()):
                log.debug("cancelled handler of task %s ended with %r", self._ids[0], error)
            raise

    async def _send_progress(self, percent: float, message: str | None) -> None:
        try:
            await self._tasks.report_progress(
                *self._ids, percent=percent, message=message, timeout=PROGRESS_TIMEOUT, max_retries=1
            )
        except IsaError as error:
            if error.code in OVER:
                self._stop_handler()
            else:  # the next value may get through; the work itself goes on
                log.warning("task %s: progress was not taken: %s", self._ids[0], error)

    def _stop_handler(self) -> None:
        self._over = True
        if self._handling:
            self._handling.cancel()

    async def _report_result(self, result: Any) -> None:
        try:
            await self._tasks.report_result(*self._ids, result=result, max_retries=PATIENT_MAX_RETRIES)
        except ApiError as error:
            if error.status in REFUSED:
                raise PermanentTaskError(f"the result was refused: {error.detail}", code="result_refused") from error
            raise _over_or(error, "task.result_not_stored") from error

    async def _failure(self, error: Exception) -> ApplicationError:
        permanent = isinstance(error, PermanentTaskError)
        code = error.code if isinstance(error, PermanentTaskError) else "handler_failed"
        message = error.detail if isinstance(error, PermanentTaskError) else f"{type(error).__name__}: {error}"
        log.warning("task %s: the handler failed (%s)", self._ids[0], code, exc_info=error)
        await self._report_error(code, message, retryable=not permanent)
        return ApplicationError(code, type="task.handler_failed", non_retryable=permanent)

    async def _report_error(self, code: str, message: str, *, retryable: bool, hurry: bool = False) -> None:
        quickly: dict[str, Any] = {"timeout": LAST_WORDS_TIMEOUT, "max_retries": 0} if hurry else {}
        try:
            await self._tasks.report_error(
                *self._ids,
                code=code,
                message=message[:LONGEST_ERROR_MESSAGE],
                retryable=retryable,
                attempt=self._number,
                **quickly,
            )
        except IsaError as refusal:  # Temporal still learns of the failure, and the task service from Temporal
            level = logging.DEBUG if refusal.code in OVER else logging.WARNING
            log.log(level, "task %s: the error %s was not taken: %s", self._ids[0], code, refusal)

    async def say_last_words(self) -> None:
        """Tell why an attempt is being stopped, when it was not its task's cancellation."""
        details = activity.cancellation_details()
        if details and details.worker_shutdown:
            await self._report_error("worker_stopped", "The worker had to end.", retryable=True, hurry=True)
            raise ApplicationError("worker_stopped", type="task.worker_stopped")
        if details and (details.timed_out or details.not_found):
            message = "The attempt ran out of time, or was taken from this worker."
            await self._report_error("timed_out", message, retryable=True, hurry=True)


def _over_or(error: IsaError, kind: str) -> Exception:
    if isinstance(error, Conflict) and error.code in OVER:
        return ExecutionOverError()
    log.error("%s: %s", kind, error)
    return ApplicationError(error.code, type=kind)


def _is_async(handler: AsyncHandler | SyncHandler) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004 - looks at how it is called, not whether


@asynccontextmanager
async def _heartbeats() -> AsyncIterator[None]:
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait([beating])


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_INTERVAL)
