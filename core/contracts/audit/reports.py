"""Compliance reports: what is asked for, the figures inside, and what travels through Temporal."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from core.contracts.audit.events import Outcome, Severity, Until
from core.contracts.platform import Answer, Contract, JsonObject, Moment

LONGEST_PERIOD_DAYS = 3660
LISTED_EVENTS, LISTED_TYPES, LISTED_ACTORS = 1000, 50, 20

CREATE_EXAMPLE: JsonObject = {
    "standard": "GDPR",
    "period_start": "2024-01-01",
    "period_end": "2024-01-31",
    "include_details": True,
}


class Standard(StrEnum):
    """Standards a report can be held against."""

    GDPR = "GDPR"
    SOC2 = "SOC2"
    HIPAA = "HIPAA"
    PCI_DSS = "PCI_DSS"
    ISO27001 = "ISO27001"


class ReportStatus(StrEnum):
    """Where a report stands; the last two are final."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class DocumentFormat(StrEnum):
    """What is kept of a completed report besides its result."""

    HTML = "html"


class CreateReport(Contract):
    """A report over a period, both ends included."""

    model_config = ConfigDict(json_schema_extra={"examples": [CREATE_EXAMPLE]})

    standard: Standard
    period_start: Moment
    period_end: Annotated[Until, Field(description="a bare date takes in that whole day")]
    include_details: Annotated[
        bool, Field(description=f"also list the newest {LISTED_EVENTS} events that the controls rest on")
    ] = False

    @field_validator("period_end")
    @classmethod
    def _ordered(cls, end: datetime, info: ValidationInfo) -> datetime:
        start = info.data.get("period_start", end)
        if end < start:
            raise ValueError("must not lie before period_start")
        if (end - start).days > LONGEST_PERIOD_DAYS:
            raise ValueError(f"a period holds at most {LONGEST_PERIOD_DAYS} days")
        return end


class Count(Answer):
    """How often one value occurred."""

    name: str
    events: int


class DayCount(Answer):
    """One day (UTC) of the period; days without events are left out."""

    day: date
    events: int
    failures: int
    grave: Annotated[int, Field(description="of severity high or critical")]


class ActorCount(Answer):
    """One actor's part."""

    actor_id: str
    events: int
    last_activity: datetime


class Selected(Answer):
    """What the log holds of one kind of activity."""

    events: int = 0
    failures: Annotated[int, Field(description="events whose outcome is failure or denied")] = 0
    actors: int = 0
    last_activity: datetime | None = None


class Control(Selected):
    """One requirement of the standard, and the activity in the log that shows it at work."""

    reference: str
    title: str
    has_evidence: bool


class Section(Selected):
    """A closer look at one kind of activity."""

    key: str
    title: str
    top_actors: list[ActorCount] = Field(default_factory=list)
    by_type: list[Count] = Field(default_factory=list)


class Totals(Answer):
    """The whole period."""

    events: int = 0
    actors: int = 0
    event_types: int = 0
    failures: int = 0
    grave: int = 0


class AlertFigures(Answer):
    """Security alerts opened or closed within the period. Times to close are seconds."""

    opened: int = 0
    resolved: int = 0
    false_positive: int = 0
    open_at_end: int = 0
    by_severity: list[Count] = Field(default_factory=list)
    by_type: list[Count] = Field(default_factory=list)
    mean_seconds_to_close: float | None = None
    longest_seconds_to_close: float | None = None


class ListedEvent(Answer):
    """An event as a report lists it. Its metadata stays in the log, under its id."""

    event_id: str
    occurred_at: datetime
    event_type: str
    category: str
    severity: Severity
    outcome: Outcome
    actor_id: str
    resource_type: str | None = None
    resource_id: str | None = None
    action: str | None = None


class Details(Answer):
    """The events behind the controls, the newest first."""

    events: list[ListedEvent]
    truncated: Annotated[bool, Field(description="whether there are more than are listed")]


class ReportResult(Answer):
    """Everything a completed report says."""

    title: str
    counted_at: datetime
    totals: Totals
    controls: list[Control]
    sections: list[Section]
    alerts: AlertFigures
    by_category: list[Count]
    by_severity: list[Count]
    by_outcome: list[Count]
    by_type: Annotated[list[Count], Field(description=f"the {LISTED_TYPES} most frequent")]
    by_day: list[DayCount]
    top_actors: Annotated[list[ActorCount], Field(description=f"the {LISTED_ACTORS} most active")]
    details: Details | None = None


class Figures(Answer):
    """What is counted in one look at the log; `selected` and its companions are keyed by the selection's key."""

    totals: Totals
    by_category: list[Count] = Field(default_factory=list)
    by_severity: list[Count] = Field(default_factory=list)
    by_outcome: list[Count] = Field(default_factory=list)
    by_type: list[Count] = Field(default_factory=list)
    by_day: list[DayCount]
    top_actors: list[ActorCount]
    selected: dict[str, Selected]
    selected_actors: dict[str, list[ActorCount]]
    selected_types: dict[str, list[Count]]


class Selection(Answer):
    """Some kind of activity: events whose type or category is named and, if any is named, whose outcome is too."""

    key: str
    types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


class Failure(Answer):
    """Why a report could not be made; `code` is stable."""

    code: str
    message: str


class ReportHead(Answer):
    """What was asked for, and how far it is."""

    report_id: str
    standard: Standard
    period_start: datetime
    period_end: datetime
    include_details: bool
    status: ReportStatus
    requested_by: str
    correlation_id: str | None = None
    created_at: datetime
    completed_at: datetime | None = None
    failure: Failure | None = None


class ReportItem(ReportHead):
    """A report as a list shows it."""

    workflow_id: str
    workflow_url: str


class Report(ReportItem):
    """A report with what it says, once completed."""

    result: ReportResult | None = None


class ReportRef(Answer):
    """Which report: the argument of the workflow and its activities."""

    tenant_id: str
    report_id: str


class ReportFailure(Answer):
    """A report that cannot be made, and why."""

    report: ReportRef
    code: str
    message: str


class ReportBuilt(Answer):
    """How many events a finished report counted."""

    events: int
