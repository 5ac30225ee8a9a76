"""The notification service: templates, recipients, sending, the in-app centre, push devices."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._constants import WAIT_WITHIN
from isa_user._models.base import Priority
from isa_user._models.notification import (
    Channel,
    InAppNotification,
    MarkedRead,
    Notification,
    NotificationBatch,
    NotificationStatus,
    Platform,
    PushSubscription,
    Recipient,
    RenderedTemplate,
    Template,
    TextFormat,
    UnreadCount,
)
from isa_user._request import Request, path

ROOT = "/api/v1/notifications"


class NotificationClient(BaseClient):
    """Sends messages over e-mail, SMS, push, webhooks and the in-app centre."""

    async def create_template(
        self,
        *,
        name: str,
        type: Channel,  # noqa: A002 - the API's word
        body: str,
        subject: str | None = None,
        variables: Sequence[str] | None = None,
        format: TextFormat | None = None,  # noqa: A002 - the API's word
        **options: Unpack[WriteOptions],
    ) -> Template:
        """Create a template; `{{name}}` in subject and body is filled when it is sent. A taken name is a `Conflict`."""
        wanted = {
            "name": name,
            "type": type,
            "subject": subject,
            "body": body,
            "variables": variables,
            "format": format,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/templates", body=wanted), Template, options)

    def list_templates(
        self, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> Paged[Template]:
        """Templates in their newest version, the built-in ones included."""
        query = {"limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=f"{ROOT}/templates", query=query), Template, options)

    async def get_template(
        self, template_id: str, *, version: int | None = None, **options: Unpack[ReadOptions]
    ) -> Template:
        """One template, by id or by name, in its newest version or the one asked for."""
        request = Request(method="GET", path=path(ROOT + "/templates/{}", template_id), query={"version": version})
        return await self._call(request, Template, options)

    async def update_template(
        self,
        template_id: str,
        *,
        body: str,
        subject: str | None = None,
        variables: Sequence[str] | None = None,
        format: TextFormat | None = None,  # noqa: A002 - the API's word
        **options: Unpack[ReadOptions],
    ) -> Template:
        """Make a new version of a template, found by id or by name."""
        wanted = {"subject": subject, "body": body, "variables": variables, "format": format}
        request = Request(method="PUT", path=path(ROOT + "/templates/{}", template_id), body=wanted)
        return await self._call(request, Template, options)

    async def render_template(
        self, template_id: str, *, variables: Mapping[str, Any] | None = None, **options: Unpack[WriteOptions]
    ) -> RenderedTemplate:
        """The text as a recipient would get it; nothing is sent. `ValidationError` names missing variables."""
        request = Request(
            method="POST", path=path(ROOT + "/templates/{}/render", template_id), body={"variables": variables or {}}
        )
        return await self._call(request, RenderedTemplate, options)

    async def set_recipient(
        self,
        user_id: str,
        *,
        email: str | None = None,
        phone: str | None = None,
        locale: str | None = None,
        timezone: str | None = None,
        webhook_url: str | None = None,
        preferences: Mapping[Channel, bool] | None = None,
        **options: Unpack[ReadOptions],
    ) -> Recipient:
        """Say where a user is reached; addresses left out are forgotten, `preferences` left out stay.

        `phone` is in international form, `timezone` a name such as `Europe/Berlin`. A preference of false means:
        nothing more by this channel.
        """
        body = {
            "email": email,
            "phone": phone,
            "locale": locale,
            "timezone": timezone,
            "webhook_url": webhook_url,
            "preferences": preferences,
        }
        request = Request(method="PUT", path=path(ROOT + "/recipients/{}", user_id), body=body)
        return await self._call(request, Recipient, options)

    async def get_recipient(self, user_id: str, **options: Unpack[ReadOptions]) -> Recipient:
        """Where a user is reached."""
        request = Request(method="GET", path=path(ROOT + "/recipients/{}", user_id))
        return await self._call(request, Recipient, options)

    async def send(
        self,
        *,
        user_id: str,
        template_id: str | None = None,
        subject: str | None = None,
        body: str | None = None,
        channels: Sequence[Channel] | None = None,
        variables: Mapping[str, Any] | None = None,
        priority: Priority | None = None,
        **options: Unpack[WriteOptions],
    ) -> Notification:
        """Send one message. Accepted is not delivered: `wait_for_notification`, or `get`, tells of each channel.

        Either `template_id` (an id or a name) says what, or `body` and `subject` with `channels`. Without `channels` a
        template takes its own. A missing variable is a `ValidationError`, and nothing is sent.
        """
        wanted = {
            "user_id": user_id,
            "template_id": template_id,
            "subject": subject,
            "body": body,
            "channels": channels,
            "variables": variables,
            "priority": priority,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/send", body=wanted), Notification, options)

    async def send_batch(
        self,
        *,
        user_ids: Sequence[str],
        template_id: str | None = None,
        subject: str | None = None,
        body: str | None = None,
        channels: Sequence[Channel] | None = None,
        variables: Mapping[str, Any] | None = None,
        priority: Priority | None = None,
        **options: Unpack[WriteOptions],
    ) -> NotificationBatch:
        """Send one message to up to 10,000 users, as `send` does; a user named twice gets it once."""
        wanted = {
            "user_ids": user_ids,
            "template_id": template_id,
            "subject": subject,
            "body": body,
            "channels": channels,
            "variables": variables,
            "priority": priority,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/batch", body=wanted), NotificationBatch, options)

    async def get_batch(self, batch_id: str, **options: Unpack[ReadOptions]) -> NotificationBatch:
        """How far a batch is."""
        request = Request(method="GET", path=path(ROOT + "/batches/{}", batch_id))
        return await self._call(request, NotificationBatch, options)

    async def cancel_batch(self, batch_id: str, **options: Unpack[WriteOptions]) -> NotificationBatch:
        """Stop what a batch has not sent yet. `Conflict` (`batch_finished`) when all is sent."""
        request = Request(method="POST", path=path(ROOT + "/batches/{}/cancel", batch_id))
        return await self._call(request, NotificationBatch, options)

    async def wait_for_batch(
        self, batch_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]
    ) -> NotificationBatch:
        """The batch once it has ended, well or not. `TimedOut` after `within` seconds."""
        return await self._wait(
            lambda: self.get_batch(batch_id, **options), done=lambda batch: batch.finished, within=within
        )

    def list_notifications(
        self,
        *,
        user_id: str | None = None,
        status: NotificationStatus | None = None,
        batch_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[Notification]:
        """Notifications, newest first."""
        query = {"user_id": user_id, "status": status, "batch_id": batch_id, "limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=ROOT, query=query), Notification, options)

    async def get(self, notification_id: str, **options: Unpack[ReadOptions]) -> Notification:
        """One notification, with status and attempts of each channel."""
        request = Request(method="GET", path=path(ROOT + "/{}", notification_id))
        return await self._call(request, Notification, options)

    async def wait_for_notification(
        self, notification_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]
    ) -> Notification:
        """The notification once every channel has ended, well or not. `TimedOut` after `within` seconds."""
        return await self._wait(
            lambda: self.get(notification_id, **options), done=lambda sent: sent.finished, within=within
        )

    async def cancel(self, notification_id: str, **options: Unpack[WriteOptions]) -> Notification:
        """Stop what has not been sent yet. `Conflict` (`notification_finished`) when nothing is left to stop."""
        request = Request(method="POST", path=path(ROOT + "/{}/cancel", notification_id))
        return await self._call(request, Notification, options)

    def in_app(
        self,
        user_id: str,
        *,
        unread: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[InAppNotification]:
        """A user's notification centre, newest first; with `unread=True` only what has not been read."""
        query = {"unread": unread, "limit": limit, "cursor": cursor}
        request = Request(method="GET", path=path(ROOT + "/in-app/{}", user_id), query=query)
        return self._pages(request, InAppNotification, options)

    async def mark_read(self, notification_id: str, **options: Unpack[WriteOptions]) -> InAppNotification:
        """Mark an in-app notification as read; doing it again changes nothing."""
        request = Request(method="POST", path=path(ROOT + "/in-app/{}/read", notification_id))
        return await self._call(request, InAppNotification, options)

    async def mark_all_read(self, user_id: str, **options: Unpack[WriteOptions]) -> MarkedRead:
        """Mark all of a user's in-app notifications as read."""
        request = Request(method="POST", path=path(ROOT + "/in-app/{}/read-all", user_id))
        return await self._call(request, MarkedRead, options)

    async def unread_count(self, user_id: str, **options: Unpack[ReadOptions]) -> UnreadCount:
        """How many in-app notifications a user has not read."""
        request = Request(method="GET", path=path(ROOT + "/in-app/{}/unread-count", user_id))
        return await self._call(request, UnreadCount, options)

    async def subscribe_push(
        self,
        *,
        device_token: str,
        platform: Platform,
        device_id: str | None = None,
        user_id: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> PushSubscription:
        """Register a device for push notifications; the token's user's when `user_id` is left out."""
        body = {"device_token": device_token, "platform": platform, "device_id": device_id, "user_id": user_id}
        request = Request(method="POST", path=f"{ROOT}/push/subscribe", body=body)
        return await self._call(request, PushSubscription, options)

    async def unsubscribe_push(self, subscription_id: str, **options: Unpack[ReadOptions]) -> None:
        """Forget a device."""
        await self._do(Request(method="DELETE", path=path(ROOT + "/push/subscriptions/{}", subscription_id)), options)
