"""Which policy judges checks that name none: by caller, by category, for the tenant."""

from typing import Annotated

from fastapi import Query

from api.compliance.access import POLICIES, Admin, Reader, router, unknown_policy
from api.compliance.policies import record_change
from api.deps import AppState, PageOf, Session
from core.contracts.compliance import BUILT_IN_POLICIES, Assignment, AssignmentScope, AssignPolicy
from core.contracts.platform import Page
from core.errors import NotFound
from core.store import compliance as store
from core.store.platform import decode_cursor, encode_cursor


@router.get(
    "/policy-assignments",
    response_model=Page[Assignment],
    summary="List which policies are assigned",
    description="By scope and subject. With a user's token, of the callers only that user.",
)
async def list_policy_assignments(session: Session, caller: Reader, page: PageOf) -> Page[Assignment]:
    after = decode_cursor(page.cursor, (str, str))
    found = await store.list_assignments(session, caller=caller.own_only, limit=page.limit, after=after)
    more, items = len(found) > page.limit, found[: page.limit]
    return Page[Assignment](
        items=items, next_cursor=encode_cursor(items[-1].scope, items[-1].subject) if more else None
    )


@router.put(
    "/policy-assignments",
    response_model=Assignment,
    summary="Assign a policy",
    description=(
        "To the tenant, a category or a caller, in place of the policy assigned before. A check that names no policy "
        "is judged by its caller's, else its category's, else the tenant's, else `default`."
    ),
)
async def assign_policy(session: Session, state: AppState, caller: Admin, wanted: AssignPolicy) -> Assignment:
    if wanted.policy not in BUILT_IN_POLICIES:
        head = await store.lock_policy(session, wanted.policy)
        if head is None or head.archived_at is not None:
            raise unknown_policy(wanted.policy)
    made = await store.assign_policy(session, caller.tenant_id, wanted, by=caller.user_id)
    subject = _named(wanted.scope, wanted.subject)
    await record_change(session, caller, "policy_assigned", "policy_assignment", subject, {"policy": wanted.policy})
    state.extras[POLICIES].forget(caller.tenant_id)
    return made


@router.delete("/policy-assignments", status_code=204, summary="Take an assignment back")
async def unassign_policy(
    session: Session,
    state: AppState,
    caller: Admin,
    scope: Annotated[AssignmentScope, Query()],
    subject: Annotated[str, Query(max_length=200, description="as it was assigned; empty for the tenant")] = "",
) -> None:
    policy = await store.unassign_policy(session, scope, subject)
    if policy is None:
        raise NotFound("Nothing is assigned there: GET /policy-assignments lists what is.", code="not_assigned")
    await record_change(
        session, caller, "policy_unassigned", "policy_assignment", _named(scope, subject), {"policy": policy}
    )
    state.extras[POLICIES].forget(caller.tenant_id)


def _named(scope: AssignmentScope, subject: str) -> str:
    return f"{scope.value}:{subject}" if subject else scope.value
