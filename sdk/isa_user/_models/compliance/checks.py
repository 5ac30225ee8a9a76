"""What detectors find, and checks."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from isa_user._models.base import Result

CheckType = Literal["toxicity", "pii", "prompt_injection", "nsfw", "spam"]
CheckStatus = Literal["passed", "flagged", "blocked", "review", "incomplete"]
RiskLevel = Literal["none", "low", "medium", "high", "critical"]
PiiEntity = Literal[
    "email", "phone", "ssn", "credit_card", "address", "ip_address", "iban",
    "passport", "date_of_birth", "person", "secret",
]  # fmt: skip


class Span(Result):
    """One finding in the text. Offsets count Unicode code points; `end` is exclusive."""

    entity: str
    start: int
    end: int
    score: float
    path: str | None = None
    redacted_start: int | None = None
    redacted_end: int | None = None


class Passage(Result):
    """A part of the text that made a classifier speak up. Offsets as in `Span`."""

    start: int
    end: int
    score: float
    path: str | None = None


class DetectorResult(Result):
    """What one detector says. With `available` False it gave no judgement, for the `reason` named."""

    available: bool = True
    reason: str | None = None
    flagged: bool | None = None
    score: float | None = None
    threshold: float | None = None
    detected: list[str] | None = None
    redacted: str | None = None
    spans: list[Span] | None = None
    passages: list[Passage] | None = None
    reasons: list[str] | None = None
    language: str | None = None
    detector: str | None = None
    detector_version: str | None = None
    latency_ms: float | None = None


class ReviewRef(Result):
    """The review that a check waits for, or waited for; `decision` is None until a person has decided."""

    review_id: str
    status: str
    decision: str | None


class Check(Result):
    """One text's outcome; `results` has an entry for each type that was asked for.

    `content_hash` tells equal texts of a tenant, `content_length` counts characters; lists lack spans and redactions.
    `reasons` tells of hits in the policy's lists, `policy_source` why this policy judged; `cached`: the findings are
    those of the check `cached_from`.
    """

    check_id: str
    status: str
    risk_level: str
    results: dict[str, DetectorResult]
    reasons: list[str] = Field(default_factory=list)
    policy: str
    policy_version: int
    policy_source: str | None = None
    category: str | None = None
    cached: bool = False
    cached_from: str | None = None
    cached_age_seconds: float | None = None
    content_type: str
    content_hash: str
    content_length: int
    checked_by: str
    batch_id: str | None = None
    review: ReviewRef | None = None
    correlation_id: str | None = None
    created_at: datetime
