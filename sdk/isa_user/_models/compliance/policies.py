"""Policies, their rules and lists, and what they are assigned to."""

from datetime import datetime
from typing import Literal, Required, TypedDict

from pydantic import Field

from isa_user._models.base import Result
from isa_user._models.compliance.checks import CheckType, PiiEntity

PolicyAction = Literal["allow", "flag", "redact", "review", "block"]
RedactionStyle = Literal["label", "mask", "hash", "pseudonym", "remove"]
AssignmentScope = Literal["tenant", "category", "caller"]


class NewRule(TypedDict, total=False):
    """What a policy shall say about one type of check; `entities` and `redaction` are for pii."""

    action: Required[PolicyAction]
    threshold: float
    entities: list[PiiEntity]
    redaction: RedactionStyle
    detector: str


class ListEntry(TypedDict, total=False):
    """One entry of an allow or block list: the whole text (exact), whole words in it (term), or an RE2 pattern."""

    kind: Required[Literal["exact", "term", "regex"]]
    value: Required[str]
    check_types: list[CheckType]


class PolicyDraft(TypedDict, total=False):
    """A policy that is not made yet, for a dry run: the keywords of `create_policy` but its name."""

    description: str
    rules: dict[CheckType, NewRule]
    keep_redacted: bool
    max_content_bytes: int
    cache_seconds: int
    second_reviewer: bool
    review_sla_minutes: int
    reviewers: list[str]
    escalate_to: list[str]
    allow_list: list[ListEntry]
    block_list: list[ListEntry]


class TypeRule(Result):
    """What a policy says about one type of check."""

    action: str
    threshold: float | None = None
    entities: list[str] | None = None
    redaction: str | None = None
    detector: str | None = None


class PolicyEntry(Result):
    """One entry of a policy's allow or block list; `check_types` None: it speaks for all."""

    kind: str
    value: str
    check_types: list[str] | None = None


class Policy(Result):
    """What findings lead to, by type of check. A version never changes; a change is a new version."""

    name: str
    version: int
    description: str
    built_in: bool
    keep_redacted: bool
    rules: dict[str, TypeRule]
    max_content_bytes: int
    cache_seconds: int
    second_reviewer: bool
    review_sla_minutes: int
    reviewers: list[str] = Field(default_factory=list)
    escalate_to: list[str] = Field(default_factory=list)
    allow_list: list[PolicyEntry] = Field(default_factory=list)
    block_list: list[PolicyEntry] = Field(default_factory=list)
    created_by: str | None = None
    created_at: datetime | None = None
    archived_at: datetime | None = None


class PolicyAssignment(Result):
    """The policy of checks that name none: of a caller, a category, or the whole tenant (`subject` is empty)."""

    scope: str
    subject: str
    policy: str
    assigned_by: str
    assigned_at: datetime
