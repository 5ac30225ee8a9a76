"""Re-scores: past checks judged again by another policy, a draft of one, or newer detectors; nothing is changed."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from core.contracts.compliance.detection import CheckStatus, CheckType
from core.contracts.compliance.policies import PolicyName, PolicySettings
from core.contracts.platform import Answer, Contract, JsonObject, Moment, RefId

RESCORE_RUN, RESCORE_CHUNK, RESCORE_PROGRESS = "compliance.rescore", "compliance.rescore_chunk", "progress"
RESCORE_COMPLETED, RESCORE_CANCELLED = "compliance.rescore_completed", "compliance.rescore_cancelled"
MAX_RESCORED, DEFAULT_RESCORED = 100_000, 1_000
MAX_EXAMPLES, DEFAULT_EXAMPLES = 100, 20

RESCORE_EXAMPLE: JsonObject = {
    "draft": {"rules": {"toxicity": {"action": "block", "threshold": 0.9}}},
    "from": "2024-01-01",
    "limit": 500,
}


def rescore_run_id(rescore_id: str) -> str:
    """The id of the workflow that judges these checks again."""
    return f"compliance.rescore:{rescore_id}"


class RescoreStatus(StrEnum):
    """How far a re-score is."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class RescoreRequest(Contract):
    """Which past checks to judge again, and by what."""

    model_config = ConfigDict(json_schema_extra={"examples": [RESCORE_EXAMPLE]})

    policy: PolicyName | None = Field(None, description="a policy's name")
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="which of its versions; null: the present one"
    )
    draft: PolicySettings | None = Field(None, description="instead of `policy`: one that is not made yet")
    run_detectors: bool = Field(
        True, description="true: detectors run on the redacted text; false: only the scores that were kept are judged"
    )
    of_policy: PolicyName | None = Field(None, description="only checks that this policy judged")
    since: Moment | None = Field(None, alias="from", description="inclusive")
    until: Moment | None = Field(None, alias="to", description="exclusive")
    limit: Annotated[int, Field(ge=1, le=MAX_RESCORED, description="the newest so many checks")] = DEFAULT_RESCORED
    examples: Annotated[int, Field(ge=0, le=MAX_EXAMPLES, description="how many changed checks to name")] = (
        DEFAULT_EXAMPLES
    )
    correlation_id: RefId | None = None

    @model_validator(mode="after")
    def _one_policy(self) -> "RescoreRequest":
        if (self.policy is None) == (self.draft is None):
            raise ValueError("give either policy or draft")
        if self.version is not None and self.policy is None:
            raise ValueError("version goes with policy")
        return self


class StatusMove(Answer):
    """So many checks that had one status would have another, or the same."""

    before: CheckStatus
    after: CheckStatus
    count: int


class TypeFlips(Answer):
    """Checks in which a type would be flagged anew, or no longer."""

    newly_flagged: int = 0
    no_longer_flagged: int = 0


class ChangedCheck(Answer):
    """A check that would have another outcome."""

    check_id: str
    before: CheckStatus
    after: CheckStatus
    newly_flagged: list[CheckType] = Field(default_factory=list)
    no_longer_flagged: list[CheckType] = Field(default_factory=list)


class RescoreFigures(Answer):
    """What would change, so far."""

    rescored: int = 0
    changed: int = Field(0, description="checks with another status")
    moves: list[StatusMove] = Field(default_factory=list)
    by_type: dict[CheckType, TypeFlips] = Field(default_factory=dict)
    examples: list[ChangedCheck] = Field(default_factory=list)


class Rescore(Answer):
    """A re-score and what it found so far."""

    rescore_id: str
    status: RescoreStatus
    policy: str | None = Field(description="null: a draft")
    policy_version: int | None
    draft: PolicySettings | None
    run_detectors: bool
    of_policy: str | None
    since: datetime | None = Field(serialization_alias="from")
    until: datetime | None = Field(serialization_alias="to")
    limit: int
    total: int = Field(description="checks to judge again")
    percent: int
    result: RescoreFigures
    requested_by: str
    correlation_id: str | None
    created_at: datetime
    finished_at: datetime | None
    workflow_id: str
    workflow_url: str


class RescoreInput(Answer):
    """Whose re-score, and which; `rescored` counts what an earlier run of the same workflow did."""

    tenant_id: str
    rescore_id: str
    rescored: int = 0


class RescoreChunk(Answer):
    """What one chunk did, and how many checks are left."""

    rescored: int = 0
    left: int = 0


class RescoreOutcome(Answer):
    """What the workflow answers, and its query tells meanwhile: counts only."""

    rescore_id: str
    rescored: int = 0
    left: int = 0
