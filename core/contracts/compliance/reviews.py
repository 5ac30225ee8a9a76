"""Reviews: checks that wait for a person; what that person may do, what comes of it, what the workflow is told."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from core.contracts.compliance.detection import CheckType, DetectorResult, RiskLevel
from core.contracts.platform import Answer, Contract

REVIEW_RUN = "compliance.review"
MOVE_REVIEW, NUDGE_REVIEW, EXPIRE_CLAIM = (
    "compliance.move_review",
    "compliance.nudge_review",
    "compliance.expire_claim",
)
REVIEW_CHANGED, REVIEW_STATE = "changed", "state"
"""The signal that tells a workflow of a move made in the database, and the query for what it knows."""
MAX_NOTE_CHARACTERS, MAX_STEPS_SHOWN = 2000, 200


def review_id_of(check_id: str) -> str:
    """The id of the one review that a check can have."""
    return f"review_{check_id.partition('_')[2]}"


def review_run_id(review_id: str) -> str:
    """The id of the workflow that waits for the decision."""
    return f"compliance.review:{review_id}"


def review_start_id(review_id: str) -> str:
    """The id of the promise to start it: a decision that comes first takes the promise back."""
    return f"intent_{review_id.partition('_')[2]}"


class ReviewStatus(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    APPROVED = "approved"
    REJECTED = "rejected"


class ReviewDecision(StrEnum):
    """What came of it. `approved`: the text may stand; `rejected`: it may not."""

    APPROVED = "approved"
    REJECTED = "rejected"


class ReviewAction(StrEnum):
    """What a person may do."""

    CLAIM = "claim"
    RELEASE = "release"
    APPROVE = "approve"
    REJECT = "reject"
    ESCALATE = "escalate"


class ReviewStepKind(StrEnum):
    """What happened to a review."""

    OPENED = "opened"
    CLAIMED = "claimed"
    RELEASED = "released"
    CLAIM_EXPIRED = "claim_expired"
    APPROVED = "approved"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    REMINDED = "reminded"
    OVERDUE = "overdue"


DECISION_OF = {ReviewAction.APPROVE: ReviewDecision.APPROVED, ReviewAction.REJECT: ReviewDecision.REJECTED}
# What the event store is told; the audit log has the same words for what a person decided.
REVIEW_EVENTS: dict[ReviewStepKind, str] = {
    kind: f"compliance.review_{kind.value}"
    for kind in ReviewStepKind
    if kind not in (ReviewStepKind.CLAIM_EXPIRED, ReviewStepKind.REMINDED)
}


class Refusal(StrEnum):
    """Why a review does not allow a move: the code of the answer, after `compliance.` the type of the failed update."""

    DECIDED = "review_decided"
    CLAIMED = "review_claimed"
    NOT_CLAIMED = "review_not_claimed"
    NOT_YOURS = "review_not_yours"
    VOTED = "review_voted"


Note = Annotated[str, StringConstraints(max_length=MAX_NOTE_CHARACTERS)]
Labels = Annotated[
    dict[CheckType, bool],
    Field(max_length=len(CheckType), description="by type of check, whether its detector was right about this text"),
]


class DecideReview(Contract):
    """A decision. Of types that `labels` leaves out, findings were right if the text is rejected, else wrong."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"note": "Quoted, not meant.", "labels": {"toxicity": False}}]}
    )

    note: Note | None = None
    labels: Labels = Field(default_factory=dict)


