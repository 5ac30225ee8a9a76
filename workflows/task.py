"""task.run: one execution of one task, from its time to its end."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType, is_cancelled_exception
from temporalio.exceptions import TimeoutError as AttemptTimeout

from core.contracts.task import (
    EXECUTE_SIGNAL,
    STATE_QUERY,
    TASK_ADMIT,
    TASK_CONCLUDE,
    TASK_EXECUTE,
    TASK_PERFORM,
    TASK_RELEASE,
    TASK_RUN,
    Admission,
    Conclusion,
    ExecuteNow,
    Ran,
    Run,
    RunRef,
    RunStage,
    RunState,
    TaskError,
    TaskStatus,
    served_queue,
)
from workflows.options import LONG, STORE, TASK_RETRY

TASK_FAILED = "task.failed"


@workflow.defn(name=TASK_RUN)
class TaskRun:
    """A built-in type that is due costs one activity here; only waiting, foreign workers and failures cost more."""

    @workflow.init
    def __init__(self, run: Run) -> None:
        self._ref = RunRef.model_validate(run.model_dump())
        self._stage = RunStage.ADMITTING
        self._now = False
        self._run = run

    @workflow.run
    async def run(self, run: Run) -> Ran:
        try:
            if (run.scheduled_at or not run.built_in) and not await self._admitted():
                return self._ended(TaskStatus.CANCELLED)
            return await self._attempts()
        except ActivityError as error:
            if is_cancelled_exception(error):
                await self._conclude(TaskStatus.CANCELLED)
                raise
            told = _told(error)
            await self._conclude(TaskStatus.FAILED, told)
            raise ApplicationError(told.code, type=TASK_FAILED, non_retryable=True) from error
        except asyncio.CancelledError:
            await self._conclude(TaskStatus.CANCELLED)
            raise

    async def _admitted(self) -> bool:
        """Whether the execution is still wanted, once its time has come.

        Asked now that this workflow exists: a cancel or run-now that came before is seen in the row, and one that
        comes later reaches the workflow.
        """
        found: Admission = await self._in_store(TASK_ADMIT, self._ref, result_type=Admission)
        if found.wanted and found.scheduled:
            await self._until_time()
            await self._in_store(TASK_RELEASE, self._ref)
        return found.wanted

    async def _until_time(self) -> None:
        at = self._run.scheduled_at
        wait = at - workflow.now() if at else timedelta(0)
        self._at(RunStage.WAITING_FOR_TIME, f"Waits until {at}. The signal `execute` runs it now.")
        if wait > timedelta(0) and not self._now:
            try:
                await workflow.wait_condition(lambda: self._now, timeout=wait, timeout_summary="scheduled time")
            except TimeoutError:
                self._now = True

    async def _attempts(self) -> Ran:
        run = self._run
        queue = workflow.info().task_queue if run.built_in else served_queue(run.tenant_id, run.type)
        self._at(RunStage.RUNNING, f"Type {run.type} on queue `{queue}`: runs, or waits for a worker.")
        options: dict[str, Any] = LONG | {"retry_policy": replace(TASK_RETRY, maximum_attempts=run.attempt_limit)}
        if run.timeout_seconds:
            options["start_to_close_timeout"] = timedelta(seconds=run.timeout_seconds)
        ran: Ran | None = await workflow.execute_activity(
            TASK_PERFORM if run.built_in else TASK_EXECUTE,
            self._ref,
            task_queue=queue,
            result_type=Ran if run.built_in else None,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            **options,
        )
        if run.built_in and ran is not None:
            return self._ended(ran.status)
        return await self._conclude(TaskStatus.COMPLETED)

    async def _conclude(self, status: TaskStatus, untold: TaskError | None = None) -> Ran:
        """Close the row if its handler did not; a worker that ended without a result has failed."""
        self._at(RunStage.CONCLUDING, "Closing the execution.")
        ran: Ran = await self._in_store(
            TASK_CONCLUDE, Conclusion(run=self._ref, status=status, untold=untold), result_type=Ran
        )
        return self._ended(ran.status)

    async def _in_store(self, name: str, argument: Any, result_type: type | None = None) -> Any:
        return await workflow.execute_activity(name, argument, result_type=result_type, **STORE)

    def _ended(self, status: TaskStatus) -> Ran:
        self._at(RunStage.ENDED, f"Ended: {status.value}.")
        return Ran(status=status)

    def _at(self, stage: RunStage, details: str) -> None:
        self._stage = stage
        workflow.set_current_details(details)

    @workflow.signal(name=EXECUTE_SIGNAL)
    def execute_now(self, _: ExecuteNow) -> None:
        """Do not wait for the scheduled time."""
        self._now = True

    @workflow.query(name=STATE_QUERY)
    def state(self) -> RunState:
        """What this run is doing."""
        return RunState(stage=self._stage, scheduled_at=self._run.scheduled_at)


def _told(error: ActivityError) -> TaskError:
    """What Temporal itself knows of the failure; the row has the handler's own words, if it found any."""
    cause = error.cause
    if isinstance(cause, AttemptTimeout):
        lost = cause.type == TimeoutType.HEARTBEAT
        code = "attempt_lost" if lost else "timed_out"
        return TaskError(code=code, message="The worker stopped answering." if lost else "The attempt ran out of time.")
    if isinstance(cause, ApplicationError):
        return TaskError(code=cause.type or "handler_failed", message=cause.message[:2000])
    return TaskError(code="handler_failed", message="The handler failed without saying why.")
