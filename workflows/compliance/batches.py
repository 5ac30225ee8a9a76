"""compliance.batch: ranges of a batch, several at a time, until none is left; compliance.forget_uploads."""

import asyncio

from temporalio import workflow

from core.contracts.compliance import (
    BATCH_PROGRESS,
    BATCH_RUN,
    CHECK_CHUNK,
    CHECK_RANGE,
    FORGET_UPLOADS,
    PLAN_BATCH,
    BatchInput,
    BatchOutcome,
    BatchPlan,
    BatchRange,
    ChunkResult,
    ForgetUploads,
)
from workflows.options import LONG, STORE

RANGES = "ranges"
"""The patch that checks ranges in parallel; batches that began before it go chunk by chunk to their end."""


@workflow.defn(name=BATCH_RUN)
class ComplianceBatch:
    """One activity a range. A cancel ends it at once: the front door has given up the waiting items already."""

    @workflow.init
    def __init__(self, batch: BatchInput) -> None:
        self._outcome = BatchOutcome(batch_id=batch.batch_id, checked=batch.checked)
        self._position = batch.position

    @workflow.run
    async def run(self, batch: BatchInput) -> BatchOutcome:
        if workflow.patched(RANGES):
            await self._all_ranges(batch)
        else:
            await self._all_chunks(batch)
        return self._outcome

    async def _all_ranges(self, batch: BatchInput) -> None:
        plan: BatchPlan = await workflow.execute_activity(
            PLAN_BATCH, batch, result_type=BatchPlan, summary="how many, how many at a time", **STORE
        )
        self._outcome.left = max(0, plan.total - self._outcome.checked)
        await asyncio.gather(*(self._lane(batch, plan) for _ in range(plan.parallel)))
        if self._position < plan.total:
            done = {"checked": self._outcome.checked, "position": self._position}
            workflow.continue_as_new(batch.model_copy(update=done))

    async def _lane(self, batch: BatchInput, plan: BatchPlan) -> None:
        """One range after another, until none is left or the history is long."""
        while self._position < plan.total and not workflow.info().is_continue_as_new_suggested():
            first, self._position = self._position, min(self._position + plan.size, plan.total)
            wanted = BatchRange(tenant_id=batch.tenant_id, batch_id=batch.batch_id, first=first, end=self._position)
            done: ChunkResult = await workflow.execute_activity(
                CHECK_RANGE, wanted, result_type=ChunkResult, summary=f"from {first} to {wanted.end}", **LONG
            )
            self._count(done)

    async def _all_chunks(self, batch: BatchInput) -> None:
        left = 1
        while left:
            done: ChunkResult = await workflow.execute_activity(
                CHECK_CHUNK, batch, result_type=ChunkResult, summary=f"after {self._outcome.checked} texts", **LONG
            )
            self._count(done)
            left = done.left
            if left and workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(batch.model_copy(update={"checked": self._outcome.checked}))

    def _count(self, done: ChunkResult) -> None:
        self._outcome.checked += done.checked
        self._outcome.left = done.left
        workflow.set_current_details(f"{self._outcome.checked} texts checked, {done.left} left")

    @workflow.query(name=BATCH_PROGRESS)
    def progress(self) -> BatchOutcome:
        """How many texts are checked, and how many wait."""
        return self._outcome


@workflow.defn(name=FORGET_UPLOADS)
class ForgetUploadsRun:
    """Gives up uploads that broke off, for a front door that died with them."""

    @workflow.run
    async def run(self, wanted: ForgetUploads) -> int:
        gone: int = await workflow.execute_activity(FORGET_UPLOADS, wanted, result_type=int, **LONG)
        workflow.set_current_details(f"{gone} uploads given up")
        return gone
