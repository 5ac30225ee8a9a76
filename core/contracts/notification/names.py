"""Words of the notification service: channels, statuses, priorities, and the names and ids that Temporal sees."""

from enum import StrEnum

QUEUE = "notification"
NOTIFICATION_SEND = "notification.send"
NOTIFICATION_DELIVER = "notification.deliver"
NOTIFICATION_CONCLUDE = "notification.conclude"
NOTIFICATION_CANCEL = "notification.cancel"
NOTIFICATION_BATCH = "notification.batch"
BATCH_CHUNK = "notification.batch_chunk"
BATCH_FINISH = "notification.batch_finish"
STATE_QUERY = "state"
FAILED = "notification.failed"

BATCH_MAX, CHUNK = 10_000, 500


class Channel(StrEnum):
    """The ways a message can take."""

    EMAIL = "email"
    SMS = "sms"
    IN_APP = "in_app"
    PUSH = "push"
    WEBHOOK = "webhook"


class NotificationStatus(StrEnum):
    """What the channels of a notification add up to; the last four are final."""

    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    PARTIALLY_DELIVERED = "partially_delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED = (
    NotificationStatus.DELIVERED,
    NotificationStatus.PARTIALLY_DELIVERED,
    NotificationStatus.FAILED,
    NotificationStatus.CANCELLED,
)


class ChannelStatus(StrEnum):
    """`sent`: a provider has accepted it. `delivered`: it has arrived. `suppressed`: the recipient opted out."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    RETRYING = "retrying"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"


class Outcome(StrEnum):
    """How one attempt ended. `unknown`: the process died before it could say."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"


class BatchStatus(StrEnum):
    """`completed`: every recipient's first try is made; what has to be tried again goes on by itself."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """Which waiting message a free worker takes first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


# Temporal's keys run from 1 (first) to 5 (last); 3 is its default.
TEMPORAL_PRIORITY = {Priority.URGENT: 1, Priority.HIGH: 2, Priority.NORMAL: 3, Priority.LOW: 4}


class Format(StrEnum):
    """What a template's body is written in."""

    TEXT = "text"
    HTML = "html"


class Platform(StrEnum):
    """What a device that push messages go to runs."""

    IOS = "ios"
    ANDROID = "android"
    WEB = "web"


# Why a channel failed. Providers' own words stay in the message.
CHANNEL_NOT_CONFIGURED = "channel_not_configured"
RECIPIENT_UNKNOWN, NO_ADDRESS, BAD_ADDRESS = "recipient_unknown", "no_address", "bad_address"
REJECTED, THROTTLED = "rejected", "throttled"
PROVIDER_UNAVAILABLE, PROVIDER_UNAUTHORIZED = "provider_unavailable", "provider_unauthorized"
OPTED_OUT, INTERRUPTED = "opted_out", "interrupted"


def notification_send_id(notification_id: str) -> str:
    """The id of the workflow that sends one notification."""
    return f"{NOTIFICATION_SEND}:{notification_id}"


def notification_batch_id(batch_id: str) -> str:
    """The id of the workflow that sends a batch."""
    return f"{NOTIFICATION_BATCH}:{batch_id}"
