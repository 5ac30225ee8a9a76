"""The activities of task.run: two short transactions around a handler, and the bookkeeping of what goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, ParamSpec, TypeVar

import structlog
from pydantic import BaseModel, JsonValue, ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.task.handlers import Errand, Handler, Job, PermanentTaskError, TaskFailure
from core.contracts.platform import JsonObject
from core.contracts.task import (
    BUILT_IN,
    HANDLER_FAILED,
    SUPERSEDED,
    TASK_ADMIT,
    TASK_CONCLUDE,
    TASK_PERFORM,
    TASK_RELEASE,
    TASK_SETTLE,
    Admission,
    Conclusion,
    HandOver,
    Ran,
    RunRef,
    Settlement,
    TaskError,
    TaskStatus,
)
from core.ports import Group, Transactions
from core.store import task as store

log = structlog.get_logger(__name__)
Given = ParamSpec("Given")
Written = TypeVar("Written")

HEARTBEAT_SECONDS, AGAIN_SECONDS = 1.0, 1.0
NO_RESULT = TaskError(code="no_result", message="The worker ended without reporting a result.")
TIMED_OUT = TaskFailure("timed_out", "The attempt ran out of time.")
STOPPED = TaskFailure("worker_stopped", "The worker had to end.")


class TaskActivities:
    """What task.run asks for. `handlers` and `errands` serve the built-in types; the history shows `worker`."""

    def __init__(
        self,
        database: Transactions,
        *,
        begins: Group[store.Start, store.Begun | None],
        results: Group[store.Done, bool],
        handlers: Mapping[str, Handler[Any]],
        errands: Mapping[str, Errand[Any]],
        worker: str,
    ) -> None:
        self._database, self._begins, self._results = database, begins, results
        self._handlers, self._errands, self._worker = handlers, errands, worker

    @activity.defn(name=TASK_ADMIT)
    async def admit(self, ref: RunRef) -> Admission:
        """Whether the execution is still wanted."""
        status = await self._standing(ref)
        wanted = status in (TaskStatus.PENDING, TaskStatus.SCHEDULED, TaskStatus.RUNNING)
        return Admission(wanted=wanted, scheduled=status is TaskStatus.SCHEDULED)

    @activity.defn(name=TASK_RELEASE)
    async def release(self, ref: RunRef) -> None:
        """Its time has come."""
        async with self._database.begin(ref.tenant_id) as session:
            await store.release(session, task_id=ref.task_id, execution_id=ref.execution_id)

    @activity.defn(name=TASK_PERFORM)
    async def perform(self, ref: RunRef) -> Ran:
        """One attempt of a built-in type."""
        attempt = activity.info().attempt
        async with _heartbeats():
            begun = await _patiently(self._begin, ref, attempt)
            if begun is None:
                return _over(await self._standing(ref))
            try:
                if errand := self._errands.get(begun.type):
                    return Ran(
                        status=TaskStatus.RUNNING, handed_over=await _patiently(self._hand_over, ref, begun, errand)
                    )
                result = await self._handle(ref, begun)
            except TaskFailure as failure:
                await _patiently(self._keep_failure, ref, attempt, failure)
                raise _told(failure) from failure
            except asyncio.CancelledError:
                if why := _not_cancelled_but():
                    await self._keep_failure(ref, attempt, why)
                raise
            return await _patiently(self._complete, ref, result)

    async def _begin(self, ref: RunRef, attempt: int) -> store.Begun | None:
        return await self._begins.do(
            ref.tenant_id, store.Start(ref.task_id, ref.execution_id, attempt=attempt, worker=self._worker)
        )

    async def _handle(self, ref: RunRef, begun: store.Begun) -> JsonValue:
        handler = self._handlers.get(begun.type)
        if handler is None:
            raise PermanentTaskError("unknown_type", f"No handler of ours serves the type {begun.type}.")
        job = self._job(ref, begun)
        try:
            return await handler.run(job)
        except TaskFailure:
            raise
        except Exception as error:
            log.exception("task.handler_broke", task_id=ref.task_id, type=begun.type)
            raise TaskFailure("handler_error", f"The handler broke: {type(error).__name__}.") from error

    def _job(self, ref: RunRef, begun: store.Begun) -> Job[Any]:
        async def progress(percent: float, message: str | None) -> None:
            async with self._database.begin(ref.tenant_id) as session:
                await store.report_progress(
                    session, task_id=ref.task_id, execution_id=ref.execution_id, percent=percent, message=message
                )

        return Job(
            tenant_id=ref.tenant_id,
            owner_id=begun.owner_id,
            task_id=ref.task_id,
            execution_id=ref.execution_id,
            correlation_id=begun.correlation_id,
            payload=_payload(begun.type, begun.payload),
            progress=progress,
        )

    async def _hand_over(self, ref: RunRef, begun: store.Begun, errand: Errand[Any]) -> HandOver:
        async with self._database.begin(ref.tenant_id) as session:
            return await errand.open(session, self._job(ref, begun))

    @activity.defn(name=TASK_SETTLE)
    async def settle(self, wanted: Settlement) -> Ran:
        """Close an execution that was handed over, unless it was closed before."""
        ref = wanted.run
        ids = {"task_id": ref.task_id, "execution_id": ref.execution_id}
        async with self._database.begin(ref.tenant_id) as session:
            begun = await store.begun(session, **ids)
            errand, job = self._errands[begun.type], self._job(ref, begun)
            if wanted.given_up is not None:
                await errand.stop(session, job)
            if wanted.given_up is TaskStatus.CANCELLED:
                await store.cancel(session, ref.tenant_id, **ids)
            elif wanted.given_up is not None:
                await store.fail(session, ref.tenant_id, **ids, untold=_error(TIMED_OUT))
            else:
                await self._close(session, ref, errand, job)
        return Ran(status=await self._standing(ref))

    async def _close(self, session: AsyncSession, ref: RunRef, errand: Errand[Any], job: Job[Any]) -> None:
        ids = {"task_id": ref.task_id, "execution_id": ref.execution_id}
        try:
            result = await errand.outcome(session, job)
        except TaskFailure as failure:
            await store.fail(session, ref.tenant_id, **ids, untold=_error(failure))
        else:
            await store.complete(session, ref.tenant_id, [store.Done(ref.task_id, ref.execution_id, result)])

    async def _complete(self, ref: RunRef, result: JsonValue) -> Ran:
        done = await self._results.do(ref.tenant_id, store.Done(ref.task_id, ref.execution_id, result))
        return Ran(status=TaskStatus.COMPLETED if done else await self._standing(ref))

    async def _keep_failure(self, ref: RunRef, attempt: int, failure: TaskFailure) -> None:
        async with self._database.begin(ref.tenant_id) as session:
            await store.fail_attempt(
                session, task_id=ref.task_id, execution_id=ref.execution_id, attempt=attempt, error=_error(failure)
            )

    @activity.defn(name=TASK_CONCLUDE)
    async def conclude(self, wanted: Conclusion) -> Ran:
        """Close the execution, unless it was closed before."""
        ref = wanted.run
        ids = {"task_id": ref.task_id, "execution_id": ref.execution_id}
        async with self._database.begin(ref.tenant_id) as session:
            if wanted.status is TaskStatus.CANCELLED:
                await store.cancel(session, ref.tenant_id, **ids)
            else:
                await store.fail(session, ref.tenant_id, **ids, untold=wanted.untold or NO_RESULT)
        return Ran(status=await self._standing(ref))

    async def _standing(self, ref: RunRef) -> TaskStatus:
        async with self._database.begin(ref.tenant_id) as session:
            status = await store.standing(session, task_id=ref.task_id, execution_id=ref.execution_id)
        return status or TaskStatus.CANCELLED


def _over(status: TaskStatus) -> Ran:
    """There is nothing to begin. A run that an operator has reset counts its attempts anew, and has to catch up."""
    if status is TaskStatus.RUNNING:
        raise ApplicationError("attempt_superseded", type=SUPERSEDED)
    return Ran(status=status)


def _not_cancelled_but() -> TaskFailure | None:
    """Why a handler was stopped, if not because its task was cancelled."""
    details = activity.cancellation_details()
    if details is None or details.cancel_requested:
        return None
    return STOPPED if details.worker_shutdown else TIMED_OUT


def _error(failure: TaskFailure) -> TaskError:
    return TaskError(code=failure.code, message=failure.message)


def _payload(task_type: str, payload: JsonObject) -> BaseModel:
    try:
        return BUILT_IN[task_type].model_validate(payload)
    except ValidationError as error:
        raise PermanentTaskError("bad_payload", "The payload is not what this type takes.") from error


def _told(failure: TaskFailure) -> ApplicationError:
    """The code only: the words are in the row, and stay out of the history."""
    return ApplicationError(
        failure.code,
        type=HANDLER_FAILED,
        non_retryable=not failure.retryable,
        next_retry_delay=failure.retry_after,
    )


async def _patiently(write: Callable[Given, Awaitable[Written]], *given: Given.args, **named: Given.kwargs) -> Written:
    """A Postgres that is away must not use up the handler's attempts: wait for it, as long as the attempt may last."""
    while True:
        try:
            return await write(*given, **named)
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            log.warning("task.postgres_away", reason=type(error).__name__)
            await asyncio.sleep(AGAIN_SECONDS)


@asynccontextmanager
async def _heartbeats() -> AsyncIterator[None]:
    """Tell the server every second that this worker lives; its answer carries a cancel. A short handler tells none."""
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def _beat() -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        activity.heartbeat()
