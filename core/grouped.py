"""Group commit: what arrives while one transaction runs shares the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ports import Transactions

Row = TypeVar("Row")
Found = TypeVar("Found")
Work = Callable[[AsyncSession, str, list[Row]], Awaitable[Sequence[Found]]]
LARGEST_GROUP = 500


class Grouped(Generic[Row, Found]):
    """Carries rows out in groups, one transaction a tenant; `work` answers one result for each row, in order."""

    def __init__(self, database: Transactions, work: "Work[Row, Found]") -> None:
        self._database, self._work = database, work
        self._waiting: dict[str, list[tuple[Row, asyncio.Future[Found]]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def do(self, tenant: str, row: Row) -> Found:
        """What came of this row, once it is committed together with whatever else was waiting."""
        done: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, []).append((row, done))
        if tenant not in self._running:
            self._running[tenant] = asyncio.create_task(self._drain(tenant))
        return await done

    async def _drain(self, tenant: str) -> None:
        try:
            while waiting := self._waiting.pop(tenant, []):
                group, rest = waiting[:LARGEST_GROUP], waiting[LARGEST_GROUP:]
                if rest:
                    self._waiting[tenant] = rest
                await self._commit(tenant, group)
        finally:
            del self._running[tenant]

    async def _commit(self, tenant: str, group: list[tuple[Row, asyncio.Future[Found]]]) -> bool:
        """Whether there was a database to ask."""
        try:
            async with self._database.begin(tenant) as session:
                found = await self._work(session, tenant, [row for row, _ in group])
        except Exception as error:  # noqa: BLE001 - told to each who waits, and handled there
            if len(group) == 1:
                _fail(group[0][1], error)
                return not _unreachable(error)
            return await self._one_by_one(tenant, group, error)
        for (_, done), result in zip(group, found, strict=True):
            if not done.done():  # else whoever waited was cancelled meanwhile
                done.set_result(result)
        return True

    async def _one_by_one(self, tenant: str, group: list[tuple[Row, asyncio.Future[Found]]], error: Exception) -> bool:
        """One bad row must not fail its neighbours. Without a database each would only wait for that in turn."""
        for place, one in enumerate(group, 1):
            if not await self._commit(tenant, [one]):
                for _, done in group[place:]:
                    _fail(done, error)
                return False
        return True


def _unreachable(error: Exception) -> bool:
    """Whether no database answered, or it went away."""
    if isinstance(error, PoolTimeout | InterfaceError):
        return True
    return isinstance(error, DBAPIError) and (error.connection_invalidated or _without_answer(error))


def _without_answer(error: DBAPIError) -> bool:
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) is None


def _fail(done: "asyncio.Future[Found]", error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
