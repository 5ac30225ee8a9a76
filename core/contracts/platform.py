"""What all five services share in their contracts: base models, field types, pages, work references, intents."""

import re
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

Item = TypeVar("Item")
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Contract(BaseModel):
    """Base of every request. Unknown fields are refused, so a typing error is told; numbers fit a double."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Answer(BaseModel):
    """Base of every response and of every workflow payload: readers tolerate fields they do not know."""

    model_config = ConfigDict(from_attributes=True)


def _date_is_midnight(value: object) -> object:
    """`2024-01-01` means the start of that day in UTC."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return datetime.combine(date.fromisoformat(value), time.min, tzinfo=UTC)
    if isinstance(value, int | float):
        raise ValueError("write a time as RFC 3339 text, such as 2024-01-31T12:00:00Z")  # noqa: TRY004 - pydantic wants ValueError
    return value


def _in_utc(value: datetime) -> datetime:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    if not EARLIEST.year <= aware.year < LATEST.year:
        raise ValueError("the time must lie between the years 1900 and 2200")
    return aware.astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(_date_is_midnight), AfterValidator(_in_utc)]
"""A point in time: RFC 3339 in (a bare date is midnight, no zone is UTC), UTC out."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-]*$")]
"""A machine-readable word such as `user.login`."""
Pattern = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9_.:\-]*(\.\*)?)$")
]
"""A word, or a word with a trailing wildcard (`user.*`), or `*`."""
RefId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
JsonObject = dict[str, JsonValue]
Limit = Annotated[int, Field(ge=1, le=200)]


class Page(Answer, Generic[Item]):
    """One page of a list. Ask for the next with `cursor=next_cursor`; null means this was the last."""

    items: list[Item]
    next_cursor: str | None = None


class Work(Answer):
    """Where accepted work can be watched."""

    workflow_id: str
    workflow_url: str


class FieldProblem(Answer):
    """One field's fault."""

    field: str
    message: str
    code: str


class Problem(Answer):
    """Problem details (RFC 9457); `code` is stable, `correlation_id` finds the request in logs and traces."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []
    correlation_id: str | None = None


class Service(StrEnum):
    """The five front doors, and what serves them all."""

    AUDIT = "audit"
    NOTIFICATION = "notification"
    TASK = "task"
    COMPLIANCE = "compliance"
    EVENT = "event"
    PLATFORM = "platform"


class IntentKind(StrEnum):
    """What an intent asks of Temporal."""

    START = "start"
    CANCEL = "cancel"
    SIGNAL = "signal"


LAST_IN_LINE = 5
"""Temporal's lowest priority; the reconciler, too, keeps such intents after all others."""


class Intent(Answer):
    """A promise, committed with the row it is about, to reach Temporal. Deleted once kept."""

    intent_id: str
    kind: IntentKind = IntentKind.START
    tenant_id: str
    workflow_id: str
    workflow_type: str = ""
    queue: str = ""
    payload: dict[str, Any] = Field(default_factory=dict, description="the workflow's or the signal's one argument")
    signal: str = ""
    service: Service = Service.PLATFORM
    user_id: str = ""
    correlation_id: str = ""
    summary: str = Field("", description="static summary shown in Temporal's UI; ids only, no content")
    start_delay_seconds: float = 0
    priority: int = Field(0, description="Temporal's, 1 to 5; 0: the usual one, 3")


class DomainEvent(Answer):
    """A fact one of our services tells the world through the event store, in the transaction that made it true."""

    event_type: str
    source: str
    category: str = "system"
    payload: JsonObject = {}
    correlation_id: str | None = None
    causation_id: str | None = None


class AuditEntry(Answer):
    """A privileged action for the audit log, in the transaction that did it."""

    event_type: str
    actor_id: str
    action: str
    resource_type: str
    resource_id: str
    category: str = "configuration"
    severity: str = "info"
    metadata: JsonObject = {}
    correlation_id: str | None = None


# Names that Temporal sees.
QUEUE = "platform"
PUMP_RUN = "pump.run"
INTENTS_RECONCILE = "intents.reconcile"


class PumpName(StrEnum):
    """Every pump there is: one workflow `pump:<name>` and one activity `pump.<name>` each."""

    WEBHOOK_DISPATCH = "webhook.dispatch"
    EVENT_ROLLUP = "event.rollup"
    AUDIT_ROLLUP = "audit.rollup"


def pump_id(name: PumpName) -> str:
    """The id of a pump's supervising workflow."""
    return f"pump:{name.value}"


def pump_activity(name: PumpName) -> str:
    """The activity type that runs one turn of this pump."""
    return f"pump.{name.value}"


class PumpInput(Answer):
    """One turn of a pump: which one, and on whose queue its activity runs."""

    name: PumpName
    queue: str
    turn_seconds: int = 300


class PumpResult(Answer):
    """What one turn did."""

    rows: int = 0


class ReconcileInput(Answer):
    """How old (seconds) an intent must be before the reconciler keeps it."""

    older_than_seconds: float = 5
    limit: int = 500


class ReconcileResult(Answer):
    """How many intents were kept, and how many could not be yet."""

    kept: int = 0
    left: int = 0


OPS_TENANT, OPS_USER, OPS_CORRELATION_ID = "OpsTenant", "OpsUser", "OpsCorrelationId"
OPS_STATUS, OPS_SERVICE = "OpsStatus", "OpsService"
SEARCH_ATTRIBUTES = (OPS_TENANT, OPS_USER, OPS_CORRELATION_ID, OPS_STATUS, OPS_SERVICE)
