"""Routes of notifications that were accepted: listed, looked at, cancelled."""

from typing import Annotated

from fastapi import Depends, Query, Response
from sqlmodel.ext.asyncio.session import AsyncSession

from api.deps import AppState, PageOf, Session, Starting, must_reach
from api.notification import answers
from api.notification.access import PREFIX, NotificationId, Reader, Writer, new_router
from api.notification.intents import cancel_intent, stopped_by
from api.unit import State
from core.auth import Caller
from core.contracts.notification import FINISHED, Notification, NotificationStatus, notification_send_id
from core.contracts.platform import Page
from core.domain.notification import overall
from core.errors import Conflict, NotFound
from core.store import audit
from core.store.notification import messages as store
from core.store.platform import decode_cursor, encode_cursor
from core.tables.notification import NotificationRow

router = new_router()


class NotificationQuery:
    """Which notifications a list shows."""

    def __init__(
        self,
        user_id: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        status: Annotated[NotificationStatus | None, Query()] = None,
        batch_id: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    ) -> None:
        self.user_id, self.status, self.batch_id = user_id, status, batch_id

    def of(self, caller: Caller) -> store.NotificationFilter:
        """The filter, limited to what the caller may see."""
        if self.user_id is not None:
            must_reach(caller, self.user_id)
        return store.NotificationFilter(
            user_id=self.user_id or caller.own_only, status=self.status, batch_id=self.batch_id
        )


@router.get("", response_model=Page[Notification], summary="List notifications, newest first")
async def list_notifications(
    session: Session,
    state: AppState,
    caller: Reader,
    page: PageOf,
    wanted: Annotated[NotificationQuery, Depends()],
) -> Page[Notification]:
    after = decode_cursor(page.cursor, (str,))
    rows = await store.list_before(session, wanted.of(caller), after=after, limit=page.limit + 1)
    shown = [row.notification_id for row in rows[: page.limit]]
    more = encode_cursor(shown[-1]) if len(rows) > page.limit else None
    found = await store.with_channels(session, shown)
    return Page(items=[answers.notification(state, row, channels) for row, channels in found], next_cursor=more)


@router.get(
    "/{notification_id}",
    response_model=Notification,
    summary="A notification: its text, its channels, every attempt",
)
async def get_notification(
    session: Session, state: AppState, caller: Reader, notification_id: NotificationId
) -> Notification:
    await _must_find(session, caller, notification_id)
    return await _whole(session, state, notification_id)


async def _must_find(
    session: AsyncSession, caller: Caller, notification_id: str, *, lock: bool = False
) -> NotificationRow:
    row = await store.find(session, notification_id, user_id=caller.own_only, lock=lock)
    if row is None:
        raise NotFound(f"There is no notification {notification_id}.", code="notification_not_found")
    return row


async def _whole(session: AsyncSession, state: State, notification_id: str) -> Notification:
    ((row, channels),) = await store.with_channels(session, [notification_id])
    log = await store.attempts_of(session, notification_id)
    content = await store.content_of(session, row.content_id)
    body = content.html or content.body
    return answers.notification(state, row, channels, log=log, subject=content.subject, body=body)


@router.post(
    "/{notification_id}/cancel",
    status_code=202,
    response_model=Notification,
    summary="Stop what has not been sent",
    description="A channel that is being tried right now ends that try. 409 `notification_finished` when all is over.",
)
async def cancel_notification(
    session: Session,
    starting: Starting,
    state: AppState,
    caller: Writer,
    notification_id: NotificationId,
    response: Response,
) -> Notification:
    row = await _must_find(session, caller, notification_id, lock=True)
    if row.status != NotificationStatus.CANCELLED:
        if row.status in FINISHED:
            raise Conflict(f"The notification is {row.status}: nothing is left to stop.", code="notification_finished")
        await store.stop(session, [notification_id])
        await store.settle(session, caller.tenant_id, [notification_id], overall)
        await audit.append_entries(session, caller.tenant_id, [stopped_by(caller, "notification", notification_id)])
        await starting.promise(cancel_intent(caller, notification_send_id(notification_id)))
    response.headers["Location"] = f"{PREFIX}/{notification_id}"
    return await _whole(session, state, notification_id)
