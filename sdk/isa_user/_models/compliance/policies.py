"""Policies and their rules."""

from isa_user._models.base import Result


class TypeRule(Result):
    """What a policy says about one type of check."""

    action: str
    threshold: float | None = None
    entities: list[str] | None = None
    redaction: str | None = None


class Policy(Result):
    """What findings lead to, by type of check."""

    name: str
    version: int
    description: str
    built_in: bool
    keep_redacted: bool
    rules: dict[str, TypeRule]
