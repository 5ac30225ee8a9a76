"""Annotated dependencies: who may do this, the transaction, the way to start work, paging.

They are coroutines even where they wait for nothing: FastAPI runs a plain function in a thread, which costs a request
more than all else that happens to it here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from api.unit import State, UnitOfWork, state_of
from core.auth import Caller
from core.contracts.platform import Intent, Work
from core.errors import Forbidden
from core.temporal import workflow_url


async def get_state(request: Request) -> State:
    return state_of(request.app)


AppState = Annotated[State, Depends(get_state)]


async def unit_of(request: Request) -> UnitOfWork:
    unit: UnitOfWork = request.scope["ops.unit"]
    return unit


Unit = Annotated[UnitOfWork, Depends(unit_of)]


async def open_session(request: Request) -> AsyncSession:
    """The request's transaction."""
    return await (await unit_of(request)).open()


Session = Annotated[AsyncSession, Depends(open_session)]


# ---- who may


def allow(permission: str) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency that lets only callers with this permission through."""

    async def check(request: Request) -> Caller:
        caller = (await unit_of(request)).caller
        if permission not in caller.permissions:
            raise Forbidden(f"This needs the permission {permission}.", code="permission_missing")
        return caller

    return check


def must_reach(caller: Caller, user_id: str) -> None:
    """Forbidden when a user's token asks for another user's things by name."""
    if caller.own_only not in (None, user_id):
        raise Forbidden("A user's token reaches only what is that user's own.", code="not_yours")


# ---- start work


class Starter:
    """The one way to start, cancel or signal a workflow from a front door."""

    def __init__(self, state: State, unit: UnitOfWork, session: AsyncSession) -> None:
        self._state, self._unit, self._session = state, unit, session

    async def promise(self, *intents: Intent) -> None:
        """Commit these intents with the request's rows; Temporal hears of them right after."""
        await self._unit.promise(self._session, intents)

    async def begin(self, provisional: BaseModel, location: str, *intents: Intent) -> None:
        """Promise, commit and start now, for a route that then waits for the work outside any transaction.

        Until the route's own answer replaces it, the request's idempotency key answers 202 with `provisional`.
        """
        await self.promise(*intents)
        accepted = Response(provisional.model_dump_json(by_alias=True), 202, {"Location": location}, "application/json")
        await self._unit.commit(accepted)

    def work(self, workflow_id: str) -> Work:
        """Where this workflow can be watched."""
        return Work(workflow_id=workflow_id, workflow_url=workflow_url(self._state.settings, workflow_id))


async def starter(state: AppState, unit: Unit, session: Session) -> Starter:
    return Starter(state, unit, session)


Starting = Annotated[Starter, Depends(starter)]


# ---- lists


@dataclass(frozen=True, slots=True)
class Paging:
    """How much of a list, from where."""

    limit: int
    cursor: str | None


async def paging(
    limit: Annotated[int, Query(ge=1, le=200, description="how many items at most")] = 50,
    cursor: Annotated[str | None, Query(max_length=1000, description="next_cursor of the page before")] = None,
) -> Paging:
    return Paging(limit, cursor)


PageOf = Annotated[Paging, Depends(paging)]
