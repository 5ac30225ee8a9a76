"""Notifications: accepted, found, listed, and brought to what their channels add up to."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.notification import FINISHED, Channel, ChannelStatus, Content, NotificationStatus
from core.contracts.platform import DomainEvent, Service
from core.ids import new_id
from core.store import event
from core.store.platform import before, locked
from core.tables.notification import AttemptRow, ChannelRow, ContentRow, NotificationRow

Overall = Callable[[Collection[ChannelStatus]], NotificationStatus]

_LOCK = text(
    "SELECT notification_id FROM notification.notifications WHERE notification_id = ANY(:ids) "
    "ORDER BY notification_id FOR UPDATE"
)
_STANDING = text(
    """
    SELECT notification_id, array_agg(channel ORDER BY place) AS channels, array_agg(status ORDER BY place) AS statuses
    FROM notification.channels WHERE notification_id = ANY(:ids) GROUP BY notification_id
    """
)
_MOVE = text(
    """
    UPDATE notification.notifications n
    SET status = m.status, finished_at = CASE WHEN m.status = ANY(:finished) THEN clock_timestamp() END
    FROM unnest(CAST(:ids AS text[]), CAST(:statuses AS text[])) AS m (notification_id, status)
    WHERE n.notification_id = m.notification_id AND n.status <> m.status
    RETURNING n.notification_id, n.user_id, n.status, n.template_id, n.batch_id, n.correlation_id
    """
)
# A webhook that waits is in the hands of another workflow, which finds its delivery closed.
_STOP = text(
    """
    WITH stopped AS (
      UPDATE notification.channels c SET status = 'cancelled', next_attempt_at = NULL, finished_at = clock_timestamp()
      FROM notification.notifications n LEFT JOIN notification.batches b USING (batch_id)
      WHERE c.notification_id = ANY(:ids) AND n.notification_id = c.notification_id
        AND c.status IN ('pending', 'retrying') AND (NOT :of_cancelled_batches OR b.status = 'cancelled')
      RETURNING c.notification_id, c.delivery_id
    ), closed AS (
      UPDATE event.deliveries d SET status = 'cancelled', error = 'stopped', next_attempt_at = NULL,
        finished_at = clock_timestamp()
      FROM stopped s WHERE d.delivery_id = s.delivery_id AND d.status IN ('pending', 'retrying')
    )
    SELECT notification_id FROM stopped
    """
)


async def add_content(session: AsyncSession, tenant_id: str, content: Content) -> str:
    """Keep a rendered message; its id."""
    content_id = new_id("content")
    row = {"content_id": content_id, "tenant_id": tenant_id, "subject": content.subject}
    await session.exec(insert(ContentRow).values({**row, "body": content.text, "html": content.html}))
    return content_id


async def add(session: AsyncSession, row: NotificationRow, channels: Sequence[Channel]) -> list[ChannelRow]:
    """Accept one notification, by these channels."""
    places = [
        ChannelRow(
            notification_id=row.notification_id,
            channel=channel.value,
            tenant_id=row.tenant_id,
            place=place,
            status=ChannelStatus.PENDING.value,
        )
        for place, channel in enumerate(channels)
    ]
    session.add(row)
    await session.flush()
    session.add_all(places)
    await session.flush()
    return places


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFilter:
    """Which notifications a list shows."""

    user_id: str | None = None
    status: NotificationStatus | None = None
    batch_id: str | None = None


async def list_before(
    session: AsyncSession, wanted: NotificationFilter, *, after: Sequence[Any] | None, limit: int
) -> Sequence[NotificationRow]:
    """Notifications, newest first."""
    order = [col(NotificationRow.notification_id)]
    query = select(NotificationRow).order_by(order[0].desc()).limit(limit)
    for column, value in (
        (NotificationRow.user_id, wanted.user_id),
        (NotificationRow.status, wanted.status),
        (NotificationRow.batch_id, wanted.batch_id),
    ):
        if value is not None:
            query = query.where(col(column) == str(value))
    if after is not None:
        query = query.where(before(order, after))
    return (await session.exec(query)).all()


async def find(
    session: AsyncSession, notification_id: str, *, user_id: str | None, lock: bool = False
) -> NotificationRow | None:
    """One notification, of this user where one is given."""
    query = select(NotificationRow).where(col(NotificationRow.notification_id) == notification_id)
    if user_id is not None:
        query = query.where(col(NotificationRow.user_id) == user_id)
    return (await session.exec(locked(query) if lock else query)).first()


async def content_of(session: AsyncSession, content_id: str) -> ContentRow:
    """The message itself."""
    return (await session.exec(select(ContentRow).where(col(ContentRow.content_id) == content_id))).one()


async def with_channels(session: AsyncSession, ids: Sequence[str]) -> list[tuple[NotificationRow, list[ChannelRow]]]:
    """These notifications, newest first, with their channels: read by one statement, so that they agree."""
    query = (
        select(NotificationRow, ChannelRow)
        .join(ChannelRow, col(ChannelRow.notification_id) == col(NotificationRow.notification_id))
        .where(col(NotificationRow.notification_id).in_(ids))
        .order_by(col(NotificationRow.notification_id).desc(), col(ChannelRow.place))
        .execution_options(populate_existing=True)
    )
    pairs = groupby((await session.exec(query)).all(), key=itemgetter(0))
    return [(row, [channel for _, channel in group]) for row, group in pairs]


async def channels_of(session: AsyncSession, ids: Sequence[str]) -> dict[str, list[ChannelRow]]:
    """The channels of these notifications, in the order they were asked for."""
    query = select(ChannelRow).where(col(ChannelRow.notification_id).in_(ids)).order_by(col(ChannelRow.place))
    found: dict[str, list[ChannelRow]] = {}
    for row in (await session.exec(query.execution_options(populate_existing=True))).all():
        found.setdefault(row.notification_id, []).append(row)
    return found


async def attempts_of(session: AsyncSession, notification_id: str) -> Sequence[AttemptRow]:
    """Every attempt of one notification, oldest first."""
    query = select(AttemptRow).where(col(AttemptRow.notification_id) == notification_id)
    return (await session.exec(query.order_by(col(AttemptRow.at), col(AttemptRow.attempt)))).all()


async def lock(session: AsyncSession, ids: Sequence[str]) -> None:
    """Hold these notifications until the transaction ends, in one order. Whoever changes channels does."""
    await (await session.connection()).execute(_LOCK, {"ids": list(ids)})


async def stop(session: AsyncSession, ids: Sequence[str], *, of_cancelled_batches: bool = False) -> set[str]:
    """Cancel the channels that have not been tried or wait for another try; the notifications that had any."""
    given = {"ids": list(ids), "of_cancelled_batches": of_cancelled_batches}
    stopped = await (await session.connection()).execute(_STOP, given)
    return set(stopped.scalars())


async def settle(session: AsyncSession, tenant_id: str, ids: Sequence[str], overall: Overall) -> None:
    """Bring notifications (locked) to what their channels add up to, and tell of those that are over."""
    connection = await session.connection()
    standing = (await connection.execute(_STANDING, {"ids": list(ids)})).all()
    moves = {row.notification_id: overall([ChannelStatus(status) for status in row.statuses]) for row in standing}
    finished = [status.value for status in FINISHED]
    given = {"ids": list(moves), "statuses": [status.value for status in moves.values()], "finished": finished}
    channels = {row.notification_id: dict(zip(row.channels, row.statuses, strict=True)) for row in standing}
    moved = (await connection.execute(_MOVE, given)).all()
    over = [_told(row, channels[row.notification_id]) for row in moved if row.status in finished]
    await event.append(session, tenant_id, over)


def _told(row: Row[Any], channels: dict[str, str]) -> DomainEvent:
    return DomainEvent(
        event_type=f"notification.{row.status}",
        source=Service.NOTIFICATION.value,
        payload={
            "notification_id": row.notification_id,
            "user_id": row.user_id,
            "template_id": row.template_id,
            "batch_id": row.batch_id,
            "channels": dict(channels),
        },
        correlation_id=row.correlation_id,
        causation_id=row.notification_id,
    )
