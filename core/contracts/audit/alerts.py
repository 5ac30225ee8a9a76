"""Security alerts: raised, moved until closed, each move kept with who made it and why."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from core.contracts.audit.events import Metadata, Severity
from core.contracts.platform import Answer, Contract, JsonObject, RefId, Word

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]

CREATE_EXAMPLE: JsonObject = {
    "alert_type": "suspicious_login",
    "severity": "high",
    "user_id": "user_123",
    "description": "Login from unusual location",
    "metadata": {"location": "Unknown Country", "ip_address": "203.0.113.1"},
}
MOVE_EXAMPLE: JsonObject = {"status": "investigating", "note": "Asked the user whether it was them"}


class AlertStatus(StrEnum):
    """Where an alert stands; the last two are final."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    RESOLVED = "resolved"
    FALSE_POSITIVE = "false_positive"


class CreateAlert(Contract):
    """Something a person should look at."""

    model_config = ConfigDict(json_schema_extra={"examples": [CREATE_EXAMPLE]})

    alert_type: Word
    severity: Severity
    user_id: Annotated[RefId | None, Field(description="whom the alert is about")] = None
    description: Text
    metadata: Metadata = Field(default_factory=dict)
    correlation_id: RefId | None = None


class MoveAlert(Contract):
    """The next status of an alert, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [MOVE_EXAMPLE]})

    status: AlertStatus
    note: Text | None = None


class Alert(Answer):
    """An alert as a list shows it."""

    alert_id: str
    alert_type: str
    severity: Severity
    status: AlertStatus
    user_id: str | None = None
    description: str
    metadata: JsonObject = Field(default_factory=dict)
    correlation_id: str | None = None
    created_by: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None


class AlertMove(Answer):
    """One step in an alert's life."""

    from_status: AlertStatus | None = None
    to_status: AlertStatus
    moved_by: str
    moved_at: datetime
    note: str | None = None


class AlertHistory(Alert):
    """An alert with every move it made, the first one first."""

    history: list[AlertMove]


class AlertFilter(Answer):
    """Which alerts are meant."""

    status: AlertStatus | None = None
    severity: Severity | None = None
    user_id: str | None = None
    alert_type: str | None = None
