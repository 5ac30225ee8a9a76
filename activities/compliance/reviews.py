"""Reviews moved on their workflow's behalf, each move one transaction."""

from collections.abc import Awaitable, Callable

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from core.contracts.compliance.reviews import (
    EXPIRE_CLAIM,
    MOVE_REVIEW,
    NUDGE_REVIEW,
    ExpireWork,
    MoveWork,
    NudgeWork,
    ReviewState,
)
from core.errors import OpsError
from core.ports import ReviewMoves, Transactions


class ReviewActivities:
    """Collaborators: the database, what moves reviews."""

    def __init__(self, database: Transactions, reviews: ReviewMoves) -> None:
        self._database, self._reviews = database, reviews

    @activity.defn(name=MOVE_REVIEW)
    async def move(self, work: MoveWork) -> ReviewState:
        """A person's move, asked for through the workflow; refused as at the front door."""
        return await self._within(work.tenant_id, lambda session: self._reviews.update(session, work))

    @activity.defn(name=NUDGE_REVIEW)
    async def nudge(self, work: NudgeWork) -> ReviewState:
        """The clock's next step."""
        return await self._within(work.tenant_id, lambda session: self._reviews.nudge(session, work))

    @activity.defn(name=EXPIRE_CLAIM)
    async def expire(self, work: ExpireWork) -> ReviewState:
        """A claim whose time is over ends."""
        return await self._within(work.tenant_id, lambda session: self._reviews.expire(session, work))

    async def _within(self, tenant_id: str, move: Callable[[AsyncSession], Awaitable[ReviewState]]) -> ReviewState:
        try:
            async with self._database.begin(tenant_id) as session:
                return await move(session)
        except OpsError as error:
            # what the rules refuse now they refuse at every try
            raise ApplicationError(error.detail, type=f"compliance.{error.code}", non_retryable=True) from error
