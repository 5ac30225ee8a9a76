"""What serves all five services: the supervisor of pumps, and the reconciler of intents."""

from temporalio import workflow

from core.contracts.platform import (
    INTENTS_RECONCILE,
    PUMP_RUN,
    PumpInput,
    PumpResult,
    ReconcileInput,
    ReconcileResult,
    pump_activity,
)
from workflows.options import PUMP, STORE


@workflow.defn(name=PUMP_RUN)
class PumpRun:
    """Runs a pump's turns one after another, for ever: its activity moves to another worker when a process dies."""

    @workflow.run
    async def run(self, pump: PumpInput) -> None:
        result = await workflow.execute_activity(
            pump_activity(pump.name),
            pump,
            task_queue=pump.queue,
            result_type=PumpResult,
            summary=f"one turn of {pump.name.value}",
            **PUMP,
        )
        workflow.set_current_details(f"last turn moved {result.rows} rows")
        workflow.continue_as_new(pump)


@workflow.defn(name=INTENTS_RECONCILE)
class IntentsReconcile:
    """Keeps what the front doors promised while Temporal was away."""

    @workflow.run
    async def run(self, wanted: ReconcileInput) -> ReconcileResult:
        result: ReconcileResult = await workflow.execute_activity(
            INTENTS_RECONCILE, wanted, result_type=ReconcileResult, **STORE
        )
        return result
