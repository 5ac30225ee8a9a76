"""POST a task: its type found, its payload checked, its row, first execution and intent written together."""

from datetime import UTC, datetime

from fastapi import Response
from pydantic import BaseModel, ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from api.deps import AppState, Unit, must_reach
from api.errors import field_errors
from api.recorder import Recorder
from api.task import answers
from api.task.access import PREFIX, Writer, router
from api.task.intents import run_intent
from api.task.pollers import waiting_for_worker
from api.unit import State, UnitOfWork
from core.auth import Caller
from core.contracts.notification import Send
from core.contracts.platform import Intent
from core.contracts.task import BUILT_IN, BuiltIn, CreateTask, ReportPayload, Task
from core.domain import task as rules
from core.errors import FieldError, Forbidden, Invalid
from core.ids import new_id
from core.store import task as store
from core.store.platform import add_intents
from core.tables.task import TaskRow
from core.telemetry import correlation_id

NewTask = tuple[TaskRow, Intent]


@router.post(
    "",
    response_model=Task,
    status_code=201,
    summary="Create a task",
    description=(
        "Without `scheduled_at`, or with one in the past, it is `pending` and starts as soon as a worker takes its "
        "type; with one in the future it is `scheduled`."
    ),
)
async def create_task(unit: Unit, state: AppState, caller: Writer, wanted: CreateTask, response: Response) -> Task:
    task = _new_task(wanted, caller)
    await _accept(state, unit, task, run_intent(task))
    response.headers["Location"] = f"{PREFIX}/{task.task_id}"
    return answers.whole(state, task, waiting=await waiting_for_worker(state, task))


async def _accept(state: State, unit: UnitOfWork, task: TaskRow, intent: Intent) -> None:
    """With an idempotency key in the transaction that keeps the answer, else together with its neighbours."""
    if unit.has_key:
        session = await unit.open()
        await store.add_tasks(session, [task])
        await unit.promise(session, [intent])
    else:
        recorder: Recorder[NewTask] = state.extras["new_tasks"]
        await recorder.append(task.tenant_id, (task, intent))
        unit.carry_out([intent])


async def add_together(session: AsyncSession, _tenant: str, new: list[NewTask]) -> None:
    """Tasks and the intents to start them."""
    await store.add_tasks(session, [task for task, _ in new])
    await add_intents(session, [intent for _, intent in new])


def _new_task(wanted: CreateTask, caller: Caller) -> TaskRow:
    now = datetime.now(UTC)
    return TaskRow(
        task_id=new_id("task"),
        tenant_id=caller.tenant_id,
        owner_id=caller.user_id,
        name=wanted.name,
        type=_checked_type(wanted, caller),
        priority=wanted.priority.value,
        status=rules.first_status(wanted.scheduled_at, now).value,
        payload=wanted.payload,
        scheduled_at=wanted.scheduled_at,
        timeout_seconds=wanted.timeout_seconds,
        max_attempts=wanted.max_attempts,
        execution_id=new_id("exec"),
        executions=1,
        correlation_id=wanted.correlation_id or correlation_id.get(),
        created_at=now,
    )


# What the other services' own front doors would ask of a caller. A report made by a task is the whole tenant's.
NEEDED: dict[str, str] = {
    BuiltIn.NOTIFICATION_SEND: "notification:write",
    BuiltIn.COMPLIANCE_BATCH_CHECK: "compliance:write",
    BuiltIn.EVENT_REPLAY: "event:manage",
}


def _must_be_allowed(caller: Caller, task_type: str, payload: BaseModel) -> None:
    """A task gives nobody more rights than that service's front door."""
    needed = f"{payload.root.report}:manage" if isinstance(payload, ReportPayload) else NEEDED.get(task_type)
    if needed is not None and needed not in caller.permissions:
        raise Forbidden(f"A task of type {task_type} needs the permission {needed}.", code="permission_missing")
    if isinstance(payload, Send):
        must_reach(caller, payload.user_id)


def _checked_type(wanted: CreateTask, caller: Caller) -> str:
    task_type = rules.type_of(wanted.name, wanted.type)
    if task_type is None:
        found = [
            FieldError("type", "is needed, since the name cannot be a type: letters, digits, dot, dash, underscore")
        ]
        raise Invalid("The task needs a type.", errors=found)
    if contract := BUILT_IN.get(task_type):
        try:
            payload = contract.model_validate(wanted.payload)
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False)
            found = field_errors([{**fault, "loc": ("body", "payload", *fault["loc"])} for fault in faults])
            raise Invalid(
                f"The payload is not what {task_type} takes: {found[0].field}: {found[0].message}.", errors=found
            ) from error
        _must_be_allowed(caller, task_type, payload)
    return task_type
