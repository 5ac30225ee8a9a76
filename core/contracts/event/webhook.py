"""Webhooks: subscriptions, deliveries, and the one machine that delivers for subscriptions and notifications alike.

To send a webhook from another service (the notification service's `webhook` channel does):

1. In your transaction: `ref = await core.store.event.add_delivery(session, NewDelivery(...))`. Its body stays there.
2. In your workflow: child workflow `webhook.deliver` (WEBHOOK_DELIVER, id `webhook_deliver_id(ref.delivery_id)`, queue
   `event`) with `WebhookDeliver(**ref.model_dump())`. It tries at once, follows the retry schedule and returns the
   final WebhookOutcome. Cancelling it stops the delivery.
   With a schedule of your own: activity `webhook.attempt` (WEBHOOK_ATTEMPT, queue `event`) with a WebhookTry.
   In bulk, from an activity: `activities.event.Deliveries.attempt(tries)`, given to your class in `__init__`.
3. Receivers verify with `core.keys.webhook_secret(settings.secret_key, tenant_id)` (Standard Webhooks, `whsec_…`): one
   for all notifications of a tenant, derived, so it is stored nowhere.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from core.contracts.event import MAIN_STREAM
from core.contracts.platform import Answer, Contract, JsonObject, Pattern, Word

WEBHOOK_DELIVER = "webhook.deliver"
WEBHOOK_ATTEMPT = "webhook.attempt"
WEBHOOK_CANCEL = "webhook.cancel"
HURRY_SIGNAL = "hurry"
SNIPPET_BYTES = 1024
SECRET_PURPOSE = "webhook-secrets"
"""Names the key under which subscription secrets lie sealed in Postgres."""


def webhook_deliver_id(delivery_id: str, round_: int = 0) -> str:
    """The id of the workflow that retries a delivery; a redelivery begins a new round with a workflow of its own."""
    return f"{WEBHOOK_DELIVER}:{delivery_id}" + (f":{round_}" if round_ else "")


# ---- subscriptions


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http:// or https:// address with a host")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("may hold neither a user name, nor a password, nor a fragment")
    if parts.port == 0:
        raise ValueError("port 0 cannot be reached")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be written in ASCII without spaces; encode others (punycode, %20)")
    return value


WebhookUrl = Annotated[str, StringConstraints(min_length=1, max_length=2048), AfterValidator(_web_address)]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=50)]
Description = Annotated[str, StringConstraints(max_length=500)]


class DeliveryType(StrEnum):
    """How a subscription is served: by webhook, and nothing else yet."""

    WEBHOOK = "webhook"


class SubscriptionStatus(StrEnum):
    """A paused subscription matches no new events; what already waits for it goes out when it is active again."""

    ACTIVE = "active"
    PAUSED = "paused"


class Subscribe(Contract):
    """Which events go to which address."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event_types": ["user.*", "payment.succeeded"],
                    "delivery_type": "webhook",
                    "webhook_url": "https://example.com/events",
                }
            ]
        }
    )

    event_types: Patterns = Field(description="types, or beginnings of types: user.*, or * for all")
    delivery_type: DeliveryType = DeliveryType.WEBHOOK
    webhook_url: WebhookUrl
    stream: Word = Field(MAIN_STREAM, description="the stream whose events are meant")
    description: Description | None = None


class SubscriptionPatch(Contract):
    """What to change; fields left out stay as they are."""

    status: SubscriptionStatus | None = Field(None, description="pause or resume")
    event_types: Patterns | None = None
    webhook_url: WebhookUrl | None = None
    description: Description | None = None

    @model_validator(mode="after")
    def _something(self) -> "SubscriptionPatch":
        if not self.model_fields_set:
            raise ValueError("name at least one field to change: status, event_types, webhook_url, description")
        if any(getattr(self, name) is None for name in self.model_fields_set - {"description"}):
            raise ValueError("only description may be null; leave out what shall stay as it is")
        return self


class Subscription(Answer):
    """Where matching events go. `status_reason` says why the platform paused it."""

    subscription_id: str
    status: SubscriptionStatus
    status_reason: str | None = None
    event_types: list[str]
    stream: str
    delivery_type: DeliveryType
    webhook_url: str
    description: str | None = None
    created_by: str
    created_at: datetime
    updated_at: datetime


class SubscriptionSecret(Subscription):
    """A subscription with its signing secret, shown this once."""

    secret: str = Field(description="whsec_…, for any Standard Webhooks library; it is not shown again")
    old_secret_until: datetime | None = Field(None, description="until when the secret before signs too")


# ---- deliveries


class DeliveryKind(StrEnum):
    """Who asked for a delivery."""

    SUBSCRIPTION = "subscription"
    NOTIFICATION = "notification"


class DeliveryStatus(StrEnum):
    """`failed` is final: the dead letter, until somebody redelivers it."""

    PENDING = "pending"
    DELIVERED = "delivered"
    RETRYING = "retrying"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FailureClass(StrEnum):
    """What a failed attempt says about the next one."""

    PERMANENT = "permanent"
    THROTTLED = "throttled"
    TRANSIENT = "transient"


class Attempt(Answer):
    """One try to hand a message over."""

    attempt: int
    status: DeliveryStatus
    status_code: int | None = None
    latency_ms: int
    error: str | None = None
    response: str | None = Field(None, description=f"the answer's first {SNIPPET_BYTES} bytes")
    attempted_at: datetime


class Delivery(Answer):
    """A message to an endpoint. Receivers see `delivery_id` as the header webhook-id, the same at every try."""

    delivery_id: str
    subscription_id: str | None = None
    event_id: str | None = None
    event_type: str
    url: str
    status: DeliveryStatus
    status_code: int | None = None
    error: str | None = None
    attempt_count: int
    attempts: list[Attempt] = Field([], description="the latest tries, newest first")
    next_attempt_at: datetime | None = None
    created_at: datetime
    finished_at: datetime | None = None
    workflow_id: str | None = Field(None, description="the workflow that retries it")
    workflow_url: str | None = None


# ---- the machine's payloads: ids, counts and statuses only


class NewDelivery(Answer):
    """A message to deliver for a notification. `body` becomes the CloudEvent's `data`; it never leaves Postgres."""

    tenant_id: str
    reference: str = Field(description="the notification's id, for people who look at the table")
    event_type: str = Field(description="the CloudEvent's type, such as notification.sent")
    url: str
    body: JsonObject


class DeliveryRef(Answer):
    """Names one delivery."""

    tenant_id: str
    delivery_id: str


class WebhookTry(DeliveryRef):
    """One attempt. The delays (seconds) are what follows a failure of that class; None makes it the last attempt."""

    transient_delay: float | None = None
    throttled_delay: float | None = None


class WebhookOutcome(Answer):
    """Where a delivery stands after an attempt. `retry_in` (seconds) is set while it is `retrying`.

    `error` is a stable word: `http_503`, `timeout`, `connection_failed`, `tls_failed`, `name_not_resolved`,
    `address_not_allowed`, `bad_address`, `secret_unreadable`, `endpoint_gone`, `subscription_deleted`, `stopped`,
    `opted_out`.
    """

    delivery_id: str
    status: DeliveryStatus
    failure: FailureClass | None = None
    status_code: int | None = None
    error: str | None = None
    retry_in: float | None = None


class WebhookDeliver(DeliveryRef):
    """Deliver, with retries. `first` is what the pump's own first try gave; without it the workflow tries at once."""

    first: WebhookOutcome | None = None


class WebhookState(Answer):
    """What the workflow's query `state` answers."""

    attempts: int = 0
    last: WebhookOutcome | None = None
