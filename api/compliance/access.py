"""The router, who may do what, and what all compliance routes ask of a request."""

from typing import Annotated

from fastapi import Depends, Path

from api.app import router as make_router
from api.deps import allow
from core.auth import Caller
from core.contracts.compliance import BUILT_IN_POLICIES, SUPPORTED_CONTENT, Policy
from core.errors import FieldError, Invalid, Unsupported

PREFIX = "/api/v1/compliance"
DETECTORS, RECORDER, HASH_KEY = "detectors", "check_recorder", "content_hash_key"
router = make_router(PREFIX, "compliance")

Reader = Annotated[Caller, Depends(allow("compliance:read"))]
Writer = Annotated[Caller, Depends(allow("compliance:write"))]
RowId = Annotated[str, Path(min_length=1, max_length=200)]


def must_read(content_type: str) -> None:
    """Unsupported, saying what is, for content that no detector here reads."""
    if content_type not in SUPPORTED_CONTENT:
        known = ", ".join(SUPPORTED_CONTENT)
        raise Unsupported(
            f"No detector reads the content type {content_type!r}. Supported: {known}.",
            code="unsupported_content_type",
            errors=[FieldError("content_type", f"must be one of: {known}")],
        )


def must_know(policy: str) -> Policy:
    """The policy of that name, for a request that asks for it in its body."""
    if policy not in BUILT_IN_POLICIES:
        known = ", ".join(BUILT_IN_POLICIES)
        found = [FieldError("policy", f"must be one of: {known}", "unknown_policy")]
        raise Invalid(f"There is no policy {policy!r}. Known: {known}.", code="unknown_policy", errors=found)
    return BUILT_IN_POLICIES[policy]
