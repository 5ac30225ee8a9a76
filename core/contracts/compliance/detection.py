"""What detectors look for and what they find; the words for outcome, risk and consequence."""

from enum import StrEnum

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from core.contracts.platform import Answer


class CheckType(StrEnum):
    """What a check can look for."""

    TOXICITY = "toxicity"
    PII = "pii"
    PROMPT_INJECTION = "prompt_injection"
    NSFW = "nsfw"
    SPAM = "spam"


class PiiEntity(StrEnum):
    """Kinds of personal data. Redaction writes the word in capitals: `[EMAIL]`."""

    EMAIL = "email"
    PHONE = "phone"
    SSN = "ssn"
    CREDIT_CARD = "credit_card"
    ADDRESS = "address"
    IP_ADDRESS = "ip_address"
    IBAN = "iban"
    PASSPORT = "passport"
    DATE_OF_BIRTH = "date_of_birth"
    PERSON = "person"
    SECRET = "secret"


class RedactionStyle(StrEnum):
    """What a finding is replaced by; `core.domain.compliance.redaction` has the rules."""

    LABEL = "label"
    MASK = "mask"
    HASH = "hash"
    PSEUDONYM = "pseudonym"
    REMOVE = "remove"


class CheckStatus(StrEnum):
    """A check's outcome; `core.domain.compliance` has the rule."""

    PASSED = "passed"
    FLAGGED = "flagged"
    BLOCKED = "blocked"
    REVIEW = "review"
    INCOMPLETE = "incomplete"


class RiskLevel(StrEnum):
    """How much harm the findings can do; `core.domain.compliance` has the table."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Action(StrEnum):
    """What a policy does when a type of check finds something."""

    ALLOW = "allow"
    FLAG = "flag"
    REDACT = "redact"
    REVIEW = "review"
    BLOCK = "block"


class Span(Answer):
    """One finding in a text. Offsets count Unicode code points (Python's str indices); `end` is exclusive."""

    entity: PiiEntity
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    score: float = Field(ge=0, le=1)
    path: str | None = Field(
        None, description="what holds it in structured content: `$.user.email`, `comment`; null: the text itself"
    )
    redacted_start: int | None = Field(None, ge=0, description="where its replacement begins in `redacted`")
    redacted_end: int | None = Field(None, ge=0, description="where its replacement ends in `redacted`; exclusive")


class Passage(Answer):
    """A part of a text that made a classifier speak up. Offsets and path as in `Span`."""

    start: int = Field(ge=0)
    end: int = Field(gt=0)
    score: float = Field(ge=0, le=1)
    path: str | None = None


class DetectorResult(Answer):
    """What one detector says of one text. Fields that do not apply are null and left out of answers.

    An unavailable result carries no judgement: neither `flagged` nor a score.
    """

    available: bool = True
    reason: str | None = Field(None, description="why a detector gave no judgement, as a stable word")
    flagged: bool | None = None
    score: float | None = Field(
        None, ge=0, le=1, description="confidence in the strongest finding; 0 when nothing was found"
    )
    threshold: float | None = Field(None, ge=0, le=1, description="findings below it are dropped")
    detected: list[PiiEntity] | None = Field(None, description="kinds found, in the order of their first appearance")
    redacted: str | None = Field(None, description="the text with each finding replaced by its kind")
    spans: list[Span] | None = None
    passages: list[Passage] | None = Field(None, description="where a classifier found it, worst first")
    reasons: list[str] | None = Field(None, description="what spoke for a finding, as stable words")
    language: str | None = Field(None, description="ISO 639-1, where the language kept a detector from judging")
    detector: str | None = None
    detector_version: str | None = None
    latency_ms: float | None = Field(None, ge=0, description="time this text took, in milliseconds")

    @model_serializer(mode="wrap")
    def _leave_out_nulls(self, handler: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]  # an annotated return would replace the fields in the OpenAPI document
        return {name: value for name, value in handler(self).items() if value is not None}
