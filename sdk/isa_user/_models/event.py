"""What the event service answers, and the item of a batch."""

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from pydantic import Field

from isa_user._models.base import Result, WorkResult

EventCategory = Literal["user", "payment", "storage", "system", "custom"]
DeliveryType = Literal["webhook"]


class NewEvent(TypedDict, total=False):
    """One event of `publish_batch`; the keys are the keywords of `publish`."""

    event_type: Required[str]
    source: str
    category: str
    payload: dict[str, Any]
    stream: str
    correlation_id: str
    causation_id: str
    occurred_at: datetime | str


class Event(Result):
    """A published event, which never changes."""

    event_id: str
    event_type: str
    source: str | None = None
    category: str | None = None
    stream: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict)
    correlation_id: str | None = None
    causation_id: str | None = None
    occurred_at: datetime
    published_at: datetime


class EventStatistics(Result):
    """Totals from roll-ups; `processing_lag_ms` tells how far these are behind."""

    total_events: int
    events_today: int
    by_category: dict[str, int] = Field(default_factory=dict)
    processing_lag_ms: float | None = None


class Replay(WorkResult):
    """A copy of past events into another stream."""

    replay_id: str
    status: str
    from_timestamp: datetime | None = None
    to_timestamp: datetime | None = None
    event_types: list[str] = Field(default_factory=list)
    target_stream: str | None = None
    created_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether it is completed, failed or cancelled."""
        return self.status in {"completed", "failed", "cancelled"}


class Subscription(Result):
    """Where events go by webhook. `secret` is told once: when it is made, and when it is rotated."""

    subscription_id: str
    status: str | None = None
    event_types: list[str] = Field(default_factory=list)
    delivery_type: str | None = None
    webhook_url: str | None = None
    description: str | None = None
    secret: str | None = None
    created_at: datetime | None = None


class Delivery(Result):
    """One event on its way to one subscription, with every attempt."""

    delivery_id: str
    status: str
    event_id: str | None = None
    event_type: str | None = None
    created_at: datetime | None = None
