"""Intents: what was promised while Temporal could not be reached is kept later, once."""

from temporalio.client import Client, WorkflowExecutionStatus

from core.contracts.platform import INTENTS_RECONCILE, QUEUE, Intent, ReconcileInput, ReconcileResult
from core.db import Database
from core.ids import new_id
from core.store import platform as store
from tests.conftest import StartWorkers


def _reconcile_of(tenant: str) -> Intent:
    intent_id = new_id("intent")
    return Intent(
        intent_id=intent_id,
        tenant_id=tenant,
        workflow_id=f"test:{intent_id}",
        workflow_type=INTENTS_RECONCILE,
        queue=QUEUE,
        payload=ReconcileInput(older_than_seconds=3600).model_dump(),
    )


async def test_an_intent_left_behind_is_started_and_forgotten(
    database: Database, temporal: Client, tenant: str, workers: StartWorkers
) -> None:
    await workers("platform")
    intent = _reconcile_of(tenant)
    async with database.begin(tenant) as session:
        await store.add_intents(session, [intent])
    await temporal.execute_workflow(
        INTENTS_RECONCILE,
        ReconcileInput(older_than_seconds=0),
        id=new_id("test"),
        task_queue=QUEUE,
        result_type=ReconcileResult,
    )
    started = await temporal.get_workflow_handle(intent.workflow_id).describe()
    assert started.status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED)
    async with database.begin_all() as session:
        left = await store.due_intents(session, older_than_seconds=-60, limit=1000)
    assert intent.intent_id not in {i.intent_id for i in left}


async def test_a_tenant_sees_no_intents_of_another(database: Database, tenant: str) -> None:
    async with database.begin(tenant) as session:
        await store.add_intents(session, [_reconcile_of(tenant)])
    async with database.begin(new_id("org")) as session:
        assert await store.due_intents(session, older_than_seconds=-60, limit=10) == []
