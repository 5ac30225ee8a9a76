"""Statements straight to psycopg: rows in bulk, and several statements in one go.

SQLAlchemy waits for the answer to each statement before it sends the next. Where none of them answers anything, that
waiting is most of what a small transaction takes.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, cast

import psycopg
from psycopg import sql
from psycopg.pq import PipelineStatus
from pydantic_core import to_json
from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, Float, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

Driver = psycopg.AsyncConnection[tuple[object, ...]]


@asynccontextmanager
async def in_one_go(session: AsyncSession) -> AsyncIterator[None]:
    """What `execute`, `insert_rows` and `notify` send inside travels at once, and is done when the block ends.

    The first error is raised at the end, whichever statement it is of. Nothing inside may read an answer.
    """
    async with _driver(session) as connection:
        if connection.pgconn.pipeline_status != PipelineStatus.OFF:  # a block within a block
            yield
            return
        async with connection.pipeline():
            yield


async def execute(session: AsyncSession, statement: bytes, parameters: Sequence[object] = ()) -> None:
    """Send a statement whose answer nobody reads. Parameters stand as `%s` (text) or `%b` (binary)."""
    async with _driver(session) as connection:
        await connection.execute(statement, parameters)


@asynccontextmanager
async def _driver(session: AsyncSession) -> AsyncIterator[Driver]:
    """psycopg's own connection. What it raises is told as SQLAlchemy tells it, so that one handler knows both."""
    raw = await (await session.connection()).get_raw_connection()
    connection = cast("Driver", raw.driver_connection)
    try:
        yield connection
    except psycopg.Error as error:
        lost = connection.closed
        told = DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost)
        raise told from error


async def notify(session: AsyncSession, channel: str) -> None:
    """Wake whoever listens on `channel` once this transaction commits."""
    await execute(session, b"SELECT pg_notify(%s, '')", (channel,))


async def insert_rows(
    session: AsyncSession, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Insert rows into `schema.table` by one statement; a jsonb value is JSON text.

    Each column travels as one binary array. Postgres refuses COPY under row-level security, and this is as fast.
    """
    arrays = [list(column) for column in zip(*rows, strict=True)]
    if not arrays:
        return
    for place in _nested(table, tuple(columns)):
        arrays[place] = [to_json(value).decode() for value in arrays[place]]
    await execute(session, _bulk_insert(table, tuple(columns)), arrays)


@lru_cache
def _nested(table: str, columns: tuple[str, ...]) -> list[int]:
    """Places of the array columns. Arrays of arrays must be rectangular in Postgres, so an array travels as JSON."""
    kinds = SQLModel.metadata.tables[table].c
    return [place for place, name in enumerate(columns) if isinstance(kinds[name].type, ARRAY)]


@lru_cache
def _bulk_insert(table: str, columns: tuple[str, ...]) -> bytes:
    """Written out once: psycopg would put a composed statement together anew for each execution."""
    kinds = [SQLModel.metadata.tables[table].c[name].type for name in columns]
    names = [sql.Identifier(name) for name in columns]
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM unnest({}) AS r ({})").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(names),
        sql.SQL(", ").join(_value(kind).format(name) for name, kind in zip(names, kinds, strict=True)),
        sql.SQL(", ").join(sql.SQL("%b::{}[]").format(_carrier(kind)) for kind in kinds),
        sql.SQL(", ").join(names),
    )
    return statement.as_bytes()


def _value(kind: TypeEngine[Any]) -> sql.SQL:
    if isinstance(kind, JSONB):
        return sql.SQL("r.{}::jsonb")
    if isinstance(kind, ARRAY):
        return sql.SQL("ARRAY(SELECT jsonb_array_elements_text(r.{}::jsonb))")
    return sql.SQL("r.{}")


def _carrier(kind: TypeEngine[Any]) -> sql.SQL:
    """What a column's values travel as; text where the type has no simple array."""
    simple = {DateTime: sql.SQL("timestamptz"), BigInteger: sql.SQL("bigint"), Integer: sql.SQL("integer")}
    simple |= {Boolean: sql.SQL("boolean"), Float: sql.SQL("double precision"), LargeBinary: sql.SQL("bytea")}
    return next((name for python, name in simple.items() if isinstance(kind, python)), sql.SQL("text"))
