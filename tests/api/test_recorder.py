"""Group commit: what was acknowledged is committed, and a bad record fails alone."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel.ext.asyncio.session import AsyncSession

from api.recorder import Recorder
from core.db import Database


class _Writer:
    """Writes intents' ids; refuses the word `bad`, as a constraint would."""

    def __init__(self) -> None:
        self.groups: list[int] = []

    async def write(self, session: AsyncSession, tenant: str, rows: list[str]) -> None:
        self.groups.append(len(rows))
        connection = await session.connection()
        for row in rows:
            if row == "bad":
                raise ValueError(row)
            await connection.execute(
                text("INSERT INTO ops.intents (intent_id, tenant_id, intent) VALUES (:id, :tenant, '{}')"),
                {"id": f"{tenant}-{row}", "tenant": tenant},
            )


async def _committed(database: Database, tenant: str) -> int:
    async with database.begin(tenant) as session:
        found = await (await session.connection()).execute(text("SELECT count(*) FROM ops.intents"))
        return int(found.scalar_one())


@pytest.fixture(autouse=True)
async def _leave_no_intents(database: Database, tenant: str):  # type: ignore[no-untyped-def]  # pytest's own generator
    yield
    async with database.begin(tenant) as session:
        await (await session.connection()).execute(text("DELETE FROM ops.intents"))


async def test_records_that_arrive_together_share_commits(database: Database, tenant: str) -> None:
    writer = _Writer()
    recorder = Recorder(database, writer.write)
    await asyncio.gather(*(recorder.append(tenant, str(i)) for i in range(100)))
    assert await _committed(database, tenant) == 100
    assert len(writer.groups) < 10


async def test_a_bad_record_fails_alone(database: Database, tenant: str) -> None:
    recorder = Recorder(database, _Writer().write)
    sent = [recorder.append(tenant, row) for row in ("1", "2", "bad", "3")]
    results = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), ValueError, type(None)]
    assert await _committed(database, tenant) == 3


async def test_a_caller_that_went_away_does_not_stop_the_others(database: Database, tenant: str) -> None:
    recorder = Recorder(database, _Writer().write)
    gone = asyncio.ensure_future(recorder.append(tenant, "1"))
    stays = asyncio.ensure_future(recorder.append(tenant, "2"))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    assert await _committed(database, tenant) == 2


async def test_a_group_asks_no_more_than_twice_for_a_database_that_is_away(tenant: str) -> None:
    asked: list[bytes] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(8))
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    away = Database(f"postgresql://nobody@127.0.0.1:{port}/nothing?sslmode=disable&gssencmode=disable")
    recorder = Recorder(away, _Writer().write)
    results = await asyncio.gather(*(recorder.append(tenant, str(n)) for n in range(20)), return_exceptions=True)
    await away.close()
    server.close()
    assert {type(result) for result in results} == {OperationalError}
    assert len(asked) == 2
