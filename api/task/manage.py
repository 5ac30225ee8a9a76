"""What people do with tasks: list, look, run now, cancel, read the history."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Response

from api.deps import AppState, PageOf, Session, Starting
from api.task import answers
from api.task.access import PREFIX, Reader, TaskId, Writer, must_find, router
from api.task.intents import intent, run_intent
from api.task.pollers import waiting_for_worker
from core.auth import Caller
from core.contracts.platform import AuditEntry, IntentKind, Moment, Page
from core.contracts.task import (
    EXECUTE_SIGNAL,
    FINISHED,
    Execution,
    Priority,
    Task,
    TaskItem,
    TaskStatus,
    TaskWork,
)
from core.errors import Conflict
from core.ids import new_id
from core.store import audit
from core.store import task as store
from core.store.platform import decode_cursor, encode_cursor
from core.tables.task import TaskRow


class TaskQuery:
    """Which tasks a list shows."""

    def __init__(
        self,
        status: Annotated[list[TaskStatus], Query(max_length=6, description="repeat for several")] = [],  # noqa: B006 - FastAPI copies it
        type: Annotated[str | None, Query(max_length=100)] = None,  # noqa: A002 - the page's word
        priority: Annotated[Priority | None, Query()] = None,
        name: Annotated[str | None, Query(max_length=200, description="exactly this name")] = None,
        created_from: Annotated[Moment | None, Query(description="created then or later")] = None,
        created_to: Annotated[Moment | None, Query(description="created before then")] = None,
    ) -> None:
        self.status, self.type, self.priority, self.name = tuple(status), type, priority, name
        self.created_from, self.created_to = created_from, created_to

    def of(self, caller: Caller) -> store.TaskFilter:
        """The filter, limited to what the caller may see."""
        return store.TaskFilter(
            owner_id=caller.own_only,
            statuses=self.status,
            type=self.type,
            priority=self.priority,
            name=self.name,
            created_from=self.created_from,
            created_to=self.created_to,
        )


@router.get("", response_model=Page[TaskItem], summary="List tasks, newest first")
async def list_tasks(
    session: Session, state: AppState, caller: Reader, page: PageOf, wanted: Annotated[TaskQuery, Depends()]
) -> Page[TaskItem]:
    after = decode_cursor(page.cursor, (datetime, str))
    rows = await store.list_tasks(session, wanted.of(caller), limit=page.limit, after=after)
    shown = rows[: page.limit]
    more = encode_cursor(shown[-1]["created_at"], shown[-1]["task_id"]) if len(rows) > page.limit else None
    return Page(items=[answers.item(state, row) for row in shown], next_cursor=more)


@router.get("/{task_id}", response_model=Task, summary="Where a task stands, and when it will be done")
async def get_task(session: Session, state: AppState, caller: Reader, task_id: TaskId) -> Task:
    task, run = await must_find(session, caller, task_id)
    open_still = task.status not in FINISHED
    recent = await store.recent_durations(session, task.type) if open_still else ()
    return answers.whole(state, task, run, waiting=await waiting_for_worker(state, task), recent=recent)


@router.post(
    "/{task_id}/execute",
    response_model=TaskWork,
    status_code=202,
    summary="Run a task now",
    description=(
        "A scheduled task no longer waits; a finished one gets a new execution; a pending one starts anyway. "
        "409 `task_running` while it runs."
    ),
)
async def execute_task(
    session: Session, starting: Starting, state: AppState, caller: Writer, task_id: TaskId, response: Response
) -> TaskWork:
    task, _ = await must_find(session, caller, task_id)
    if task.status == TaskStatus.RUNNING:
        raise Conflict("The task runs already: wait for its end, or cancel it.", code="task_running")
    if task.status == TaskStatus.SCHEDULED:
        task = await _run_scheduled_now(session, starting, task)
    elif task.status in FINISHED:
        task = await _run_again(session, starting, task)
    response.headers["Location"] = f"{PREFIX}/{task_id}"
    return answers.work(state, task)


async def _run_scheduled_now(session: Session, starting: Starting, task: TaskRow) -> TaskRow:
    if not await store.release(session, task_id=task.task_id, execution_id=task.execution_id):
        raise _moved()
    await starting.promise(intent(task, IntentKind.SIGNAL, EXECUTE_SIGNAL))
    return task.model_copy(update={"status": TaskStatus.PENDING.value})


async def _run_again(session: Session, starting: Starting, task: TaskRow) -> TaskRow:
    renewed = await store.renew(session, task, new_id("exec"))
    if renewed is None:
        raise _moved()
    await starting.promise(run_intent(renewed))
    return renewed


def _moved() -> Conflict:
    return Conflict("The task changed in this moment: look at it, then try again.", code="task_changed")


@router.post(
    "/{task_id}/cancel",
    response_model=TaskWork,
    status_code=202,
    summary="Cancel a task and stop its handler",
    description="`cancelled` at once; the handler is told within seconds. 409 `task_finished` when it has ended.",
)
async def cancel_task(
    session: Session, starting: Starting, state: AppState, caller: Writer, task_id: TaskId, response: Response
) -> TaskWork:
    task, _ = await must_find(session, caller, task_id)
    if task.status != TaskStatus.CANCELLED:
        task = await _cancel(session, starting, caller, task)
    response.headers["Location"] = f"{PREFIX}/{task_id}"
    return answers.work(state, task)


async def _cancel(session: Session, starting: Starting, caller: Caller, task: TaskRow) -> TaskRow:
    ids = {"task_id": task.task_id, "execution_id": task.execution_id}
    if not await store.cancel(session, caller.tenant_id, **ids):
        raise Conflict("The task has ended: there is nothing to cancel.", code="task_finished")
    await audit.append_entries(session, caller.tenant_id, [_cancelled_by(caller, task)])
    await starting.promise(intent(task, IntentKind.CANCEL))
    return task.model_copy(update={"status": TaskStatus.CANCELLED.value})


def _cancelled_by(caller: Caller, task: TaskRow) -> AuditEntry:
    return AuditEntry(
        event_type="task.cancel",
        actor_id=caller.user_id,
        action="cancel",
        resource_type="task",
        resource_id=task.task_id,
        metadata={"execution_id": task.execution_id, "type": task.type, "owner_id": task.owner_id},
        correlation_id=task.correlation_id,
    )


@router.get(
    "/{task_id}/executions",
    response_model=Page[Execution],
    summary="A task's executions with every attempt, newest first",
)
async def list_executions(
    session: Session, state: AppState, caller: Reader, page: PageOf, task_id: TaskId
) -> Page[Execution]:
    await must_find(session, caller, task_id)
    after = decode_cursor(page.cursor, (int,))
    rows = await store.executions_of(session, task_id, limit=page.limit, after=after)
    shown = rows[: page.limit]
    more = encode_cursor(shown[-1].number) if len(rows) > page.limit else None
    return Page(items=[answers.execution(state, row) for row in shown], next_cursor=more)
