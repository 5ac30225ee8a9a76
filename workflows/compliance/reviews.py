"""compliance.review: waits for a person, reminds, escalates at the due time, ends with the decision."""

import asyncio
from contextlib import suppress
from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

from core.contracts.compliance.reviews import (
    EXPIRE_CLAIM,
    MOVE_REVIEW,
    NUDGE_REVIEW,
    REVIEW_CHANGED,
    REVIEW_RUN,
    REVIEW_STATE,
    ExpireWork,
    MoveUpdate,
    MoveWork,
    NudgeWork,
    ReviewAction,
    ReviewInput,
    ReviewState,
)
from core.contracts.platform import OPS_STATUS
from workflows.options import STORE

# Read anew in the sandbox of each of thousands of workflows, these rules doubled what it costs to begin one (15 ms of
# processor time in place of 8). They take the time as an argument; Hypothesis and the replays hold them to it.
with workflow.unsafe.imports_passed_through():
    from core.domain.compliance.reviews import ENDED, WHY, next_nudge, refusal

STATUS = SearchAttributeKey.for_keyword(OPS_STATUS)


@workflow.defn(name=REVIEW_RUN)
class ComplianceReview:
    """The row in Postgres is the truth; this knows a copy of it, and of two copies believes the later. It begins
    without an activity, so that thousands may begin to wait at once."""

    @workflow.init
    def __init__(self, review: ReviewInput) -> None:
        self._review, self._state = review, review.state

    @workflow.run
    async def run(self, review: ReviewInput) -> ReviewState:
        self._show()
        while self._state.status not in ENDED:
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(review.model_copy(update={"state": self._state}))
            await self._next()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    async def _next(self) -> None:
        """Wait for news, or for the clock: the end of a claim, or the next step towards escalation."""
        seen, now = self._state.revision, workflow.now()
        nudge = next_nudge(self._review.opened_at, self._review.due_at, done=self._state.nudged, now=now)
        expiry = self._state.claim_expires_at
        times = [at for at in (expiry, nudge[1] if nudge else None) if at is not None]
        until = min(times, default=None)
        if await self._news(seen, until):
            return
        if expiry is not None and expiry == until:
            over = ExpireWork(**self._key(), claim_expires_at=expiry)
            await self._in_store(EXPIRE_CLAIM, over, "the claim is over")
        elif nudge is not None:
            await self._in_store(
                NUDGE_REVIEW, NudgeWork(**self._key(), nudge=nudge[0]), f"step {nudge[0]} of the clock"
            )

    async def _news(self, seen: int, until: datetime | None) -> bool:
        """Whether the state changed before this time."""
        timeout = None if until is None else max(0.0, (until - workflow.now()).total_seconds())
        with suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: self._state.revision != seen, timeout=timeout, timeout_summary=f"until {until}"
            )
        return self._state.revision != seen

    def _key(self) -> dict[str, str]:
        return {"tenant_id": self._review.tenant_id, "review_id": self._review.review_id}

    async def _in_store(self, name: str, work: ExpireWork | NudgeWork | MoveWork, summary: str) -> ReviewState:
        state: ReviewState = await workflow.execute_activity(
            name, work, result_type=ReviewState, summary=summary, **STORE
        )
        self._learn(state)
        return state

    def _learn(self, state: ReviewState) -> None:
        if state.revision <= self._state.revision:
            return
        moved = state.status is not self._state.status
        self._state = state
        self._show()
        if moved:
            workflow.upsert_search_attributes([STATUS.value_set(state.status.value)])

    def _show(self) -> None:
        state = self._state
        held = f"held by {state.claimed_by} until {state.claim_expires_at}" if state.claimed_by else "held by nobody"
        more = [word for word, so in (("escalated", state.escalated), ("needs two", state.second_reviewer)) if so]
        lines = (f"{state.status.value}, {held}", f"due {self._review.due_at}", *more)
        workflow.set_current_details("\n".join(f"- {line}" for line in lines))

    # ---- what may be asked of it

    @workflow.query(name=REVIEW_STATE)
    def state(self) -> ReviewState:
        """What is known of the review."""
        return self._state

    @workflow.signal(name=REVIEW_CHANGED)
    def changed(self, state: ReviewState) -> None:
        """The front door has moved the row."""
        self._learn(state)

    @workflow.update(name=ReviewAction.CLAIM.value)
    async def claim(self, wanted: MoveUpdate) -> ReviewState:
        """Take it, for as long as a claim holds."""
        return await self._move(ReviewAction.CLAIM, wanted)

    @workflow.update(name=ReviewAction.RELEASE.value)
    async def release(self, wanted: MoveUpdate) -> ReviewState:
        """Give it back undecided."""
        return await self._move(ReviewAction.RELEASE, wanted)

    @workflow.update(name=ReviewAction.APPROVE.value)
    async def approve(self, wanted: MoveUpdate) -> ReviewState:
        """The text may stand."""
        return await self._move(ReviewAction.APPROVE, wanted)

    @workflow.update(name=ReviewAction.REJECT.value)
    async def reject(self, wanted: MoveUpdate) -> ReviewState:
        """The text may not stand."""
        return await self._move(ReviewAction.REJECT, wanted)

    @workflow.update(name=ReviewAction.ESCALATE.value)
    async def escalate(self, wanted: MoveUpdate) -> ReviewState:
        """Call for help; with `second_reviewer`, two must agree from now on."""
        return await self._move(ReviewAction.ESCALATE, wanted)

    @claim.validator
    def _may_claim(self, wanted: MoveUpdate) -> None:
        self._must_be_allowed(ReviewAction.CLAIM, wanted)

    @release.validator
    def _may_release(self, wanted: MoveUpdate) -> None:
        self._must_be_allowed(ReviewAction.RELEASE, wanted)

    @approve.validator
    def _may_approve(self, wanted: MoveUpdate) -> None:
        self._must_be_allowed(ReviewAction.APPROVE, wanted)

    @reject.validator
    def _may_reject(self, wanted: MoveUpdate) -> None:
        self._must_be_allowed(ReviewAction.REJECT, wanted)

    @escalate.validator
    def _may_escalate(self, wanted: MoveUpdate) -> None:
        self._must_be_allowed(ReviewAction.ESCALATE, wanted)

    def _must_be_allowed(self, action: ReviewAction, wanted: MoveUpdate) -> None:
        refused = refusal(self._state, action, by=wanted.by, admin=wanted.admin, now=workflow.now())
        if refused:
            raise ApplicationError(WHY[refused], type=f"compliance.{refused.value}", non_retryable=True)

    async def _move(self, action: ReviewAction, wanted: MoveUpdate) -> ReviewState:
        """The same guarded move as at the front door; the row may know better than the validator did."""
        move_id = str(workflow.uuid4())
        work = MoveWork(**self._key(), move_id=move_id, action=action, update=wanted)
        return await self._in_store(MOVE_REVIEW, work, f"{action.value} by {wanted.by}")
