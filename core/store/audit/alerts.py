"""Security alerts and their moves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.audit import Alert, AlertFilter, AlertHistory, AlertMove
from core.contracts.platform import Page
from core.store.platform import before, decode_cursor, encode_cursor, locked
from core.tables.audit import AlertMoveRow, AlertRow

NEWEST_FIRST = (col(AlertRow.created_at), col(AlertRow.alert_id))


async def add_alert(session: AsyncSession, tenant_id: str, alert: Alert) -> AlertHistory:
    """Raise an alert; the first line of its history says by whom."""
    values = alert.model_dump(exclude={"metadata"})
    session.add(AlertRow(tenant_id=tenant_id, details=alert.metadata, **values))
    await session.flush()
    first = AlertMove(to_status=alert.status, moved_by=alert.created_by, moved_at=alert.created_at)
    return await _with_move(session, tenant_id, alert, [], first)


async def lock_alert(session: AsyncSession, alert_id: str) -> AlertHistory | None:
    """One alert, held until the transaction ends so that two moves cannot pass each other."""
    query = locked(select(AlertRow).where(col(AlertRow.alert_id) == alert_id))
    row = (await session.exec(query)).first()
    return await _with_history(session, row) if row else None


async def find_alert(session: AsyncSession, alert_id: str) -> AlertHistory | None:
    """One alert with its history."""
    row = await session.get(AlertRow, alert_id)
    return await _with_history(session, row) if row else None


async def move_alert(
    session: AsyncSession, tenant_id: str, alert: AlertHistory, move: AlertMove, *, closes: bool
) -> AlertHistory:
    """Take one step with an alert that this transaction holds."""
    closed_at = move.moved_at if closes else None
    changed: dict[str, Any] = {"status": move.to_status.value, "updated_at": move.moved_at, "closed_at": closed_at}
    await session.exec(update(AlertRow).where(col(AlertRow.alert_id) == alert.alert_id).values(**changed))
    moved = Alert(**{**alert.model_dump(exclude={"history"}), **changed})
    return await _with_move(session, tenant_id, moved, alert.history, move)


async def list_alerts(session: AsyncSession, wanted: AlertFilter, *, limit: int, cursor: str | None) -> Page[Alert]:
    """One page, newest first."""
    given = wanted.model_dump(exclude_none=True)
    query = select(AlertRow).where(*(getattr(AlertRow, name) == value for name, value in given.items()))
    if after := decode_cursor(cursor, (datetime, str)):
        query = query.where(before(NEWEST_FIRST, after))
    query = query.order_by(*(column.desc() for column in NEWEST_FIRST)).limit(limit + 1)
    rows = (await session.exec(query)).all()
    page = rows[:limit]
    following = encode_cursor(page[-1].created_at, page[-1].alert_id) if len(rows) > limit else None
    return Page[Alert](items=[_alert(row) for row in page], next_cursor=following)


async def _with_move(
    session: AsyncSession, tenant_id: str, alert: Alert, history: Sequence[AlertMove], move: AlertMove
) -> AlertHistory:
    number = len(history) + 1
    session.add(AlertMoveRow(alert_id=alert.alert_id, number=number, tenant_id=tenant_id, **move.model_dump()))
    await session.flush()
    return AlertHistory(**alert.model_dump(), history=[*history, move])


async def _with_history(session: AsyncSession, row: AlertRow) -> AlertHistory:
    query = select(AlertMoveRow).where(col(AlertMoveRow.alert_id) == row.alert_id).order_by(col(AlertMoveRow.number))
    moves = (await session.exec(query)).all()
    return AlertHistory(**_alert(row).model_dump(), history=[AlertMove.model_validate(move) for move in moves])


def _alert(row: AlertRow) -> Alert:
    return Alert(metadata=row.details, **row.model_dump(exclude={"details", "tenant_id"}))
