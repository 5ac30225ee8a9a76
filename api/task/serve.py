"""What workers tell of executions: started, how far, the result, or why an attempt failed."""

from typing import Annotated

from fastapi import Body

from api.deps import Session
from api.task.access import ExecutionId, Serving, TaskId, refuse_worker, router
from core.contracts.task import (
    AttemptFailed,
    AttemptStart,
    ExecutionAck,
    ProgressReport,
    ResultReport,
    StartedExecution,
    TaskError,
    TaskStatus,
)
from core.store import task as store

PATH = "/{task_id}/executions/{execution_id}"
RUNNING = TaskStatus.RUNNING


@router.post(
    PATH + "/start",
    response_model=StartedExecution,
    summary="A worker takes an execution and gets its payload",
    description="409 `task_cancelled` or `execution_finished`: there is nothing left to do.",
)
async def start_execution(
    session: Session, caller: Serving, task_id: TaskId, execution_id: ExecutionId, start: AttemptStart
) -> StartedExecution:
    wanted = store.Start(task_id, execution_id, attempt=start.attempt, worker=start.worker)
    begun = (await store.begin_attempts(session, caller.tenant_id, [wanted]))[0]
    if begun is None:
        raise await refuse_worker(session, task_id, execution_id)
    return StartedExecution(
        task_id=task_id,
        execution_id=execution_id,
        name=begun.name,
        type=begun.type,
        payload=begun.payload,
        status=RUNNING,
        attempt=start.attempt,
        correlation_id=begun.correlation_id,
    )


@router.post(PATH + "/progress", response_model=ExecutionAck, summary="How far the handler is")
async def report_progress(
    session: Session, _: Serving, task_id: TaskId, execution_id: ExecutionId, report: ProgressReport
) -> ExecutionAck:
    taken = await store.report_progress(
        session, task_id=task_id, execution_id=execution_id, percent=report.percent, message=report.message
    )
    if not taken:
        raise await refuse_worker(session, task_id, execution_id)
    return ExecutionAck(execution_id=execution_id, status=RUNNING)


@router.post(PATH + "/result", response_model=ExecutionAck, summary="The handler's result: the task is completed")
async def report_result(
    session: Session,
    caller: Serving,
    task_id: TaskId,
    execution_id: ExecutionId,
    report: Annotated[ResultReport, Body(examples=[{"result": {"output": "file_456"}}])],
) -> ExecutionAck:
    done = store.Done(task_id, execution_id, report.result)
    if not all(await store.complete(session, caller.tenant_id, [done])):
        raise await refuse_worker(session, task_id, execution_id)
    return ExecutionAck(execution_id=execution_id, status=TaskStatus.COMPLETED)


@router.post(
    PATH + "/error",
    response_model=ExecutionAck,
    summary="Why an attempt failed",
    description="Kept in the history. Whether there is another attempt follows from how the worker's activity ends.",
)
async def report_error(
    session: Session, _: Serving, task_id: TaskId, execution_id: ExecutionId, report: AttemptFailed
) -> ExecutionAck:
    error = TaskError(code=report.code, message=report.message)
    taken = await store.fail_attempt(
        session, task_id=task_id, execution_id=execution_id, attempt=report.attempt, error=error
    )
    if not taken:
        raise await refuse_worker(session, task_id, execution_id)
    return ExecutionAck(execution_id=execution_id, status=RUNNING)
