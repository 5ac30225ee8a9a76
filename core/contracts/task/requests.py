"""What callers and workers send to the task front door."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StringConstraints
from pydantic_core import to_json

from core.contracts.platform import Contract, JsonObject, Moment, Name, Word
from core.contracts.task.names import Priority

MAX_PAYLOAD_BYTES = 256 * 1024
MAX_ATTEMPTS, MAX_TIMEOUT_SECONDS = 50, 7 * 24 * 3600
DEFAULT_ATTEMPTS = 5


def _bounded(value: JsonValue) -> JsonValue:
    if len(to_json(value)) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"must not exceed {MAX_PAYLOAD_BYTES} bytes of JSON")
    return value


def _bounded_object(value: JsonObject) -> JsonObject:
    _bounded(value)
    return value


TYPE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$"
TaskType = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=TYPE_PATTERN)]
"""A task type: names the queue that its workers poll, so it holds no colon."""

CREATE_EXAMPLE: dict[str, Any] = {
    "name": "process_video",
    "type": "transcoding",
    "priority": "high",
    "payload": {"file_id": "file_123", "output_format": "mp4", "quality": "720p"},
    "scheduled_at": "2024-01-28T12:00:00Z",
}


class CreateTask(Contract):
    """A task to run once now, or once at `scheduled_at`."""

    model_config = ConfigDict(json_schema_extra={"examples": [CREATE_EXAMPLE]})

    name: Name
    type: Annotated[TaskType | None, Field(description="which handler runs it; the name when left out")] = None
    priority: Priority = Priority.NORMAL
    payload: Annotated[
        JsonObject,
        AfterValidator(_bounded_object),
        Field(default_factory=dict, description="what the handler gets; at most 256 KiB"),
    ]
    scheduled_at: Annotated[Moment | None, Field(description="in the past or left out: as soon as possible")] = None
    timeout_seconds: Annotated[
        int | None,
        Field(ge=1, le=MAX_TIMEOUT_SECONDS, description="how long one attempt may take; 24 hours when left out"),
    ] = None
    max_attempts: Annotated[int, Field(ge=1, le=MAX_ATTEMPTS)] = DEFAULT_ATTEMPTS
    correlation_id: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class AttemptStart(Contract):
    """A worker took the execution."""

    worker: Annotated[str, Field(min_length=1, max_length=200, description="who: shown in the history")]
    attempt: Annotated[int, Field(ge=1, le=10_000)]


class ProgressReport(Contract):
    """How far the handler is."""

    percent: Annotated[float, Field(ge=0, le=100)]
    message: Annotated[str | None, Field(max_length=500)] = None


class ResultReport(Contract):
    """The handler's result; null is a result too."""

    result: Annotated[JsonValue, AfterValidator(_bounded)]


class AttemptFailed(Contract):
    """Why an attempt failed, and whether another may help."""

    code: Word
    message: Annotated[str, Field(max_length=2000)]
    retryable: bool = True
    attempt: Annotated[int, Field(ge=1, le=10_000)]
