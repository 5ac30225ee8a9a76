"""What all results share: tolerance of newer servers, and the shape of an error answer."""

from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Moment = datetime | date | str
"""A point in time as calls take it: RFC 3339 text or the objects; a bare date is midnight, no zone is UTC."""

Priority = Literal["low", "normal", "high", "urgent"]


class Result(BaseModel):
    """A typed answer. Fields that a newer server adds are kept and readable as attributes."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


class WorkResult(Result):
    """An answer about work that runs as a workflow; `workflow_url` opens it in the Temporal UI."""

    workflow_id: str
    workflow_url: str


class BatchAccepted(Result):
    """All items of a batch were committed; `event_ids` are in the order of the items."""

    accepted: int
    event_ids: list[str]


class FieldError(Result):
    """One value that was refused. `field` is its path in the request, like `events[3].event_type`."""

    field: str = ""
    message: str = ""
    code: str = ""


class Problem(Result):
    """Problem details, RFC 9457, with the platform's additions."""

    type: str | None = None
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    code: str | None = None
    errors: list[FieldError] = Field(default_factory=list)
    correlation_id: str | None = None


Item = TypeVar("Item", bound=Result)


class Listing(Result, Generic[Item]):
    """A page as it comes over the wire; callers get a `Page` that knows the way on."""

    items: list[Item]
    next_cursor: str | None = None