class EscalateReview(Contract):
    """A call for help: whoever is told of escalations is told of this one, and the claim ends."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"note": "Legal should see this.", "second_reviewer": True}]}
    )

    note: Note | None = None
    second_reviewer: bool = Field(False, description="from now on two different people must agree")


class ReviewRef(Answer):
    """The review of a check."""

    review_id: str
    status: ReviewStatus
    decision: ReviewDecision | None = Field(None, description="null while it waits")


class Vote(Answer):
    """What one reviewer decided; `labels` as given."""

    by: str
    decision: ReviewDecision
    at: datetime
    labels: dict[CheckType, bool] = Field(default_factory=dict)


class ReviewStep(Answer):
    """One thing that happened. `by`: who did it, or whose claim expired; null where the clock did it."""

    kind: ReviewStepKind
    by: str | None
    note: str | None = None
    told: list[str] | None = Field(None, description="who was notified")
    at: datetime


class ReviewItem(Answer):
    """A review as a list shows it."""

    review_id: str
    check_id: str
    status: ReviewStatus
    decision: ReviewDecision | None
    check_types: list[CheckType] = Field(description="the types with findings")
    risk_level: RiskLevel
    policy: str
    policy_version: int
    checked_by: str = Field(description="who asked for the check")
    claimed_by: str | None
    claimed_at: datetime | None
    claim_expires_at: datetime | None
    second_reviewer: bool = Field(description="whether two different people must agree")
    escalated_at: datetime | None
    opened_at: datetime
    due_at: datetime
    overdue: bool = Field(description="whether it waits past `due_at`")
    decided_by: str | None
    decided_at: datetime | None
    correlation_id: str | None
    workflow_id: str
    workflow_url: str


class Review(ReviewItem):
    """A review with what there is to see of its text, and all that happened."""

    results: dict[CheckType, DetectorResult] = Field(description="with the redacted text, if the policy keeps it")
    content_type: str
    content_length: int
    content_hash: str
    votes: list[Vote]
    steps: list[ReviewStep] = Field(description=f"oldest first; of more than {MAX_STEPS_SHOWN}, the newest")


class ReviewFilter(Answer):
    """Which reviews a list shows. `due_first`: only those that wait, the most urgent first."""

    status: ReviewStatus | None = None
    check_type: CheckType | None = None
    claimed_by: str | None = None
    overdue: bool | None = None
    escalated: bool | None = None
    due_first: bool = False


class ReviewLabel(Answer):
    """What a person said of one detector and one text: a line of the export."""

    review_id: str
    check_id: str
    content_hash: str
    redacted: str | None = Field(description="the text as redacted, if the policy keeps it")
    check_type: CheckType
    detector: str | None
    detector_version: str | None
    score: float | None
    flagged: bool
    right: bool = Field(description="whether the detector was right")
    label: int = Field(description="1: the text is of this type; 0: it is not")
    given: bool = Field(description="false: concluded from the decision")
    decision: ReviewDecision
    decided_by: str
    at: datetime


class DetectorFigures(Answer):
    """How right one version of a detector was, by the decisions on its texts."""

    check_type: CheckType
    detector: str
    detector_version: str
    confirmed: int = Field(0, description="findings that were right")
    false_positives: int = Field(0, description="findings that were wrong")
    missed: int = Field(0, description="nothing found, and that was wrong")
    cleared: int = Field(0, description="nothing found, and that was right")
    precision: float | None = Field(None, description="confirmed / (confirmed + false_positives)")


class ReviewStats(Answer):
    """The queue as it is now, and what was decided in these days (UTC, both included; null: without limit)."""

    first_day: date | None = Field(serialization_alias="from")
    last_day: date | None = Field(serialization_alias="to")
    waiting: int = Field(description="now")
    overdue: int = Field(description="now")
    opened: int
    decided: int
    approved: int
    rejected: int
    late: int = Field(description="decided after their due time")
    escalated: int
    median_minutes: float | None = Field(description="from opening to decision, within 3 %")
    detectors: list[DetectorFigures]


class ReviewFigure(StrEnum):
    """What is counted a day; the words of each are given in brackets."""

    WAITING = "waiting"
    OPENED = "opened"
    DECIDED = "decided"
    LATE = "late"
    ESCALATED = "escalated"
    SECONDS = "seconds"
    POLICY = "policy"
    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false_positive"
    MISSED = "missed"
    CLEARED = "cleared"


# ---- what Temporal sees: ids, words and times only; a note goes through the front door


class ReviewState(Answer):
    """What the workflow knows of its row; of two, the one with the higher revision counts."""

    revision: int = 0
    status: ReviewStatus = ReviewStatus.OPEN
    claimed_by: str | None = None
    claim_expires_at: datetime | None = None
    escalated: bool = False
    second_reviewer: bool = False
    voted: list[str] = Field(default_factory=list)
    nudged: int = Field(0, description="how many of the steps up to its escalation the clock has taken")


class ReviewInput(Answer):
    """Whose review, which, by when; and what an earlier run of the same workflow knew."""

    tenant_id: str
    review_id: str
    opened_at: datetime
    due_at: datetime
    state: ReviewState = ReviewState()


class MoveUpdate(Answer):
    """An operator's update: who moves. `admin`: also where somebody else holds the claim."""

    by: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    admin: bool = False
    labels: dict[CheckType, bool] = Field(default_factory=dict)
    second_reviewer: bool = False


class MoveWork(Answer):
    """One move to make; made once, however often it is tried."""

    tenant_id: str
    review_id: str
    move_id: str
    action: ReviewAction
    update: MoveUpdate


class NudgeWork(Answer):
    """The clock's next step for a review: reminder, overdue, reminder."""

    tenant_id: str
    review_id: str
    nudge: int


class ExpireWork(Answer):
    """The claim that is over, told by its end: one that came later is left alone."""

    tenant_id: str
    review_id: str
    claim_expires_at: datetime
