"""Batches: opened with their recipients' ids, their notifications made chunk by chunk, counted, closed."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, func, text, update
from sqlalchemy import select as plain_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.notification import BatchStatus, notification_batch_id
from core.contracts.platform import DomainEvent, Service
from core.ids import new_ids
from core.store import event
from core.store.notification import messages
from core.tables.notification import BatchRow, ChannelRow, NotificationRow

OPEN = (BatchStatus.QUEUED.value, BatchStatus.RUNNING.value)
_CHUNK = text(
    "SELECT status, user_ids[CAST(:first AS int) : CAST(:last AS int)] AS user_ids FROM notification.batches "
    "WHERE batch_id = :batch_id FOR SHARE"
)
_MAKE = text(
    """
    INSERT INTO notification.notifications (notification_id, tenant_id, user_id, status, priority, template_id,
      template_version, content_id, batch_id, workflow_id, requested_by, correlation_id)
    SELECT u.notification_id, b.tenant_id, u.user_id, 'queued', b.priority, b.template_id, b.template_version,
      b.content_id, b.batch_id, :workflow_id, b.requested_by, b.correlation_id
    FROM notification.batches b, unnest(CAST(:ids AS text[]), CAST(:user_ids AS text[])) AS u (notification_id, user_id)
    WHERE b.batch_id = :batch_id
    ON CONFLICT DO NOTHING
    """
)
_MAKE_CHANNELS = text(
    """
    INSERT INTO notification.channels (notification_id, channel, tenant_id, place, status)
    SELECT n.notification_id, c.channel, n.tenant_id, c.place, 'pending'
    FROM notification.notifications n
    JOIN notification.batches b USING (batch_id), unnest(b.channels) WITH ORDINALITY AS c (channel, place)
    WHERE n.batch_id = :batch_id AND n.user_id = ANY(:user_ids)
    ON CONFLICT DO NOTHING
    """
)
_OURS = text(
    "SELECT notification_id FROM notification.notifications "
    "WHERE batch_id = :batch_id AND user_id = ANY(:user_ids) AND workflow_id = :workflow_id ORDER BY notification_id"
)


async def add(session: AsyncSession, row: BatchRow) -> None:
    """Accept a batch."""
    session.add(row)
    await session.flush()


async def find(session: AsyncSession, batch_id: str, *, requested_by: str | None) -> RowMapping | None:
    """A batch without its recipients' ids, of this caller where one is given."""
    columns = [column for column in BatchRow.__table__.c if column.name != "user_ids"]  # type: ignore[attr-defined]
    query = plain_select(*columns).where(col(BatchRow.batch_id) == batch_id)
    if requested_by is not None:
        query = query.where(col(BatchRow.requested_by) == requested_by)
    return (await (await session.connection()).execute(query)).mappings().first()


async def count(session: AsyncSession, batch_id: str) -> dict[str, int]:
    """Its notifications by status."""
    query = (
        select(NotificationRow.status, func.count())
        .where(col(NotificationRow.batch_id) == batch_id)
        .group_by(col(NotificationRow.status))
    )
    return dict((await session.exec(query)).all())


async def move(session: AsyncSession, batch_id: str, to: BatchStatus, *, out_of: Sequence[str] = OPEN) -> bool:
    """Move a batch that is open; False if it is not."""
    statement = update(BatchRow).where(col(BatchRow.batch_id) == batch_id, col(BatchRow.status).in_(out_of))
    ends = func.now() if to in (BatchStatus.COMPLETED, BatchStatus.CANCELLED) else None
    return bool((await session.exec(statement.values(status=to.value, finished_at=ends))).rowcount)


async def close(session: AsyncSession, tenant_id: str, batch_id: str, to: BatchStatus) -> bool:
    """Complete or cancel a batch that is open, and tell the world; False if it is not."""
    if not await move(session, batch_id, to):
        return False
    correlation = select(BatchRow.correlation_id).where(col(BatchRow.batch_id) == batch_id)
    told = DomainEvent(
        event_type=f"notification.batch_{to.value}",
        source=Service.NOTIFICATION.value,
        payload={"batch_id": batch_id},
        correlation_id=(await session.exec(correlation)).one(),
        causation_id=batch_id,
    )
    await event.append(session, tenant_id, [told])
    return True


async def stop(session: AsyncSession, tenant_id: str, batch_id: str, overall: messages.Overall) -> None:
    """Stop what was not sent, also of notifications that went on to workflows of their own: these find nothing left to
    try, and end."""
    open_still = await unfinished(session, batch_id)
    await messages.lock(session, open_still)
    await messages.stop(session, open_still)
    await messages.settle(session, tenant_id, open_still, overall)


async def make(session: AsyncSession, batch_id: str, *, start: int, count: int) -> list[str]:
    """Make the notifications of a stretch of recipients, each once; those that are the batch's to try.

    None of them if the batch was cancelled: a cancel waits for this transaction, or this one sees it.
    """
    connection = await session.connection()
    slice_ = {"batch_id": batch_id, "first": start + 1, "last": start + count}
    status, user_ids = (await connection.execute(_CHUNK, slice_)).one()
    if status == BatchStatus.CANCELLED:
        return []
    given = {"batch_id": batch_id, "user_ids": user_ids, "workflow_id": notification_batch_id(batch_id)}
    await connection.execute(_MAKE, given | {"ids": new_ids("notif", len(user_ids))})
    await connection.execute(_MAKE_CHANNELS, given)
    return list((await connection.execute(_OURS, given)).scalars())


async def unfinished(session: AsyncSession, batch_id: str) -> list[str]:
    """Its notifications that are not over."""
    query = select(NotificationRow.notification_id).where(
        col(NotificationRow.batch_id) == batch_id, col(NotificationRow.status).in_(("queued", "sending"))
    )
    return list((await session.exec(query.order_by(col(NotificationRow.notification_id)))).all())


async def untried(session: AsyncSession, ids: Sequence[str]) -> list[str]:
    """Which of these have channels that nobody has tried to the end."""
    query = (
        select(ChannelRow.notification_id)
        .where(col(ChannelRow.notification_id).in_(ids), col(ChannelRow.status).in_(("pending", "sending")))
        .distinct()
        .order_by(col(ChannelRow.notification_id))
    )
    return list((await session.exec(query)).all())
