"""Statements straight to the driver: done when the block ends, told as every other error, nothing left half done."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from core.db import Database, plain_url
from core.settings import Settings
from core.store.platform.direct import execute, in_one_go

_PROMISE = b"INSERT INTO ops.intents (intent_id, tenant_id, intent) VALUES (%s, %s, '{}')"


@pytest.fixture(autouse=True)
async def _leave_no_intents(database: Database, tenant: str) -> AsyncIterator[None]:
    yield
    async with database.begin(tenant) as session:
        await execute(session, b"DELETE FROM ops.intents")


async def _promised(database: Database, tenant: str) -> int:
    async with database.begin(tenant) as session:
        return int((await (await session.connection()).execute(text("SELECT count(*) FROM ops.intents"))).scalar_one())


async def test_what_went_in_one_go_is_done_when_the_block_ends(database: Database, tenant: str) -> None:
    async with database.begin(tenant) as session:
        async with in_one_go(session):
            for number in range(3):
                await execute(session, _PROMISE, (f"{tenant}-{number}", tenant))
        found = await (await session.connection()).execute(text("SELECT count(*) FROM ops.intents"))
        assert found.scalar_one() == 3
    assert await _promised(database, tenant) == 3


async def test_a_block_within_a_block_is_part_of_it(database: Database, tenant: str) -> None:
    async with database.begin(tenant) as session, in_one_go(session):
        await execute(session, _PROMISE, (f"{tenant}-1", tenant))
        async with in_one_go(session):
            await execute(session, _PROMISE, (f"{tenant}-2", tenant))
    assert await _promised(database, tenant) == 2


async def test_an_error_is_told_at_the_end_and_undoes_the_others(database: Database, tenant: str) -> None:
    with pytest.raises(IntegrityError):
        async with database.begin(tenant) as session, in_one_go(session):
            for number in (1, 2, 2, 3):
                await execute(session, _PROMISE, (f"{tenant}-{number}", tenant))
    assert await _promised(database, tenant) == 0


async def test_a_statement_that_takes_too_long_is_told_as_such(database: Database, tenant: str) -> None:
    with pytest.raises(DBAPIError) as told:
        async with database.begin(tenant) as session:
            await execute(session, b"SET LOCAL statement_timeout = '20ms'")
            await execute(session, b"SELECT pg_sleep(5)")
    assert isinstance(told.value.orig, QueryCanceled)


async def test_a_lost_connection_is_told_as_lost_and_replaced(
    database: Database, tenant: str, settings: Settings
) -> None:
    with pytest.raises(OperationalError) as told:
        async with database.begin(tenant) as session:
            process = (await (await session.connection()).execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with await psycopg.AsyncConnection.connect(plain_url(settings.database_url)) as operator:
                await operator.execute("SELECT pg_terminate_backend(%s)", (process,))
            await execute(session, b"SELECT 1")
    assert told.value.connection_invalidated
    assert await _promised(database, tenant) == 0


async def test_parameters_are_not_told(database: Database, tenant: str) -> None:
    with pytest.raises(DBAPIError) as told:
        async with database.begin(tenant) as session:
            await execute(session, b"SELECT %s::text / 2", ("what somebody wrote",))
    assert "what somebody wrote" not in str(told.value)


async def test_a_transaction_hands_out_one_connection_and_the_next_another_look(
    database: Database, tenant: str
) -> None:
    async with database.begin(tenant) as session:
        first = await session.connection()
        async with session.begin_nested():
            assert await session.connection() is first
        assert await session.connection() is first
    async with database.begin(tenant) as session:
        assert await session.connection() is not first


async def test_who_gives_up_in_the_middle_leaves_a_pool_that_works(database: Database, tenant: str) -> None:
    async def long() -> None:
        async with database.begin(tenant) as session, in_one_go(session):
            await execute(session, _PROMISE, (f"{tenant}-1", tenant))
            await execute(session, b"SELECT pg_sleep(20)")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await long()
    assert await _promised(database, tenant) == 0
