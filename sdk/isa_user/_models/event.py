"""What the event service answers, and the item of a batch."""

from datetime import date, datetime
from typing import Any, Literal, Required, TypedDict

from pydantic import Field

from isa_user._models.base import Result, WorkResult

EventCategory = Literal["user", "payment", "storage", "system", "custom"]
DeliveryType = Literal["webhook"]
SubscriptionStatus = Literal["active", "paused"]
DeliveryStatus = Literal["pending", "delivered", "retrying", "failed", "cancelled"]
ReplayStatus = Literal["pending", "running", "completed", "cancelled"]


class NewEvent(TypedDict, total=False):
    """One event of `publish_batch`; the keys are the keywords of `publish`."""

    event_type: Required[str]
    source: str
    category: EventCategory
    payload: dict[str, Any]
    stream: str
    correlation_id: str
    causation_id: str
    occurred_at: datetime | str


class Event(Result):
    """A published event, which never changes. `replayed_from` names the original of a copy that a replay made."""

    event_id: str
    event_type: str
    source: str
    category: str
    stream: str
    payload: dict[str, Any]
    published_by: str
    correlation_id: str | None = None
    causation_id: str | None = None
    occurred_at: datetime
    published_at: datetime
    replayed_from: str | None = None


class DayTotal(Result):
    """Events published on one day (UTC)."""

    day: date
    total: int


class EventStatistics(Result):
    """Counts without the copies that replays make. `by_type` has the most frequent types, `per_day` the latest days.

    `processing_lag_ms`: how long the oldest event that is not counted yet has waited.
    """

    total_events: int
    events_today: int
    by_category: dict[str, int]
    by_type: dict[str, int]
    per_day: list[DayTotal]
    processing_lag_ms: int


class Replay(WorkResult):
    """A copy of past events into another stream. `skipped` were there already; `total` is None until counted."""

    replay_id: str
    status: str
    from_timestamp: datetime
    to_timestamp: datetime
    event_types: list[str]
    source_stream: str
    target_stream: str
    total: int | None = None
    copied: int = 0
    skipped: int = 0
    percent: float = 0
    requested_by: str
    correlation_id: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether it is completed or cancelled."""
        return self.status in {"completed", "cancelled"}


class Subscription(Result):
    """Where events go by webhook. `secret` is told when it is made and when it is rotated, and never again.

    `status_reason` says why the platform paused it; `old_secret_until`, how long the secret before signs too.
    """

    subscription_id: str
    status: str
    status_reason: str | None = None
    event_types: list[str]
    stream: str
    delivery_type: str
    webhook_url: str
    description: str | None = None
    created_by: str
    created_at: datetime
    updated_at: datetime
    secret: str | None = None
    old_secret_until: datetime | None = None


class DeliveryAttempt(Result):
    """One try to hand a message over. `response` is the beginning of what the endpoint answered."""

    attempt: int
    status: str
    status_code: int | None = None
    latency_ms: int
    error: str | None = None
    response: str | None = None
    attempted_at: datetime


class Delivery(Result):
    """One message to one endpoint, which sees `delivery_id` as its header webhook-id at every try.

    `failed` is final, until somebody redelivers it. While it is `retrying`, `workflow_url` shows its workflow.
    """

    delivery_id: str
    subscription_id: str | None = None
    event_id: str | None = None
    event_type: str
    url: str
    status: str
    status_code: int | None = None
    error: str | None = None
    attempt_count: int
    attempts: list[DeliveryAttempt] = Field(default_factory=list)
    next_attempt_at: datetime | None = None
    created_at: datetime
    finished_at: datetime | None = None
    workflow_id: str | None = None
    workflow_url: str | None = None
