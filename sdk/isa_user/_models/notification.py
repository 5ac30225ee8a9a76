"""What the notification service answers."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from isa_user._models.base import Result, WorkResult

Channel = Literal["email", "sms", "in_app", "push", "webhook"]
Platform = Literal["ios", "android", "web"]
TextFormat = Literal["text", "html"]
NotificationStatus = Literal["queued", "sending", "delivered", "partially_delivered", "failed", "cancelled"]


class Template(Result):
    """A message with variables. An update makes a new `version`; what was sent keeps the version it had."""

    template_id: str
    name: str
    type: str
    subject: str | None = None
    body: str
    format: str
    variables: list[str]
    version: int
    built_in: bool = False
    created_by: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class RenderedTemplate(Result):
    """A preview: the text as a recipient would get it. `text` is what goes where HTML cannot."""

    subject: str | None = None
    body: str
    text: str
    format: str


class Recipient(Result):
    """Where a user is reached. `preferences` names the channels the user has spoken about; false: nothing more."""

    user_id: str
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    timezone: str | None = None
    webhook_url: str | None = None
    preferences: dict[str, bool] = Field(default_factory=dict)
    updated_at: datetime


class ChannelError(Result):
    """Why a channel failed, or has to be tried again; `code` is stable, such as `channel_not_configured`."""

    code: str
    message: str
    failure_class: str | None = None


class SendAttempt(Result):
    """One try to hand the message to a provider."""

    attempt: int
    at: datetime
    outcome: str
    provider: str | None = None
    provider_message_id: str | None = None
    error: ChannelError | None = None


class ChannelState(Result):
    """How one channel of a notification stands. `attempt_log` is told of a single notification only."""

    channel: str
    status: str
    attempts: int
    error: ChannelError | None = None
    provider: str | None = None
    provider_message_id: str | None = None
    next_attempt_at: datetime | None = None
    finished_at: datetime | None = None
    delivery_id: str | None = None
    attempt_log: list[SendAttempt] = Field(default_factory=list)


class Notification(WorkResult):
    """One message to one user, over one or more channels. Lists leave out `subject` and `body`."""

    notification_id: str
    user_id: str
    status: str
    priority: str
    template_id: str | None = None
    template_version: int | None = None
    batch_id: str | None = None
    subject: str | None = None
    body: str | None = None
    channels: list[ChannelState]
    correlation_id: str
    created_at: datetime
    finished_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether every channel has come to its end."""
        return self.status in {"delivered", "partially_delivered", "failed", "cancelled"}


class BatchCounts(Result):
    """Recipients by where their message stands; `waiting` have none yet."""

    waiting: int = 0
    queued: int = 0
    sending: int = 0
    delivered: int = 0
    partially_delivered: int = 0
    failed: int = 0
    cancelled: int = 0


class NotificationBatch(WorkResult):
    """One message to many users. `progress` is the percentage of recipients whose message has come to its end."""

    batch_id: str
    status: str
    template_id: str | None = None
    template_version: int | None = None
    channels: list[str]
    priority: str
    total: int
    counts: BatchCounts
    progress: float
    requested_by: str
    correlation_id: str
    created_at: datetime
    finished_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether a first try was made for every recipient; what has to be tried again goes on by itself."""
        return self.status in {"completed", "cancelled"}


class InAppNotification(Result):
    """A message in a user's in-app centre."""

    notification_id: str
    user_id: str
    subject: str | None = None
    body: str
    read: bool
    read_at: datetime | None = None
    created_at: datetime


class UnreadCount(Result):
    """How many in-app messages a user has not read."""

    user_id: str
    unread_count: int


class MarkedRead(UnreadCount):
    """How many were marked as read just now."""

    marked: int


class PushSubscription(Result):
    """A device. Once its token is dead it gets nothing more until it subscribes again."""

    subscription_id: str
    user_id: str
    platform: str
    device_id: str
    active: bool
    created_at: datetime
    updated_at: datetime
