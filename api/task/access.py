"""The router, who may do what, and finding the task a request is about."""

from typing import Annotated

from fastapi import Depends, Path

from api.app import router as make_router
from api.deps import Session, allow
from core.auth import Caller
from core.contracts.task import TaskStatus
from core.errors import Conflict, Forbidden, NotFound
from core.store import task as store
from core.tables.task import ExecutionRow, TaskRow

PREFIX = "/api/v1/tasks"
router = make_router(PREFIX, "task")

Reader = Annotated[Caller, Depends(allow("task:read"))]
Writer = Annotated[Caller, Depends(allow("task:write"))]


async def _serving(caller: Writer) -> Caller:
    if not caller.tenant_wide:
        raise Forbidden("Workers need a token of scope service or admin.", code="scope_too_narrow")
    return caller


Serving = Annotated[Caller, Depends(_serving)]
TaskId = Annotated[str, Path(min_length=1, max_length=200, examples=["task_abc123"])]
ExecutionId = Annotated[str, Path(min_length=1, max_length=200, examples=["exec_abc123"])]


async def must_find(session: Session, caller: Caller, task_id: str) -> tuple[TaskRow, ExecutionRow]:
    """The task, if this caller may see it."""
    found = await store.find_task(session, task_id, owner_id=caller.own_only)
    if found is None:
        raise NotFound(f"There is no task {task_id}.", code="task_not_found")
    return found


async def refuse_worker(session: Session, task_id: str, execution_id: str) -> Conflict:
    """Why a worker's report was not taken; NotFound if the execution never was."""
    status = await store.standing(session, task_id=task_id, execution_id=execution_id)
    if status is None:
        raise NotFound(f"There is no execution {execution_id} of task {task_id}.", code="execution_not_found")
    if status is TaskStatus.CANCELLED:
        return Conflict("The task was cancelled: stop working on it.", code="task_cancelled")
    if status in (TaskStatus.COMPLETED, TaskStatus.FAILED):
        return Conflict(f"The execution is {status.value} already: stop working on it.", code="execution_finished")
    if status is TaskStatus.RUNNING:
        return Conflict("Another attempt has taken over: stop working on this one.", code="attempt_superseded")
    return Conflict("The execution was not started: call start first.", code="execution_not_started")
