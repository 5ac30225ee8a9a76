"""Replays: events of the past copied into another stream."""

from datetime import datetime
from enum import StrEnum

from pydantic import ConfigDict, Field, model_validator

from core.contracts.event import MAIN_STREAM
from core.contracts.event.webhook import Patterns
from core.contracts.platform import Answer, Contract, Moment, Word

EVENT_REPLAY = "event.replay"
REPLAY_COPY = "event.replay_copy"
REPLAY_CANCEL = "event.replay_cancel"


def event_replay_id(replay_id: str) -> str:
    """The id of a replay's workflow."""
    return f"{EVENT_REPLAY}:{replay_id}"


class ReplayStatus(StrEnum):
    """A cancelled replay keeps what it had copied."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ReplayRequest(Contract):
    """Which events (from ≤ occurred_at < to, published before this request) are copied, and where to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "from_timestamp": "2024-01-01T00:00:00Z",
                    "to_timestamp": "2024-01-02T00:00:00Z",
                    "event_types": ["user.signup", "user.login"],
                    "target_stream": "analytics_replay",
                }
            ]
        }
    )

    from_timestamp: Moment
    to_timestamp: Moment | None = Field(None, description="now where missing")
    event_types: Patterns = Field(["*"], description="types, or beginnings of types: user.*")
    target_stream: Word
    source_stream: Word = MAIN_STREAM

    @model_validator(mode="after")
    def _makes_sense(self) -> "ReplayRequest":
        if self.to_timestamp is not None and self.to_timestamp <= self.from_timestamp:
            raise ValueError("to_timestamp must be later than from_timestamp")
        if self.target_stream == self.source_stream:
            raise ValueError("target_stream must be another stream than source_stream")
        return self


class Replay(Answer):
    """A replay and how far it is. `skipped` were in the target stream already, from an earlier replay."""

    replay_id: str
    status: ReplayStatus
    from_timestamp: datetime
    to_timestamp: datetime
    event_types: list[str]
    source_stream: str
    target_stream: str
    total: int | None = Field(None, description="events that match; null until counted")
    copied: int = 0
    skipped: int = 0
    percent: float = 0
    requested_by: str
    correlation_id: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    workflow_id: str
    workflow_url: str


class ReplayRef(Answer):
    """Names one replay."""

    tenant_id: str
    replay_id: str


class ReplayResult(Answer):
    """How a replay ended."""

    status: ReplayStatus
    total: int
    copied: int
    skipped: int
