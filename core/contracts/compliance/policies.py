"""Policies: what a finding leads to, by type of check; lists of texts to block or allow; who uses which policy."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from core.contracts.compliance.detection import Action, CheckType, PiiEntity, RedactionStyle
from core.contracts.platform import Answer, Contract, JsonObject, RefId

DEFAULT_POLICY = "default"
POLICY_CHANGED = "compliance.policy_changed"
DEFAULT_CONTENT_BYTES, MAX_POLICY_CONTENT_BYTES = 100 * 1024, 1024 * 1024
DEFAULT_CACHE_SECONDS, MAX_CACHE_SECONDS = 300, 24 * 3600
DEFAULT_SLA_MINUTES, MAX_SLA_MINUTES = 24 * 60, 90 * 24 * 60
MAX_REVIEWERS = 20
MAX_ENTRIES, MAX_PATTERNS, MAX_ENTRY_CHARACTERS = 500, 50, 500

POLICY_EXAMPLE: JsonObject = {
    "name": "marketplace",
    "description": "Listings: contact data is redacted, insults wait for a person.",
    "rules": {
        "toxicity": {"action": "review", "threshold": 0.8},
        "pii": {"action": "redact", "entities": ["email", "phone"]},
    },
    "keep_redacted": True,
    "block_list": [{"kind": "term", "value": "wire transfer only", "check_types": ["spam"]}],
    "allow_list": [{"kind": "term", "value": "example.com", "check_types": ["pii"]}],
}

PolicyName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9_.\-]*$")]
CATEGORY = r"^[A-Za-z0-9][A-Za-z0-9_.:\-]*$"
Category = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=CATEGORY)]
"""A free word that says what kind of text this is, such as `support-mail`; policies are assigned by it."""
Threshold = Annotated[float, Field(ge=0, le=1)]
People = Annotated[list[RefId], Field(max_length=MAX_REVIEWERS)]


class EntryKind(StrEnum):
    """How an entry of a list is compared; `core.domain.compliance.lists` has the rules."""

    EXACT = "exact"
    TERM = "term"
    REGEX = "regex"


class ListEntry(Contract):
    """One entry of an allow or block list."""

    kind: EntryKind = Field(description="exact: the whole text; term: as whole words; regex: RE2 syntax")
    value: Annotated[str, StringConstraints(min_length=1, max_length=MAX_ENTRY_CHARACTERS)]
    check_types: Annotated[list[CheckType], Field(min_length=1, max_length=len(CheckType))] | None = Field(
        None, description="the types it speaks for; null: all"
    )


class RuleInput(Contract):
    """What a new policy says about one type of check."""

    action: Action
    threshold: Threshold | None = None
    entities: Annotated[list[PiiEntity], Field(min_length=1, max_length=len(PiiEntity))] | None = None
    redaction: RedactionStyle | None = None
    detector: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None


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
    detector: str | None = Field(None, description="the detector's name, where there are several; null: the usual one")


Entries = Annotated[list[ListEntry], Field(max_length=MAX_ENTRIES)]


class PolicySettings(Contract):
    """Everything that a version of a policy fixes. A type that `rules` leaves out is judged as under `default`."""

    description: Annotated[str, StringConstraints(max_length=1000)] = ""
    rules: dict[CheckType, RuleInput] = Field(default_factory=dict)
    keep_redacted: bool = False
    max_content_bytes: Annotated[int, Field(ge=1, le=MAX_POLICY_CONTENT_BYTES)] = DEFAULT_CONTENT_BYTES
    cache_seconds: Annotated[int, Field(ge=0, le=MAX_CACHE_SECONDS, description="0: no answer is used twice")] = (
        DEFAULT_CACHE_SECONDS
    )
    second_reviewer: bool = False
    review_sla_minutes: Annotated[int, Field(ge=1, le=MAX_SLA_MINUTES)] = DEFAULT_SLA_MINUTES
    reviewers: People = Field(default_factory=list)
    escalate_to: People = Field(default_factory=list)
    allow_list: Entries = Field(default_factory=list)
    block_list: Entries = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits_together(self) -> "PolicySettings":
        for check_type, rule in self.rules.items():
            if check_type is not CheckType.PII and (rule.entities is not None or rule.redaction is not None):
                raise ValueError(f"rules.{check_type.value}: entities and redaction are for pii only")
        for name, entries in (("allow_list", self.allow_list), ("block_list", self.block_list)):
            if sum(entry.kind is EntryKind.REGEX for entry in entries) > MAX_PATTERNS:
                raise ValueError(f"{name}: at most {MAX_PATTERNS} entries may be of the kind regex")
        return self


class NewPolicy(PolicySettings):
    """A policy to make; this becomes its version 1."""

    model_config = ConfigDict(json_schema_extra={"examples": [POLICY_EXAMPLE]})

    name: PolicyName


class PolicyChange(PolicySettings):
    """A policy's next version, as a whole."""

    expected_version: int | None = Field(
        None, ge=1, le=2**31 - 1, description="the version this was made from: 409 if another one came meanwhile"
    )


