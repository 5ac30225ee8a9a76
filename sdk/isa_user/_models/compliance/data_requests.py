"""Results of data-subject requests."""

from datetime import datetime
from typing import Literal

from isa_user._models.base import Result, WorkResult

DataRequestKind = Literal["export", "erase"]
DataRequestStatus = Literal["pending", "approved", "running", "completed", "rejected", "cancelled", "expired"]


class DataRequestRows(Result):
    """The rows of one kind that a service held: exported, deleted or pseudonymised; `kept` says what stays, and why."""

    kind: str
    deed: str
    rows: int
    kept: str | None = None


class DataRequestService(Result):
    """How far one service is: pending, running or completed."""

    service: str
    status: str
    kinds: list[DataRequestRows]
    started_at: datetime | None = None
    finished_at: datetime | None = None


class DataRequestArtifact(Result):
    """The file of a completed export."""

    bytes: int
    expires_at: datetime
    available: bool


class DataRequest(WorkResult):
    """A person's data asked for, or its erasure. After an erasure `subject` is a pseudonym.

    What only a single request shows is None in lists.
    """

    request_id: str
    kind: str
    status: str
    subject: str
    reference: str | None = None
    requested_by: str
    decided_by: str | None = None
    due_at: datetime
    overdue: bool
    created_at: datetime
    decided_at: datetime | None = None
    finished_at: datetime | None = None
    email_addresses: list[str] | None = None
    phone_numbers: list[str] | None = None
    reason: str | None = None
    note: str | None = None
    four_eyes: bool | None = None
    correlation_id: str | None = None
    services: list[DataRequestService] | None = None
    artifact: DataRequestArtifact | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it, but for the end of its file."""
        return self.status not in ("pending", "approved", "running")
