"""The audit log's own shapes: what is logged, asked for and answered."""

import re
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import to_json

from core.contracts.platform import Answer, Contract, JsonObject, Moment, Pattern, RefId, Word

MAX_METADATA_BYTES = 32 * 1024
LARGEST_BATCH, LARGEST_PAGE = 1000, 1000


class Severity(StrEnum):
    """How grave, from least to most. Alerts and events share the scale."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Outcome(StrEnum):
    """Whether what was tried came about."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"


def _bounded(value: JsonObject) -> JsonObject:
    if value and len(to_json(value)) > MAX_METADATA_BYTES:
        raise ValueError(f"must not exceed {MAX_METADATA_BYTES} bytes of JSON")
    return value


def _end_of_day(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return value
    return datetime.combine(date.fromisoformat(value), time.max, tzinfo=UTC)


Until = Annotated[Moment, BeforeValidator(_end_of_day)]
"""The last moment of a period. A bare date takes in that whole day."""
Metadata = Annotated[
    JsonObject, AfterValidator(_bounded), Field(description="whatever explains the event; at most 32 KiB of JSON")
]
EventType = Annotated[Word, Field(description="what happened, such as `user.login`")]
Category = Annotated[Word, Field(description="the kind of activity, such as `authentication`; any word")]

LOG_EXAMPLE: JsonObject = {
    "event_type": "user.login",
    "category": "authentication",
    "severity": "info",
    "actor_id": "user_123",
    "resource_type": "session",
    "resource_id": "sess_abc",
    "action": "create",
    "metadata": {"ip_address": "192.168.1.1", "user_agent": "Mozilla/5.0..."},
}
BATCH_EXAMPLE: JsonObject = {
    "events": [
        {"event_type": "file.view", "resource_id": "file_1"},
        {"event_type": "file.view", "resource_id": "file_2"},
    ]
}
QUERY_EXAMPLE: JsonObject = {
    "event_type": "user.login",
    "actor_id": "user_123",
    "from_date": "2024-01-01T00:00:00Z",
    "to_date": "2024-01-31T23:59:59Z",
    "limit": 100,
}


class LogEvent(Contract):
    """One thing that happened. Only `event_type` is needed; the rest is derived or left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [LOG_EXAMPLE]})

    event_type: EventType
    category: Annotated[Category | None, Field(description="derived from `event_type` when left out")] = None
    severity: Severity = Severity.INFO
    outcome: Annotated[
        Outcome | None, Field(description="when left out: failure or denied if `event_type` says so, else success")
    ] = None
    actor_id: Annotated[RefId | None, Field(description="who did it; the token's `sub` when left out")] = None
    resource_type: Word | None = None
    resource_id: RefId | None = None
    action: Annotated[Word | None, Field(description="what was done to the resource, such as `create`")] = None
    metadata: Metadata = Field(default_factory=dict)
    correlation_id: Annotated[RefId | None, Field(description="the request's correlation id when left out")] = None
    causation_id: Annotated[RefId | None, Field(description="the event that caused this one")] = None
    occurred_at: Annotated[Moment | None, Field(description="now when left out; never in the future")] = None


class LogBatch(Contract):
    """Events that are logged together, or not at all."""

    model_config = ConfigDict(json_schema_extra={"examples": [BATCH_EXAMPLE]})

    events: Annotated[list[LogEvent], Field(min_length=1, max_length=LARGEST_BATCH)]


class AuditEvent(Answer):
    """An event as the log keeps it, for ever."""

    event_id: str
    event_type: str
    category: str
    severity: Severity
    outcome: Outcome
    actor_id: str
    resource_type: str | None = None
    resource_id: str | None = None
    action: str | None = None
    metadata: JsonObject = Field(default_factory=dict)
    correlation_id: str | None = None
    causation_id: str | None = None
    occurred_at: datetime
    recorded_at: datetime


class BatchLogged(Answer):
    """What a batch answers: ids in the order of the events sent."""

    accepted: int
    event_ids: list[str]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


EventTypes = Annotated[
    list[Pattern],
    BeforeValidator(_as_list, json_schema_input_type=Pattern | list[Pattern]),
    Field(min_length=1, max_length=50, description="one type or several; `user.*` takes all that begin so"),
]
Severities = Annotated[
    list[Severity],
    BeforeValidator(_as_list, json_schema_input_type=Severity | list[Severity]),
    Field(min_length=1, max_length=5),
]


class EventFilter(Contract):
    """Which events are meant. Filters combine: an event must match all that are given."""

    event_type: EventTypes | None = None
    category: Category | None = None
    severity: Severities | None = None
    outcome: Outcome | None = None
    actor_id: RefId | None = None
    resource_type: Word | None = None
    resource_id: RefId | None = None
    action: Word | None = None
    correlation_id: RefId | None = None
    from_date: Annotated[Moment | None, Field(description="events that occurred at or after this time")] = None
    to_date: Annotated[
        Until | None, Field(description="events that occurred at or before this time, or on this day")
    ] = None


class EventQuery(EventFilter):
    """A page of the log, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [QUERY_EXAMPLE]})

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str | None, Field(max_length=1000, description="next_cursor of the page before")] = None


class ActivitySummary(Answer):
    """What one actor did, exact at the moment of asking."""

    user_id: str
    total_events: int
    last_activity: datetime | None = None
    activity_by_type: Annotated[dict[str, int], Field(description="events of each type, the most frequent first")]
