"""compliance.batch: chunks until none is left."""

from temporalio import workflow

from core.contracts.compliance import (
    BATCH_PROGRESS,
    BATCH_RUN,
    CHECK_CHUNK,
    BatchInput,
    BatchOutcome,
    ChunkResult,
)
from workflows.options import LONG


@workflow.defn(name=BATCH_RUN)
class ComplianceBatch:
    """One activity a chunk. A cancel ends it at once: the front door has given up the waiting items already."""

    @workflow.init
    def __init__(self, batch: BatchInput) -> None:
        self._outcome = BatchOutcome(batch_id=batch.batch_id, checked=batch.checked)

    @workflow.run
    async def run(self, batch: BatchInput) -> BatchOutcome:
        while await self._chunk(batch):
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(batch.model_copy(update={"checked": self._outcome.checked}))
        return self._outcome

    async def _chunk(self, batch: BatchInput) -> int:
        done: ChunkResult = await workflow.execute_activity(
            CHECK_CHUNK, batch, result_type=ChunkResult, summary=f"after {self._outcome.checked} texts", **LONG
        )
        self._outcome.checked += done.checked
        self._outcome.left = done.left
        workflow.set_current_details(f"{self._outcome.checked} texts checked, {done.left} left")
        return done.left

    @workflow.query(name=BATCH_PROGRESS)
    def progress(self) -> BatchOutcome:
        """How many texts are checked, and how many wait."""
        return self._outcome
