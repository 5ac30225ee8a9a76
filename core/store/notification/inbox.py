"""The in-app centre: listed, marked as read, counted."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, func, update
from sqlalchemy import select as plain_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.store.platform import before
from core.tables.notification import ContentRow, InboxRow

COLUMNS: tuple[Any, ...] = (
    InboxRow.notification_id,
    InboxRow.user_id,
    InboxRow.created_at,
    InboxRow.read_at,
    ContentRow.subject,
    ContentRow.body,
)


async def list_before(
    session: AsyncSession, user_id: str, *, unread: bool | None, after: Sequence[Any] | None, limit: int
) -> Sequence[RowMapping]:
    """A user's messages, newest first: all, the unread ones, or the read ones."""
    order = [col(InboxRow.notification_id)]
    query = _messages().where(col(InboxRow.user_id) == user_id).order_by(order[0].desc()).limit(limit)
    if unread is not None:
        query = query.where(col(InboxRow.read_at).is_(None) if unread else col(InboxRow.read_at).is_not(None))
    if after is not None:
        query = query.where(before(order, after))
    found: Sequence[RowMapping] = (await (await session.connection()).execute(query)).mappings().all()
    return found


async def mark_read(session: AsyncSession, notification_id: str, *, user_id: str | None) -> RowMapping | None:
    """The message, read from now on or since before; None if there is none, of this user where one is given."""
    mine = [col(InboxRow.notification_id) == notification_id]
    if user_id is not None:
        mine.append(col(InboxRow.user_id) == user_id)
    await session.exec(update(InboxRow).where(*mine, col(InboxRow.read_at).is_(None)).values(read_at=func.now()))
    query = _messages().where(*mine)
    found: RowMapping | None = (await (await session.connection()).execute(query)).mappings().first()
    return found


async def mark_all_read(session: AsyncSession, user_id: str) -> int:
    """How many messages of a user were marked as read."""
    unread = update(InboxRow).where(col(InboxRow.user_id) == user_id, col(InboxRow.read_at).is_(None))
    return int((await session.exec(unread.values(read_at=func.now()))).rowcount)


async def unread_count(session: AsyncSession, user_id: str) -> int:
    """How many messages a user has not read: a partial index holds just those."""
    query = select(func.count()).where(col(InboxRow.user_id) == user_id, col(InboxRow.read_at).is_(None))
    return int((await session.exec(query)).one())


def _messages() -> Select[Any]:
    return (
        plain_select(*COLUMNS)
        .select_from(InboxRow)
        .join(ContentRow, col(ContentRow.content_id) == col(InboxRow.content_id))
    )
