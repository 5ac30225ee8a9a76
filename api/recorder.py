"""Group commit: records that arrive while one transaction runs share the next one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from core.db import Database

Row = TypeVar("Row")
Write = Callable[[AsyncSession, str, list[Row]], Awaitable[None]]
LARGEST_GROUP = 500


class Recorder(Generic[Row]):
    """Writes single records in groups, one transaction a tenant. `append` returns when its record is committed."""

    def __init__(self, database: Database, write: "Write[Row]") -> None:
        self._database, self._write = database, write
        self._waiting: dict[str, list[tuple[Row, asyncio.Future[None]]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def append(self, tenant: str, row: Row) -> None:
        """Commit one record, together with whatever else is waiting."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, []).append((row, done))
        if tenant not in self._running:
            self._running[tenant] = asyncio.create_task(self._drain(tenant))
        await done

    async def _drain(self, tenant: str) -> None:
        try:
            while waiting := self._waiting.pop(tenant, []):
                group, rest = waiting[:LARGEST_GROUP], waiting[LARGEST_GROUP:]
                if rest:
                    self._waiting[tenant] = rest
                await self._commit(tenant, group)
        finally:
            del self._running[tenant]

    async def _commit(self, tenant: str, group: list[tuple[Row, asyncio.Future[None]]]) -> None:
        try:
            async with self._database.begin(tenant) as session:
                await self._write(session, tenant, [row for row, _ in group])
        except Exception as error:  # noqa: BLE001 - told to each waiting request, whose handler answers it
            if len(group) == 1:
                _settle(group[0][1], error)
                return
            for one in group:  # one bad record must not fail its neighbours
                await self._commit(tenant, [one])
            return
        for _, done in group:
            _settle(done, None)


def _settle(done: "asyncio.Future[None]", error: Exception | None) -> None:
    if done.done():  # the request was cancelled meanwhile
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
