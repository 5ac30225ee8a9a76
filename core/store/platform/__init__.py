"""Queries that serve all five services: intents, idempotency keys, cursors of pumps and pages."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from pydantic_core import from_json, to_json
from sqlalchemy import ColumnElement, delete, func, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from core.contracts.platform import LAST_IN_LINE, Intent
from core.errors import FieldError, Invalid
from core.tables.platform import CursorRow, IdempotencyRow, IntentRow

Found = TypeVar("Found")
_LINE = (
    col(IntentRow.intent)["priority"].as_integer() == LAST_IN_LINE,
    col(IntentRow.created_at),
    col(IntentRow.intent_id),
)
"""The order in which intents are kept."""


_FREE_CURSOR = text("SELECT xid, seq FROM ops.cursors WHERE name = :name FOR UPDATE SKIP LOCKED")
_LONG_SCAN = text("SELECT set_config('statement_timeout', '10min', true), set_config('lock_timeout', '2min', true)")


def locked(query: SelectOfScalar[Found]) -> SelectOfScalar[Found]:
    """The rows as they are once nobody else holds them, then held until the transaction ends. Without the second half
    a session that has read such a row before would go on to see what it was."""
    return query.with_for_update().execution_options(populate_existing=True)


def claimed(query: SelectOfScalar[Found]) -> SelectOfScalar[Found]:
    """The rows as they are, for work that ends with this transaction: others may change them meanwhile, but an erasure
    of what they hold waits for that end."""
    return query.with_for_update(read=True, key_share=True).execution_options(populate_existing=True)


async def scan_long(session: AsyncSession) -> None:
    """From here on this transaction may search a large table for minutes, and wait for a report that is being drawn."""
    await (await session.connection()).execute(_LONG_SCAN)


# ---- intents


async def add_intents(session: AsyncSession, intents: Sequence[Intent]) -> None:
    """Promise, in this transaction, to reach Temporal."""
    rows = [{"intent_id": i.intent_id, "tenant_id": i.tenant_id, "intent": i.model_dump(mode="json")} for i in intents]
    if rows:  # an insert of nothing would be an insert of defaults
        await (await session.connection()).execute(insert(IntentRow).on_conflict_do_nothing(), rows)  # compiled once


async def delete_intents(session: AsyncSession, intent_ids: Sequence[str]) -> None:
    """Forget promises that were kept."""
    await session.exec(delete(IntentRow).where(col(IntentRow.intent_id).in_(intent_ids)))


async def due_intents(
    session: AsyncSession, *, older_than_seconds: float, limit: int, after: Intent | None = None
) -> list[Intent]:
    """The oldest promises not yet kept, those that are last in line after all others; rows another reconciler holds are
    passed over. `after`: only those that stand behind this one."""
    age = func.now() - timedelta(seconds=older_than_seconds)
    query = select(IntentRow.intent).where(col(IntentRow.created_at) < age).order_by(*_LINE).limit(limit)
    if after is not None:
        place = select(*_LINE).where(col(IntentRow.intent_id) == after.intent_id)
        query = query.where(tuple_(*_LINE) > place.scalar_subquery())
    found = (await session.exec(query.with_for_update(skip_locked=True))).all()
    return [Intent.model_validate(intent) for intent in found]


# ---- idempotency keys


async def lock_key(session: AsyncSession, key_hash: str) -> bool:
    """Hold this key until the transaction ends; False if another request holds it."""
    statement = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
    return bool((await (await session.connection()).execute(statement, {"key": key_hash})).scalar())


async def kept_answer(session: AsyncSession, key_hash: str) -> IdempotencyRow | None:
    """What this key was answered before."""
    return await session.get(IdempotencyRow, key_hash)


async def keep_answer(session: AsyncSession, row: IdempotencyRow) -> None:
    """Keep the answer beside the change it tells of."""
    values = row.model_dump(exclude={"created_at"})  # the database says when
    statement = insert(IdempotencyRow).values(values)
    statement = statement.on_conflict_do_update(index_elements=["key_hash"], set_=values)
    await session.exec(statement)


async def forget_answers(session: AsyncSession, *, older_than: timedelta) -> int:
    """Drop idempotency keys past their lifetime."""
    done = await session.exec(delete(IdempotencyRow).where(col(IdempotencyRow.created_at) < func.now() - older_than))
    return int(done.rowcount)


# ---- pump cursors


async def claim_cursor(session: AsyncSession, name: str) -> tuple[int, int] | None:
    """This pump's place in its log as (xid, seq), held until commit; None while another process holds it."""
    place = await _free_cursor(session, name)
    if place is None:  # held by another, or never written yet
        await session.exec(insert(CursorRow).values(name=name, xid=0, seq=0).on_conflict_do_nothing())
        place = await _free_cursor(session, name)
    return place


async def _free_cursor(session: AsyncSession, name: str) -> tuple[int, int] | None:
    row = (await (await session.connection()).execute(_FREE_CURSOR, {"name": name})).first()
    return (row[0], row[1]) if row else None


async def move_cursor(session: AsyncSession, name: str, xid: int, seq: int) -> None:
    """Everything up to (xid, seq) is done."""
    statement = (
        update(CursorRow).where(col(CursorRow.name) == name).values(xid=xid, seq=seq, moved_at=func.clock_timestamp())
    )
    await session.exec(statement)


def settled() -> ColumnElement[int]:
    """The lowest transaction id still running: rows below it can no longer be joined by an older, later commit."""
    return cast("ColumnElement[int]", text("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))


# ---- the pager


def encode_cursor(*keys: object) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(to_json(keys)).decode().rstrip("=")


def decode_cursor(cursor: str | None, kinds: Sequence[type]) -> list[Any] | None:
    """The keys inside; Invalid if the text was never ours."""
    if cursor is None:
        return None
    try:
        keys = from_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(keys, list) or len(keys) != len(kinds):
            raise ValueError("wrong shape")
        return [_cast(key, kind) for key, kind in zip(keys, kinds, strict=True)]
    except (ValueError, TypeError) as error:
        raise Invalid(
            "The cursor is not one of ours: pass next_cursor back unchanged.",
            errors=[FieldError("cursor", "not a cursor from an earlier page")],
        ) from error


def before(columns: Sequence[Any], keys: Sequence[Any]) -> ColumnElement[bool]:
    """Rows after `keys` in a list ordered by the columns, each descending: a row comparison, so an index can seek."""
    return tuple_(*columns) < tuple_(*keys)


def _cast(key: object, kind: type) -> object:
    if kind is datetime:
        return datetime.fromisoformat(str(key))
    if type(key) is not kind or (isinstance(key, str) and "\x00" in key):  # a bool is no number of ours
        raise TypeError("wrong kind")
    if isinstance(key, int) and abs(key) >= 2**31:
        raise ValueError("out of range")
    return key
