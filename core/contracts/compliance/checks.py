"""One check: the request, the answer, and what a list of past checks can be asked."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from core.contracts.compliance.detection import CheckStatus, CheckType, DetectorResult, PiiEntity, RiskLevel
from core.contracts.compliance.policies import DEFAULT_POLICY
from core.contracts.platform import Answer, Contract, JsonObject, Name, RefId

MAX_CONTENT_BYTES = 100 * 1024
MAX_CHECK_BODY_BYTES = 1024 * 1024
SUPPORTED_CONTENT = ("text",)
COMPLIANCE_FLAGGED = "compliance.flagged"
CONTENT_KEY = "compliance.content"
"""The purpose of the key that texts are hashed under."""


CHECK_EXAMPLE: JsonObject = {
    "content": "User submitted text to check",
    "content_type": "text",
    "check_types": ["toxicity", "pii", "prompt_injection"],
}


def fits(content: str) -> str:
    """The same text, if it is no longer than a check takes."""
    size = len(content.encode())
    if size > MAX_CONTENT_BYTES:
        raise ValueError(f"holds {size} bytes of UTF-8; a check takes at most {MAX_CONTENT_BYTES}: send it in parts")
    return content


def known_type(value: object) -> object:
    """Refuse a word that is no type of check, naming it: whoever asks must not think that it was looked for."""
    known = [word.value for word in CheckType]
    if isinstance(value, str) and value not in known:
        raise ValueError(f"there is no check type {value[:50]!r}; known: {', '.join(known)}")
    return value


def without_repeats(types: list[CheckType]) -> list[CheckType]:
    """Each type once, in the order asked for."""
    return list(dict.fromkeys(types))


Content = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CONTENT_BYTES), AfterValidator(fits)]
"""A text to check: 1 byte to 100 KiB of UTF-8."""

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
    policy: Name = DEFAULT_POLICY
    correlation_id: RefId | None = None


class Check(Answer):
    """A check's outcome. The text is kept nowhere; its redacted form here only, unless the policy keeps it."""

    check_id: str
    status: CheckStatus
    risk_level: RiskLevel
    results: dict[CheckType, DetectorResult]
    policy: str
    policy_version: int
    content_type: str
    content_hash: str = Field(description="HMAC-SHA256 under a key of this installation: tells equal texts of a tenant")
    content_length: int = Field(description="characters (Unicode code points)")
    checked_by: str
    batch_id: str | None = None
    correlation_id: str | None = None
    created_at: datetime


class CheckRecord(Answer):
    """A check to write down."""

    check: Check
    keep_redacted: bool


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
