"""compliance.rescore: chunks of past checks until none is left."""

from temporalio import workflow

from core.contracts.compliance import (
    RESCORE_CHUNK,
    RESCORE_PROGRESS,
    RESCORE_RUN,
    RescoreChunk,
    RescoreInput,
    RescoreOutcome,
)
from workflows.options import LONG


@workflow.defn(name=RESCORE_RUN)
class ComplianceRescore:
    """One activity a chunk. A cancel ends it at once: the front door has ended the row already."""

    @workflow.init
    def __init__(self, rescore: RescoreInput) -> None:
        self._outcome = RescoreOutcome(rescore_id=rescore.rescore_id, rescored=rescore.rescored)

    @workflow.run
    async def run(self, rescore: RescoreInput) -> RescoreOutcome:
        while await self._chunk(rescore):
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(rescore.model_copy(update={"rescored": self._outcome.rescored}))
        return self._outcome

    async def _chunk(self, rescore: RescoreInput) -> int:
        done: RescoreChunk = await workflow.execute_activity(
            RESCORE_CHUNK, rescore, result_type=RescoreChunk, summary=f"after {self._outcome.rescored} checks", **LONG
        )
        self._outcome.rescored += done.rescored
        self._outcome.left = done.left
        workflow.set_current_details(f"{self._outcome.rescored} checks judged again, {done.left} left")
        return done.left

    @workflow.query(name=RESCORE_PROGRESS)
    def progress(self) -> RescoreOutcome:
        """How many checks are judged again, and how many wait."""
        return self._outcome
