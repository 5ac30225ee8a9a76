"""Policies: what a finding leads to, for each type of check; and the three that every tenant has."""

from pydantic import Field

from core.contracts.compliance.detection import Action, CheckType, PiiEntity, RedactionStyle
from core.contracts.platform import Answer

DEFAULT_POLICY = "default"


class TypeRule(Answer):
    """What a policy says about one type of check."""

    action: Action = Field(description="what a finding leads to; allow: it is told and changes nothing")
    threshold: float | None = Field(
        None, ge=0, le=1, description="least score of a finding; null: the threshold the detector ships with"
    )
    entities: list[PiiEntity] | None = Field(None, description="pii: the kinds that count; null: every kind")
    redaction: RedactionStyle | None = Field(
        None, description="pii: what findings are replaced by; null: their kind in capitals, `[EMAIL]`"
    )


class Policy(Answer):
    """Rules for all types of checks. A version never changes: a changed policy is a new version."""

    name: str
    version: int
    description: str
    built_in: bool
    keep_redacted: bool = Field(description="whether a check keeps the text as redacted; the text itself is never kept")
    rules: dict[CheckType, TypeRule]


BUILT_IN_POLICIES = {
    policy.name: policy
    for policy in (
        Policy(
            name=DEFAULT_POLICY,
            version=1,
            description="Tell what was found: personal data is redacted in the answer, everything else is flagged.",
            built_in=True,
            keep_redacted=False,
            rules={
                CheckType.TOXICITY: TypeRule(action=Action.FLAG),
                CheckType.PII: TypeRule(action=Action.REDACT),
                CheckType.PROMPT_INJECTION: TypeRule(action=Action.FLAG),
                CheckType.NSFW: TypeRule(action=Action.FLAG),
                CheckType.SPAM: TypeRule(action=Action.FLAG),
            },
        ),
        Policy(
            name="strict",
            version=1,
            description="Let nothing doubtful through: every finding blocks, at lower thresholds than usual.",
            built_in=True,
            keep_redacted=False,
            rules={
                CheckType.TOXICITY: TypeRule(action=Action.BLOCK, threshold=0.3),
                CheckType.PII: TypeRule(action=Action.BLOCK),
                CheckType.PROMPT_INJECTION: TypeRule(action=Action.BLOCK, threshold=0.3),
                CheckType.NSFW: TypeRule(action=Action.BLOCK, threshold=0.3),
                CheckType.SPAM: TypeRule(action=Action.BLOCK, threshold=0.3),
            },
        ),
        Policy(
            name="chat",
            version=1,
            description="For conversations: attacks and adult content are blocked, harsh words go to review.",
            built_in=True,
            keep_redacted=True,
            rules={
                CheckType.TOXICITY: TypeRule(action=Action.REVIEW, threshold=0.7),
                CheckType.PII: TypeRule(
                    action=Action.REDACT, entities=[kind for kind in PiiEntity if kind is not PiiEntity.IP_ADDRESS]
                ),
                CheckType.PROMPT_INJECTION: TypeRule(action=Action.BLOCK),
                CheckType.NSFW: TypeRule(action=Action.BLOCK, threshold=0.7),
                CheckType.SPAM: TypeRule(action=Action.ALLOW),
            },
        ),
    )
}
