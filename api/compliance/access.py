"""What the compliance routes share: the router, who may, what may be checked, which policy judges."""

from typing import Annotated

from fastapi import Depends, Path

from api.app import router as make_router
from api.deps import allow
from api.unit import State
from core.auth import Caller
from core.compliance.policies import Policies
from core.contracts.compliance import BUILT_IN_POLICIES, SUPPORTED_CONTENT, ChosenPolicy
from core.errors import FieldError, Invalid, Unsupported

PREFIX = "/api/v1/compliance"
DETECTORS, RECORDER, HASH_KEY = "detectors", "check_recorder", "content_hash_key"
POLICIES, EARLIER, REVIEWS = "policies", "earlier_checks", "reviews"
router = make_router(PREFIX, "compliance")

Reader = Annotated[Caller, Depends(allow("compliance:read"))]
Writer = Annotated[Caller, Depends(allow("compliance:write"))]
Admin = Annotated[Caller, Depends(allow("compliance:admin"))]
Reviewer = Annotated[Caller, Depends(allow("compliance:review"))]
RowId = Annotated[str, Path(min_length=1, max_length=200)]


def must_read(content_type: str, supported: tuple[str, ...] = SUPPORTED_CONTENT) -> None:
    """Unsupported, saying what is, for content that no detector here reads."""
    if content_type not in supported:
        known = ", ".join(supported)
        raise Unsupported(
            f"No detector reads the content type {content_type!r}. Supported: {known}.",
            code="unsupported_content_type",
            errors=[FieldError("content_type", f"must be one of: {known}")],
        )


async def must_choose(state: State, caller: Caller, *, named: str | None, category: str | None = None) -> ChosenPolicy:
    """Which version of which policy judges what this caller asks for; Invalid where the named one is not there."""
    policies: Policies = state.extras[POLICIES]
    chosen = await policies.choose(caller.tenant_id, named=named, caller=caller.user_id, category=category)
    if chosen is None:
        raise unknown_policy(named or "")
    return chosen


def unknown_policy(name: str) -> Invalid:
    """A body names a policy that is not there, or is archived."""
    built_in = ", ".join(BUILT_IN_POLICIES)
    detail = f"There is no policy {name!r} in use. Always there: {built_in}; GET /policies lists yours."
    return Invalid(
        detail, code="unknown_policy", errors=[FieldError("policy", "is not a policy in use", "unknown_policy")]
    )
