"""One check: the request, the answer, and what a list of past checks can be asked."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from core.contracts.compliance.detection import CheckStatus, CheckType, DetectorResult, PiiEntity, RiskLevel
from core.contracts.compliance.policies import DEFAULT_CONTENT_BYTES, MAX_POLICY_CONTENT_BYTES, Category, PolicySource
from core.contracts.compliance.reviews import ReviewRef
from core.contracts.platform import Answer, Contract, Intent, JsonObject, Name, RefId

MAX_CONTENT_BYTES = DEFAULT_CONTENT_BYTES
MAX_CHECK_BODY_BYTES = 1024 * 1024
SUPPORTED_CONTENT = ("text", "prompt", "html", "markdown", "json")
BLOCK_LIST, ALLOW_LIST = "block_list", "allow_list"
"""Reasons that a policy's lists give."""
COMPLIANCE_FLAGGED = "compliance.flagged"
CONTENT_KEY = "compliance.content"
"""The purpose of the key that texts are hashed under."""


CHECK_EXAMPLE: JsonObject = {
    "content": "User submitted text to check",
    "content_type": "text",
    "check_types": ["toxicity", "pii", "prompt_injection"],
}


def known_type(value: object) -> object:
    """Refuse a word that is no type of check, naming it: whoever asks must not think that it was looked for."""
    known = [word.value for word in CheckType]
    if isinstance(value, str) and value not in known:
        raise ValueError(f"there is no check type {value[:50]!r}; known: {', '.join(known)}")
    return value


def without_repeats(types: list[CheckType]) -> list[CheckType]:
    """Each type once, in the order asked for."""
    return list(dict.fromkeys(types))


Content = Annotated[str, StringConstraints(min_length=1, max_length=MAX_POLICY_CONTENT_BYTES)]
"""A text to check. How long it may be, the policy says: 100 KiB of UTF-8 unless it says otherwise, 1 MiB at most."""

CheckTypes = Annotated[
    list[Annotated[CheckType, BeforeValidator(known_type)]],
    Field(min_length=1, max_length=20, description="what to look for; all five when left out"),
    AfterValidator(without_repeats),
]
ContentType = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""Open on purpose: a kind of content that nobody here reads is 415, not a broken rule."""


def all_types() -> list[CheckType]:
    """Every type of check."""
    return list(CheckType)


class CheckRequest(Contract):
    """A text to check."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHECK_EXAMPLE]})

    content: Content
    content_type: ContentType = "text"
    check_types: CheckTypes = Field(default_factory=all_types)
    policy: Name | None = Field(None, description="left out: the one assigned to the caller, the category, the tenant")
    category: Category | None = Field(None, description="what kind of text this is, in a word of your own")
    correlation_id: RefId | None = None


class Check(Answer):
    """A check's outcome. The text is kept nowhere; its redacted form here only, unless the policy keeps it."""

    check_id: str
    status: CheckStatus
    risk_level: RiskLevel
    results: dict[CheckType, DetectorResult]
    reasons: list[str] = Field(
        default_factory=list, description="block_list, allow_list: what the policy's lists had to say"
    )
    policy: str
    policy_version: int
    policy_source: PolicySource = Field(PolicySource.REQUEST, description="why this policy: what named it")
    category: str | None = None
    cached: bool = Field(False, description="whether the detectors' findings are those of an earlier check")
    cached_from: str | None = Field(None, description="that check's id")
    cached_age_seconds: float | None = Field(None, description="how old they were")
    content_type: str
    content_hash: str = Field(description="HMAC-SHA256 under a key of this installation: tells equal texts of a tenant")
    content_length: int = Field(description="characters (Unicode code points)")
    checked_by: str
    batch_id: str | None = None
    review: ReviewRef | None = Field(None, description="status `review`: where the check waits for a person")
    correlation_id: str | None = None
    created_at: datetime


class CheckRecord(Answer):
    """A check to write down."""

    check: Check
    keep_redacted: bool
    start: Intent | None = Field(None, description="what starts its review, once the check is written")


class KnownContent(Answer):
    """What an earlier check must have in common with a new one for its findings to be used again.

    `checked_by`: only a check of this caller's; None: anybody's of the tenant.
    """

    content_hash: str
    content_type: str
    check_types: list[CheckType]
    policy: str
    policy_version: int
    checked_by: str | None
    since: datetime


class CheckFilter(Answer):
    """Which past checks a list shows. Times are inclusive below and exclusive above."""

    status: CheckStatus | None = None
    risk_level: RiskLevel | None = None
    check_type: CheckType | None = None
    entity: PiiEntity | None = None
    policy: str | None = None
    checked_by: str | None = None
    batch_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
