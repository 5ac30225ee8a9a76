"""What the notification service answers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from isa_user._models.base import Result, WorkResult

Channel = Literal["email", "sms", "in_app", "push", "webhook"]
Priority = Literal["low", "normal", "high", "urgent"]
Platform = Literal["ios", "android", "web"]

_FINISHED = {"completed", "sent", "delivered", "partially_delivered", "partial", "failed", "cancelled"}


class Template(Result):
    """A message with variables. An update makes a new `version`; what was sent keeps the version it had."""

    template_id: str
    name: str
    type: str
    subject: str | None = None
    body: str
    variables: list[str] = Field(default_factory=list)
    version: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class RenderedTemplate(Result):
    """A preview: the text as a recipient would get it."""

    subject: str | None = None
    body: str


class Recipient(Result):
    """Where and how one user is reached."""

    user_id: str
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    timezone: str | None = None
    webhook_url: str | None = None


class ChannelDelivery(Result):
    """How one channel of a notification stands, and why it failed if it did."""

    channel: str
    status: str
    attempts: int = 0
    error: Any = None


class Notification(WorkResult):
    """One message to one user, over one or more channels."""

    notification_id: str
    status: str
    user_id: str | None = None
    template_id: str | None = None
    priority: str | None = None
    channels: list[ChannelDelivery] = Field(default_factory=list)
    correlation_id: str | None = None
    created_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether every channel has come to its end."""
        return self.status in _FINISHED


class NotificationBatch(WorkResult):
    """One message to many users; the counts grow while it runs."""

    batch_id: str
    status: str
    created_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether every recipient has been handled."""
        return self.status in _FINISHED


class InAppNotification(Result):
    """A message in a user's notification centre."""

    notification_id: str
    user_id: str | None = None
    subject: str | None = None
    body: str | None = None
    read: bool | None = None
    read_at: datetime | None = None
    created_at: datetime | None = None


class UnreadCount(Result):
    """How many in-app notifications a user has not read."""

    user_id: str
    unread_count: int


class PushSubscription(Result):
    """A device that push notifications go to."""

    subscription_id: str
    platform: str | None = None
    device_id: str | None = None
    created_at: datetime | None = None
