"""Sending: one message, many, how they stand, and the in-app centre."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from core.contracts.event.webhook import FailureClass
from core.contracts.notification.names import (
    BATCH_MAX,
    BatchStatus,
    Channel,
    ChannelStatus,
    NotificationStatus,
    Outcome,
    Priority,
)
from core.contracts.notification.templates import Body, Subject, Variables
from core.contracts.platform import Answer, Contract, RefId


def _once(value: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys(value))


Channels = Annotated[list[Channel], AfterValidator(_once), Field(min_length=1, max_length=20)]


class Message(Contract):
    """What is sent: a template by id or name, or a text of its own."""

    template_id: Annotated[RefId | None, Field(description="id or name of a template")] = None
    subject: Annotated[Subject | None, Field(description="without a template")] = None
    body: Annotated[Body | None, Field(description="without a template; may hold {{variables}} too")] = None
    channels: Annotated[Channels | None, Field(description="the template's own type if left out")] = None
    variables: Variables | None = None
    priority: Priority | None = None
    correlation_id: RefId | None = None

    @model_validator(mode="after")
    def _says_what(self) -> "Message":
        if (self.template_id is None) == (self.body is None):
            raise ValueError("name a template_id, or write a body; not both")
        if self.template_id is not None and self.subject is not None:
            raise ValueError("a subject goes with a body; the template has its own")
        if self.body is not None and self.channels is None:
            raise ValueError("a message without a template needs channels")
        return self


class Send(Message):
    """One message to one user."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "user_123",
                    "template_id": "welcome_email",
                    "channels": ["email", "in_app"],
                    "variables": {"name": "John"},
                    "priority": "high",
                }
            ]
        }
    )

    user_id: RefId


class SendBatch(Message):
    """One message to many users; a user named twice gets it once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "template_id": "promotion_notice",
                    "user_ids": ["user_1", "user_2", "user_3"],
                    "variables": {"discount": "20%"},
                }
            ]
        }
    )

    user_ids: Annotated[list[RefId], AfterValidator(_once), Field(min_length=1, max_length=BATCH_MAX)]


class ChannelError(Answer):
    """Why a channel failed, or has to be tried again; `code` is stable."""

    code: str
    message: str
    failure_class: FailureClass | None = None


class Attempt(Answer):
    """One try to hand the message to a provider."""

    attempt: int
    at: datetime
    outcome: Outcome
    provider: str | None = None
    provider_message_id: str | None = None
    error: ChannelError | None = None


class ChannelState(Answer):
    """How one channel of a notification stands. `attempt_log` is told of a single notification only."""

    channel: Channel
    status: ChannelStatus
    attempts: int
    error: ChannelError | None = None
    provider: str | None = None
    provider_message_id: str | None = None
    next_attempt_at: datetime | None = None
    finished_at: datetime | None = None
    delivery_id: Annotated[str | None, Field(description="of a webhook: what its receiver sees as webhook-id")] = None
    attempt_log: list[Attempt] = Field(default_factory=list)


class Notification(Answer):
    """One message to one user. `subject` and `body` are told of a single notification only."""

    notification_id: str
    user_id: str
    status: NotificationStatus
    priority: Priority
    template_id: str | None = None
    template_version: int | None = None
    batch_id: str | None = None
    subject: str | None = None
    body: str | None = None
    channels: list[ChannelState]
    correlation_id: str
    created_at: datetime
    finished_at: datetime | None = None
    workflow_id: str
    workflow_url: str


class BatchCounts(Answer):
    """Recipients by where their message stands; `waiting` have none yet."""

    waiting: int = 0
    queued: int = 0
    sending: int = 0
    delivered: int = 0
    partially_delivered: int = 0
    failed: int = 0
    cancelled: int = 0


class Batch(Answer):
    """One message to many users."""

    batch_id: str
    status: BatchStatus
    template_id: str | None = None
    template_version: int | None = None
    channels: list[Channel]
    priority: Priority
    total: Annotated[int, Field(description="recipients, each counted once")]
    counts: BatchCounts
    progress: Annotated[float, Field(description="percent of the recipients whose message has come to its end")]
    requested_by: str
    correlation_id: str
    created_at: datetime
    finished_at: datetime | None = None
    workflow_id: str
    workflow_url: str


class InAppNotification(Answer):
    """A message in a user's in-app centre."""

    notification_id: str
    user_id: str
    subject: str | None = None
    body: str
    read: bool
    read_at: datetime | None = None
    created_at: datetime


class UnreadCount(Answer):
    """How many in-app messages a user has not read."""

    user_id: str
    unread_count: int


class MarkedRead(UnreadCount):
    """How many were marked as read just now."""

    marked: int