class Policy(Answer):
    """Rules for all types of checks. A version never changes: a changed policy is a new version."""

    name: str
    version: int
    description: str
    built_in: bool
    keep_redacted: bool = Field(description="whether a check keeps the text as redacted; the text itself is never kept")
    rules: dict[CheckType, TypeRule]
    max_content_bytes: int = Field(DEFAULT_CONTENT_BYTES, description="the longest text that is checked (UTF-8)")
    cache_seconds: int = Field(
        DEFAULT_CACHE_SECONDS, description="how long the findings in a text are used again for the same text; 0: never"
    )
    second_reviewer: bool = Field(False, description="whether two people must decide a review")
    review_sla_minutes: int = Field(DEFAULT_SLA_MINUTES, description="how long a review may wait for its decision")
    reviewers: list[str] = Field([], description="user ids: told of reviews that wait; none: those of the installation")
    escalate_to: list[str] = Field([], description="user ids: told of escalations; none: those of the installation")
    allow_list: list[ListEntry] = Field(default_factory=list)
    block_list: list[ListEntry] = Field(default_factory=list)
    created_by: str | None = Field(None, description="who made this version; null: it is built in")
    created_at: datetime | None = None
    archived_at: datetime | None = Field(None, description="since when no new check may use it")


class PolicySource(StrEnum):
    """Why a check was judged by its policy: the first of these that names one."""

    REQUEST = "request"
    CALLER = "caller"
    CATEGORY = "category"
    TENANT = "tenant"
    DEFAULT = "default"


class AssignmentScope(StrEnum):
    """What a policy is assigned to."""

    TENANT = "tenant"
    CATEGORY = "category"
    CALLER = "caller"


class AssignPolicy(Contract):
    """A policy for checks that name none. For the tenant, `subject` stays empty."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"scope": "category", "subject": "chat-message", "policy": "chat"}]}
    )

    scope: AssignmentScope
    subject: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", description="the category, or the user id of the caller"
    )
    policy: RefId

    @model_validator(mode="after")
    def _has_its_subject(self) -> "AssignPolicy":
        if (self.scope is AssignmentScope.TENANT) == bool(self.subject):
            raise ValueError("subject is the category or the caller's user id, and empty for the tenant")
        is_word = len(self.subject) <= 100 and re.fullmatch(CATEGORY, self.subject)
        if self.scope is AssignmentScope.CATEGORY and not is_word:
            raise ValueError("no check can have this category: it is one word of at most 100 letters, figures, _ . : -")
        return self


class Assignment(Answer):
    """A policy for checks that name none."""

    scope: AssignmentScope
    subject: str = Field(description="the category, the caller's user id, or empty for the tenant")
    policy: str
    assigned_by: str
    assigned_at: datetime


class PolicyHeads(Answer):
    """A tenant's own policies that checks may use, with their present versions, and what is assigned."""

    versions: dict[str, int] = Field(default_factory=dict)
    tenant: str | None = None
    categories: dict[str, str] = Field(default_factory=dict)
    callers: dict[str, str] = Field(default_factory=dict)


class ChosenPolicy(Answer):
    """Which version of which policy judges a check, and why."""

    name: str
    version: int
    source: PolicySource


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
