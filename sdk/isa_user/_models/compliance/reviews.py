"""The review queue."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from isa_user._models.base import Result, WorkResult
from isa_user._models.compliance.checks import DetectorResult

ReviewStatus = Literal["open", "claimed", "approved", "rejected"]


class ReviewItem(WorkResult):
    """A check that waits for a person, or waited. `decision` is approved (the text may stand), rejected, or None."""

    review_id: str
    check_id: str
    status: str
    decision: str | None
    check_types: list[str]
    risk_level: str
    policy: str
    policy_version: int
    checked_by: str
    claimed_by: str | None
    claimed_at: datetime | None
    claim_expires_at: datetime | None
    second_reviewer: bool
    escalated_at: datetime | None
    opened_at: datetime
    due_at: datetime
    overdue: bool
    decided_by: str | None
    decided_at: datetime | None
    correlation_id: str | None

    @property
    def decided(self) -> bool:
        """Whether nothing is left to do."""
        return self.decision is not None


class ReviewVote(Result):
    """What one reviewer decided."""

    by: str
    decision: str
    at: datetime
    labels: dict[str, bool] = Field(default_factory=dict)


class ReviewStep(Result):
    """One thing that happened. `by` is None where the clock did it; `told`: who was notified."""

    kind: str
    by: str | None
    note: str | None = None
    told: list[str] | None = None
    at: datetime


class Review(ReviewItem):
    """A review with its findings, the redacted text in `results["pii"]` if the policy keeps it, and its history."""

    results: dict[str, DetectorResult]
    content_type: str
    content_length: int
    content_hash: str
    votes: list[ReviewVote]
    steps: list[ReviewStep]


class DetectorFigures(Result):
    """How right one version of a detector was, by the decisions on its texts."""

    check_type: str
    detector: str
    detector_version: str
    confirmed: int
    false_positives: int
    missed: int
    cleared: int
    precision: float | None


class ReviewStats(Result):
    """The queue now (`waiting`, `overdue`), and what was decided in the days asked for."""

    first_day: date | None = Field(alias="from")
    last_day: date | None = Field(alias="to")
    waiting: int
    overdue: int
    opened: int
    decided: int
    approved: int
    rejected: int
    late: int
    escalated: int
    median_minutes: float | None
    detectors: list[DetectorFigures]
