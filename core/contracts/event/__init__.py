"""The event log's contract: publish, query, statistics; names that Temporal and Postgres see."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from core.contracts.platform import Answer, Contract, JsonObject, Moment, RefId, Word

QUEUE = "event"
CHANNEL = "event"
"""The NOTIFY channel on which the event log wakes its pumps."""
MAIN_STREAM = "main"
BATCH_MAX = 1000
PAYLOAD_MAX_BYTES = 256 * 1024
TOP_TYPES, DAYS = 20, 30


class EventCategory(StrEnum):
    """What part of a business an event belongs to."""

    USER = "user"
    PAYMENT = "payment"
    STORAGE = "storage"
    SYSTEM = "system"
    CUSTOM = "custom"


# Any, not JsonValue: the body was parsed from JSON, and a second walk through it would double the cost of a batch.
Payload = Annotated[dict[str, Any], Field(description=f"any JSON object of at most {PAYLOAD_MAX_BYTES} bytes")]


class Publish(Contract):
    """One event to publish."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event_type": "user.signup",
                    "source": "web_app",
                    "category": "user",
                    "payload": {"user_id": "user_123", "plan": "free"},
                    "correlation_id": "corr_abc123",
                }
            ]
        }
    )

    event_type: Word = Field(description="what happened, such as user.signup")
    source: Word = Field("api", description="the system that tells it")
    category: EventCategory | None = Field(None, description="the event type's first word where it is one, else custom")
    payload: Payload = Field(default_factory=dict)
    stream: Word = Field(MAIN_STREAM, description="which log it goes to")
    correlation_id: RefId | None = Field(None, description="the request's own where missing")
    causation_id: RefId | None = Field(None, description="id of the event or command that caused this one")
    occurred_at: Moment | None = Field(None, description="when it happened; now where missing")


class PublishBatch(Contract):
    """Events to publish together: all of them, or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {"event_type": "page.view", "payload": {"page": "/home"}},
                        {"event_type": "button.click", "payload": {"button": "signup"}},
                    ]
                }
            ]
        }
    )

    events: list[Publish] = Field(min_length=1, max_length=BATCH_MAX)


class BatchPublished(Answer):
    """Ids of the events, in the order they were sent."""

    accepted: int
    event_ids: list[str]


class Event(Answer):
    """A published event. `replayed_from` names the original of a copy that a replay made."""

    event_id: str
    event_type: str
    source: str
    category: EventCategory
    stream: str
    payload: JsonObject
    published_by: str
    correlation_id: str | None = None
    causation_id: str | None = None
    occurred_at: datetime
    published_at: datetime
    replayed_from: str | None = None


class DayCount(Answer):
    """Events published on one UTC day."""

    day: date
    total: int


class EventStatistics(Answer):
    """Counts from the roll-up and what it has not reached yet, in one reading. Copies made by replays do not count."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "total_events": 1250000,
                    "events_today": 15000,
                    "by_category": {"user": 450000, "payment": 120000, "storage": 680000},
                    "by_type": {"user.signup": 450000},
                    "per_day": [{"day": "2024-01-28", "total": 15000}],
                    "processing_lag_ms": 50,
                }
            ]
        },
    )

    total_events: int
    events_today: int = Field(description="published today (UTC)")
    by_category: dict[str, int]
    by_type: dict[str, int] = Field(description=f"the {TOP_TYPES} most frequent types")
    per_day: list[DayCount] = Field(description=f"the last {DAYS} days that had events, newest first")
    processing_lag_ms: int = Field(description="how long the oldest event not counted yet waits, else the last one did")
