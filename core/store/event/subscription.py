"""Subscriptions: kept with their secrets sealed, paused, resumed, deleted."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.event import CHANNEL
from core.contracts.event.webhook import DeliveryStatus, Subscribe, SubscriptionStatus
from core.ids import new_id
from core.store import platform
from core.store.event.delivery import OPEN
from core.store.platform import direct
from core.tables.event import DeliveryRow, SubscriptionRow

DELETED = "deleted"
PAUSED_BY_RECEIVER = "the endpoint answered 410 Gone"


async def create(
    session: AsyncSession, tenant_id: str, request: Subscribe, *, by: str, secret: bytes
) -> SubscriptionRow:
    """Keep a subscription; it matches what is published from here on."""
    now = datetime.now(UTC)
    row = SubscriptionRow(
        subscription_id=new_id("sub"),
        tenant_id=tenant_id,
        status=SubscriptionStatus.ACTIVE.value,
        event_types=list(request.event_types),
        stream=request.stream,
        delivery_type=request.delivery_type.value,
        webhook_url=request.webhook_url,
        description=request.description,
        secret=secret,
        created_by=by,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    await session.flush()
    return row


async def get(session: AsyncSession, subscription_id: str, *, lock: bool = False) -> SubscriptionRow | None:
    """One subscription that is not deleted; `lock` holds its row until the transaction ends."""
    query = select(SubscriptionRow).where(
        col(SubscriptionRow.subscription_id) == subscription_id, col(SubscriptionRow.status) != DELETED
    )
    return (await session.exec(platform.locked(query) if lock else query)).first()


async def find(
    session: AsyncSession, *, status: str | None, after: Sequence[Any] | None, limit: int
) -> Sequence[SubscriptionRow]:
    """Subscriptions, newest first."""
    order = [col(SubscriptionRow.subscription_id)]
    query = select(SubscriptionRow).where(col(SubscriptionRow.status) != DELETED)
    if status is not None:
        query = query.where(col(SubscriptionRow.status) == status)
    if after is not None:
        query = query.where(platform.before(order, after))
    return (await session.exec(query.order_by(order[0].desc()).limit(limit))).all()


async def save(session: AsyncSession, row: SubscriptionRow) -> None:
    """Write a change, and wake the pump: a resumed subscription may have deliveries waiting."""
    row.updated_at = datetime.now(UTC)
    session.add(row)
    await session.flush()
    await direct.notify(session, CHANNEL)


async def delete(session: AsyncSession, row: SubscriptionRow) -> None:
    """Take a subscription away: its secret is gone, what waited for it is cancelled, its log of deliveries stays."""
    row.status, row.secret, row.old_secret, row.old_secret_until = DELETED, b"", None, None
    await save(session, row)
    waiting = (
        update(DeliveryRow)
        .where(
            col(DeliveryRow.subscription_id) == row.subscription_id,
            col(DeliveryRow.status).in_(OPEN),
        )
        .values(
            status=DeliveryStatus.CANCELLED.value,
            error="subscription_deleted",
            finished_at=func.now(),
            next_attempt_at=None,
        )
    )
    await session.exec(waiting)


async def pause_gone(session: AsyncSession, subscription_id: str) -> bool:
    """Pause a subscription whose endpoint says that it is gone for good; False if it was not active."""
    statement = (
        update(SubscriptionRow)
        .where(
            col(SubscriptionRow.subscription_id) == subscription_id,
            col(SubscriptionRow.status) == SubscriptionStatus.ACTIVE.value,
        )
        .values(
            status=SubscriptionStatus.PAUSED.value, status_reason=PAUSED_BY_RECEIVER, updated_at=func.clock_timestamp()
        )
    )
    return bool((await session.exec(statement)).rowcount)
