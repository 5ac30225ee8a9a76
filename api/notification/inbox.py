"""Routes of the in-app centre."""

from typing import Annotated

from fastapi import Query

from api.deps import PageOf, Session, must_reach
from api.notification import answers
from api.notification.access import NotificationId, Reader, UserId, Writer, new_router
from core.contracts.notification import InAppNotification, MarkedRead, UnreadCount
from core.contracts.platform import Page
from core.errors import NotFound
from core.store.notification import inbox as store
from core.store.platform import decode_cursor, encode_cursor

router = new_router()


@router.get(
    "/in-app/{user_id}", response_model=Page[InAppNotification], summary="A user's in-app messages, newest first"
)
async def list_in_app(
    session: Session,
    caller: Reader,
    user_id: UserId,
    page: PageOf,
    unread: Annotated[bool | None, Query(description="true: only unread ones; false: only read ones")] = None,
) -> Page[InAppNotification]:
    must_reach(caller, user_id)
    after = decode_cursor(page.cursor, (str,))
    rows = await store.list_before(session, user_id, unread=unread, after=after, limit=page.limit + 1)
    shown = rows[: page.limit]
    more = encode_cursor(shown[-1]["notification_id"]) if len(rows) > page.limit else None
    return Page(items=[answers.in_app(row) for row in shown], next_cursor=more)


@router.get("/in-app/{user_id}/unread-count", response_model=UnreadCount, summary="How many messages are unread")
async def count_unread(session: Session, caller: Reader, user_id: UserId) -> UnreadCount:
    must_reach(caller, user_id)
    return UnreadCount(user_id=user_id, unread_count=await store.unread_count(session, user_id))


@router.post(
    "/in-app/{notification_id}/read",
    response_model=InAppNotification,
    summary="Mark a message as read",
    description="Doing it again changes nothing.",
)
async def mark_read(session: Session, caller: Writer, notification_id: NotificationId) -> InAppNotification:
    row = await store.mark_read(session, notification_id, user_id=caller.own_only)
    if row is None:
        detail = f"There is no in-app message {notification_id}: it may not have been delivered yet."
        raise NotFound(detail, code="notification_not_found")
    return answers.in_app(row)


@router.post("/in-app/{user_id}/read-all", response_model=MarkedRead, summary="Mark all of a user's messages as read")
async def mark_all_read(session: Session, caller: Writer, user_id: UserId) -> MarkedRead:
    must_reach(caller, user_id)
    marked = await store.mark_all_read(session, user_id)
    return MarkedRead(user_id=user_id, unread_count=await store.unread_count(session, user_id), marked=marked)
