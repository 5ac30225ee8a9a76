"""The policies that a check can be judged by."""

from typing import Annotated

from fastapi import Path

from api.compliance.access import Reader, router
from core.contracts.compliance import BUILT_IN_POLICIES, Policy
from core.contracts.platform import Page
from core.errors import NotFound


@router.get("/policies", response_model=Page[Policy], summary="List policies")
async def list_policies(_: Reader) -> Page[Policy]:
    return Page[Policy](items=list(BUILT_IN_POLICIES.values()))


@router.get("/policies/{name}", response_model=Policy, summary="Get a policy")
async def get_policy(_: Reader, name: Annotated[str, Path(min_length=1, max_length=200)]) -> Policy:
    if name not in BUILT_IN_POLICIES:
        known = ", ".join(BUILT_IN_POLICIES)
        raise NotFound(f"There is no policy {name!r}. Known: {known}.", code="policy_not_found")
    return BUILT_IN_POLICIES[name]
