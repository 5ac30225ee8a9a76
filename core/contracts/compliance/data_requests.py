"""Data-subject requests (GDPR art. 15, 17, 20): the request, the answer, the workflow's payloads and names."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from core.contracts.platform import Answer, Contract, JsonObject, RefId, Service

DATA_REQUEST_RUN, DATA_REQUESTS_EXPIRE = "compliance.data_request", "compliance.data_requests_expire"
BEGIN_DATA_REQUEST, REMIND_DATA_REQUEST = "compliance.begin_data_request", "compliance.remind_data_request"
COLLECT_SUBJECT, ERASE_SUBJECT = "compliance.collect_subject", "compliance.erase_subject"
FINISH_DATA_REQUEST, EXPIRE_ARTIFACTS = "compliance.finish_data_request", "compliance.expire_artifacts"
DECIDED, DATA_REQUEST_PROGRESS = "decided", "progress"

SERVICES = (Service.TASK, Service.NOTIFICATION, Service.COMPLIANCE, Service.AUDIT, Service.EVENT)
"""In the order they are erased: what an earlier one still tells the logs, the logs' own turn takes in."""
MANIFEST = "manifest"
PARTS = (MANIFEST, *SERVICES)
"""In the order of the file of an export."""
ARTIFACT_KEY = "data-request"
"""What the key is for that artifacts are sealed under."""
DEFAULT_DUE_DAYS, MAX_DUE_DAYS = 30, 90
"""One month (GDPR art. 12(3)), which may be extended by two."""
MAX_ADDRESSES = 20

EXAMPLE: JsonObject = {
    "kind": "export",
    "subject": "user_123",
    "email_addresses": ["ann@example.com"],
    "reason": "Asked for by letter",
    "reference": "DSR-2024-017",
    "due_days": 30,
}


def data_request_id(request_id: str) -> str:
    """The id of the workflow that carries this request out."""
    return f"compliance.data_request:{request_id}"


class RequestKind(StrEnum):
    """What the subject has a right to: a copy of their data (art. 15, 20), or its erasure (art. 17)."""

    EXPORT = "export"
    ERASE = "erase"


class RequestStatus(StrEnum):
    """How far a request is. `expired`: an export that was completed and whose artifact is deleted."""

    PENDING = "pending"
    APPROVED = "approved"
    RUNNING = "running"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


OPEN = (RequestStatus.PENDING, RequestStatus.APPROVED, RequestStatus.RUNNING)


class Verb(StrEnum):
    """Every step of a request: the last word of its audit entry and of its domain event."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    OVERDUE = "overdue"
    COLLECTED = "collected"
    ERASED = "erased"
    COMPLETED = "completed"
    DOWNLOADED = "downloaded"
    EXPIRED = "expired"


class StepStatus(StrEnum):
    """How far one service is with a request."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"


class Deed(StrEnum):
    """What became of the rows of one kind."""

    EXPORTED = "exported"
    DELETED = "deleted"
    PSEUDONYMISED = "pseudonymised"


def _without_repeats(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


Address = Annotated[str, StringConstraints(min_length=5, max_length=320, strip_whitespace=True)]
Addresses = Annotated[list[Address], Field(max_length=MAX_ADDRESSES), AfterValidator(_without_repeats)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class DataRequestBody(Contract):
    """One person's data, to be handed out or erased in all five services."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    kind: RequestKind
    subject: RefId | None = Field(None, description="the user id whose data is meant; the caller's own when left out")
    email_addresses: Addresses = Field([], description="also find what names the person by these")
    phone_numbers: Addresses = Field([], description="also find what names the person by these, as they are written")
    reason: Note | None = None
    reference: RefId | None = Field(None, description="the number of the case or ticket; stays after an erasure")
    due_days: int = Field(DEFAULT_DUE_DAYS, ge=1, le=MAX_DUE_DAYS, description="days until the answer is due")


class Decision(Contract):
    """Why a request was approved, rejected or cancelled."""

    note: Note | None = None


class KindResult(Answer):
    """The rows of one kind that a service held."""

    kind: str = Field(description="the table, such as audit.events")
    deed: Deed
    rows: int = 0
    kept: str | None = Field(None, description="what stays of them, and on what ground")


class ServiceProgress(Answer):
    """How far one service is, with what it found."""

    service: Service
    status: StepStatus
    kinds: list[KindResult] = Field(default_factory=list)
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Artifact(Answer):
    """The file of a completed export."""

    bytes: int = Field(description="the length of the file")
    expires_at: datetime
    available: bool


class DataRequestItem(Answer):
    """A request as a list shows it. After an erasure `subject` is the pseudonym that stands for the person."""

    request_id: str
    kind: RequestKind
    status: RequestStatus
    subject: str
    reference: str | None
    requested_by: str
    decided_by: str | None
    due_at: datetime
    overdue: bool = Field(description="not answered although it is due")
    created_at: datetime
    decided_at: datetime | None
    finished_at: datetime | None
    workflow_id: str
    workflow_url: str


class DataRequest(DataRequestItem):
    """A request with all that is known of it."""

    email_addresses: list[str]
    phone_numbers: list[str]
    reason: str | None
    note: str | None = Field(description="what was said with the decision")
    four_eyes: bool = Field(description="whether somebody other than the requester must approve")
    correlation_id: str | None
    services: list[ServiceProgress]
    artifact: Artifact | None = Field(description="of a completed export")


class RequestFilter(Answer):
    """Which requests a list shows. `subjects`: the user id, and the pseudonym it has after an erasure."""

    kind: RequestKind | None = None
    status: RequestStatus | None = None
    subjects: list[str] | None = None
    requested_by: str | None = None
    overdue: bool | None = None


# ---- what the workflow hands around: ids, counts, statuses


class DataRequestInput(Answer):
    """Whose request, and which."""

    tenant_id: str
    request_id: str


class Standing(Answer):
    """Where a request stands when its workflow looks."""

    kind: RequestKind = RequestKind.EXPORT
    status: RequestStatus
    due_at: datetime


class ServiceInput(DataRequestInput):
    """One service's part of a request."""

    service: Service


class ServiceOutcome(Answer):
    """How many rows one service handed out or changed."""

    service: Service
    rows: int = 0


class DataRequestOutcome(Answer):
    """What the workflow answers, and what its query shows."""

    request_id: str
    status: RequestStatus = RequestStatus.PENDING
    rows: dict[str, int] = Field(default_factory=dict, description="by service, as each is done")


class Nothing(Answer):
    """The payload of a signal that needs none."""


class ExpireInput(Answer):
    """How many artifacts are looked up at a time, until none is left."""

    limit: int = 100


class Expired(Answer):
    """How many artifacts were deleted."""

    artifacts: int = 0
