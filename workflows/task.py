"""task.run: one execution of one task, from its time to its end."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    TimeoutType,
    is_cancelled_exception,
)
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
    TASK_SETTLE,
    Admission,
    Conclusion,
    ExecuteNow,
    HandOver,
    Ran,
    Run,
    RunRef,
    RunStage,
    RunState,
    Settlement,
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
            return _or_failed(await self._carried_out(run))
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

    async def _carried_out(self, run: Run) -> Ran:
        if (run.scheduled_at or not run.built_in) and not await self._admitted():
            return self._ended(TaskStatus.CANCELLED)
        ran = await self._attempts(run)
        if not run.built_in or ran is None:
            return await self._conclude(TaskStatus.COMPLETED)
        return await self._handed_over(ran.handed_over) if ran.handed_over else self._ended(ran.status)

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

    async def _attempts(self, run: Run) -> Ran | None:
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
        return ran

    async def _handed_over(self, work: HandOver) -> Ran:
        """Another service's workflow does it. Its row says how that ended, so its failure is not looked at here."""
        self._at(RunStage.HANDED_OVER, f"Waits for the workflow `{work.workflow_id}`.")
        try:
            await asyncio.wait_for(self._child(work), self._run.timeout_seconds)
        except TimeoutError:
            return await self._settle(TaskStatus.FAILED)
        except ChildWorkflowError as error:
            if workflow.cancellation_reason() is not None and is_cancelled_exception(error):
                await self._settle(TaskStatus.CANCELLED)
                raise
        return await self._settle()

    async def _child(self, work: HandOver) -> None:
        await workflow.execute_child_workflow(
            work.workflow_type,
            work.payload,
            id=work.workflow_id,
            task_queue=work.queue,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            search_attributes=workflow.info().typed_search_attributes,
            static_summary=f"For task {self._ref.task_id}",
        )

    async def _settle(self, given_up: TaskStatus | None = None) -> Ran:
        self._at(RunStage.CONCLUDING, "Closing the execution.")
        settlement = Settlement(run=self._ref, given_up=given_up)
        ran: Ran = await self._in_store(TASK_SETTLE, settlement, result_type=Ran)
        return self._ended(ran.status)

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


def _or_failed(ran: Ran) -> Ran:
    """A failed task is a failed workflow, so that an operator finds it."""
    if ran.status is TaskStatus.FAILED:
        raise ApplicationError("the task failed: its row says why", type=TASK_FAILED, non_retryable=True)
    return ran


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
