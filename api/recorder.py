"""Group commit of records: those that arrive while one transaction runs share the next one."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from core.db import Database
from core.grouped import Grouped, Work

Row = TypeVar("Row")
Write = Callable[[AsyncSession, str, list[Row]], Awaitable[None]]


class Recorder(Generic[Row]):
    """Writes single records in groups, one transaction a tenant. `append` returns when its record is committed."""

    def __init__(self, database: Database, write: "Write[Row]") -> None:
        self._grouped = Grouped(database, _answering(write))

    async def append(self, tenant: str, row: Row) -> None:
        """Commit one record, together with whatever else is waiting."""
        await self._grouped.do(tenant, row)


def _answering(write: "Write[Row]") -> "Work[Row, None]":
    async def work(session: AsyncSession, tenant: str, rows: list[Row]) -> list[None]:
        await write(session, tenant, rows)
        return [None] * len(rows)

    return work
