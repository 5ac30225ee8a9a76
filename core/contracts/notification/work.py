"""What travels through Temporal: ids, counts and statuses only."""

from datetime import datetime

from pydantic import Field

from core.contracts.event.webhook import FailureClass, WebhookOutcome
from core.contracts.notification.names import BatchStatus, Channel, NotificationStatus
from core.contracts.platform import Answer


class NotificationRef(Answer):
    """Names one notification."""

    tenant_id: str
    notification_id: str


class Waiting(Answer):
    """A channel whose try failed and that is to be tried again. `webhook`: by the machine that delivers webhooks."""

    channel: Channel
    failure: FailureClass
    retry_in: float
    webhook: WebhookOutcome | None = None


class SendWork(NotificationRef):
    """The argument of `notification.send`. `waiting`: the first tries were made by a batch, these go on."""

    waiting: list[Waiting] = Field(default_factory=list)


class DeliverWork(NotificationRef):
    """One try of each channel (none named: of all). The delays (seconds) follow a failure; None: this is the last."""

    channels: list[Channel] = Field(default_factory=list)
    transient_delay: float | None = None
    throttled_delay: float | None = None


class Delivered(Answer):
    """Where a notification stands. `error`: the code of its first failed channel."""

    status: NotificationStatus
    error: str | None = None
    waiting: list[Waiting] = Field(default_factory=list)


class WebhookEnd(NotificationRef):
    """How the delivery of a webhook ended."""

    outcome: WebhookOutcome


class ChannelView(Answer):
    """A channel that waits for another try, as the workflow sees it."""

    channel: Channel
    tries: int
    next_attempt_at: datetime


class SendState(Answer):
    """The answer of the query `state`, and of the updates."""

    waiting: list[ChannelView] = Field(default_factory=list)
    cancelled: bool = False


class RetryNow(Answer):
    """The argument of the update `retry_now`: one channel, or all that wait."""

    channel: Channel | None = None


class BatchRef(Answer):
    """Names one batch."""

    tenant_id: str
    batch_id: str


class BatchWork(BatchRef):
    """The argument of `notification.batch`."""

    total: int


class ChunkWork(BatchRef):
    """Recipients `start` to `start + count` of a batch; the delays are those of DeliverWork."""

    start: int
    count: int
    transient_delay: float
    throttled_delay: float


class ChunkDone(Answer):
    """How many recipients were handled, and how many of them got a workflow of their own."""

    handled: int
    handed_over: int


class BatchEnd(BatchRef):
    """How a batch is to be closed."""

    status: BatchStatus


class BatchDone(Answer):
    """How a batch ended."""

    status: BatchStatus
    handed_over: int = 0
