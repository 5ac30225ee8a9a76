"""The policies that a check can be judged by: read, made, changed by new versions, archived."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Path, Query, Response

from api.compliance.access import DETECTORS, POLICIES, PREFIX, Admin, Reader, router
from api.deps import AppState, PageOf, Session
from api.unit import State
from core.adapters.detectors import Detectors
from core.auth import Caller
from core.compliance.policies import Policies
from core.contracts.compliance import (
    BUILT_IN_POLICIES,
    POLICY_CHANGED,
    EntryKind,
    ListEntry,
    NewPolicy,
    Policy,
    PolicyChange,
    PolicySettings,
)
from core.contracts.platform import AuditEntry, DomainEvent, Page, Service
from core.domain.compliance.lists import MAX_TERM_TOKENS, PatternFault, term_tokens
from core.domain.compliance.policies import policy_of
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.store import audit, event
from core.store import compliance as store
from core.store.platform import decode_cursor, encode_cursor
from core.tables.compliance import PolicyRow
from core.telemetry import correlation_id

Name = Annotated[str, Path(min_length=1, max_length=100)]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


# ---- reading


@router.get(
    "/policies",
    response_model=Page[Policy],
    summary="List policies",
    description="The built-in ones first, then the tenant's own by name, in their present versions.",
)
async def list_policies(
    session: Session,
    _: Reader,
    page: PageOf,
    archived: Annotated[bool, Query(description="archived ones too")] = False,
) -> Page[Policy]:
    cursor = decode_cursor(page.cursor, (str,))
    after = cursor[0] if cursor else ""
    at_built_in = not after or after in BUILT_IN_POLICIES
    first = _built_in_after(after) if at_built_in else []
    left = max(0, page.limit - len(first))
    own = await store.list_policies(session, archived=archived, limit=left, after="" if at_built_in else after)
    items = [*first, *own][: page.limit]
    more = len(first) + len(own) > page.limit
    return Page[Policy](items=items, next_cursor=encode_cursor(items[-1].name) if more else None)


def _built_in_after(name: str) -> list[Policy]:
    """The built-in policies that follow this one; all of them after none."""
    known = list(BUILT_IN_POLICIES)
    return list(BUILT_IN_POLICIES.values())[known.index(name) + 1 if name else 0 :]


@router.get("/policies/{name}", response_model=Policy, summary="Get a policy in its present version")
async def get_policy(session: Session, _: Reader, name: Name) -> Policy:
    return await _must_find(session, name)


@router.get("/policies/{name}/versions", response_model=Page[Policy], summary="List a policy's versions, newest first")
async def list_policy_versions(session: Session, _: Reader, name: Name, page: PageOf) -> Page[Policy]:
    after = decode_cursor(page.cursor, (int,))
    present = await _must_find(session, name)
    if present.built_in:
        return Page[Policy](items=[] if after else [present])
    found = await store.list_versions(session, name, limit=page.limit, after=after[0] if after else None)
    more, items = len(found) > page.limit, found[: page.limit]
    return Page[Policy](items=items, next_cursor=encode_cursor(items[-1].version) if more else None)


@router.get("/policies/{name}/versions/{version}", response_model=Policy, summary="Get one version of a policy")
async def get_policy_version(session: Session, _: Reader, name: Name, version: Version) -> Policy:
    return await _must_find(session, name, version)


async def _must_find(session: Session, name: str, version: int | None = None) -> Policy:
    built_in = BUILT_IN_POLICIES.get(name)
    found = built_in or await store.policy_version(session, name, version)
    if found is None or (built_in and version not in (None, built_in.version)):
        which = f"version {version} of a policy" if version else "policy"
        raise NotFound(f"There is no {which} {name!r}: GET /policies lists what there is.", code="policy_not_found")
    return found


# ---- changing


@router.post(
    "/policies",
    response_model=Policy,
    status_code=201,
    summary="Make a policy",
    description="Types that `rules` leaves out are judged as under `default`. Checks name it, or it is assigned.",
)
async def create_policy(
    session: Session, state: AppState, caller: Admin, wanted: NewPolicy, response: Response
) -> Policy:
    _must_not_be_built_in(wanted.name)
    policy = _ready(state, wanted, name=wanted.name, version=1)
    made = await store.add_policy(session, caller.tenant_id, policy, created_by=caller.user_id)
    if made is None:
        raise Conflict(
            f"There is a policy {wanted.name!r} already, perhaps an archived one: choose another name.",
            code="policy_exists",
        )
    await _tell(session, state, caller, wanted.name, 1, "created")
    response.headers["Location"] = f"{PREFIX}/policies/{wanted.name}"
    return made


@router.put(
    "/policies/{name}",
    response_model=Policy,
    summary="Change a policy",
    description="The body becomes the next version, as a whole; earlier versions stay as they are.",
)
async def change_policy(session: Session, state: AppState, caller: Admin, name: Name, wanted: PolicyChange) -> Policy:
    head = await _must_lock(session, name)
    if wanted.expected_version not in (None, head.version):
        raise Conflict(
            f"The policy's version is {head.version} by now: read it and decide again.", code="policy_version_conflict"
        )
    policy = _ready(state, wanted, name=name, version=head.version + 1)
    made = await store.change_policy(session, head, policy, changed_by=caller.user_id)
    await _tell(session, state, caller, name, made.version, "changed")
    return made


@router.delete(
    "/policies/{name}",
    status_code=204,
    summary="Archive a policy",
    description="No new check may use it; its versions stay readable, and its name taken.",
)
async def archive_policy(session: Session, state: AppState, caller: Admin, name: Name) -> None:
    head = await _must_lock(session, name)
    if assigned := await store.list_assignments(session, policy=name, limit=1):
        where = f"{assigned[0].scope} {assigned[0].subject}".strip()
        raise Conflict(f"The policy is assigned to the {where}: take that back first.", code="policy_assigned")
    await store.archive_policy(session, head)
    await _tell(session, state, caller, name, head.version, "archived")


async def _must_lock(session: Session, name: str) -> PolicyRow:
    _must_not_be_built_in(name)
    head = await store.lock_policy(session, name)
    if head is None:
        raise NotFound(f"There is no policy {name!r}: GET /policies lists what there is.", code="policy_not_found")
    if head.archived_at is not None:
        raise Conflict("The policy is archived: make another.", code="policy_archived")
    return head


def _must_not_be_built_in(name: str) -> None:
    if name in BUILT_IN_POLICIES:
        raise Conflict(
            f"The policy {name!r} is built in and stays as it is: make your own under another name.",
            code="policy_built_in",
        )


def _ready(state: State, wanted: PolicySettings, *, name: str, version: int) -> Policy:
    must_work(state, wanted)
    return policy_of(wanted, name=name, version=version)


def must_work(state: State, wanted: PolicySettings, *, at: str = "") -> None:
    """Invalid, naming each, for a detector that is not here, a pattern that is none, a term that says nothing."""
    found = [*_detector_faults(state, wanted, at), *_entry_faults(state, wanted, at)]
    if found:
        raise Invalid(f"{found[0].field}: {found[0].message}", errors=found)


def _detector_faults(state: State, wanted: PolicySettings, at: str) -> Iterator[FieldError]:
    detectors: Detectors = state.extras[DETECTORS]
    for check_type, rule in wanted.rules.items():
        if rule.detector is not None and rule.detector not in (known := detectors.known(check_type)):
            message = f"is not set up here; known for {check_type.value}: {', '.join(known) or 'none'}"
            yield FieldError(f"{at}rules.{check_type.value}.detector", message, "unknown_detector")


def _entry_faults(state: State, wanted: PolicySettings, at: str) -> Iterator[FieldError]:
    for name, entries in (("allow_list", wanted.allow_list), ("block_list", wanted.block_list)):
        for place, entry in enumerate(entries):
            if fault := _fault(state.extras[POLICIES], entry):
                yield FieldError(f"{at}{name}[{place}].value", fault, "invalid_entry")


def _fault(policies: Policies, entry: ListEntry) -> str | None:
    if entry.kind is EntryKind.REGEX:
        try:
            policies.compile(entry.value)
        except PatternFault as fault:
            return f"is no regular expression that RE2 takes: {fault}"
    elif not len(term_tokens(entry.value)) > 0:
        return "holds no word and no sign"
    elif entry.kind is EntryKind.TERM and len(term_tokens(entry.value)) > MAX_TERM_TOKENS:
        return f"a term has at most {MAX_TERM_TOKENS} words and signs"
    return None


async def _tell(session: Session, state: State, caller: Caller, name: str, version: int, verb: str) -> None:
    """The audit log and the event store hear of it; this process forgets what it knew."""
    await record_change(session, caller, f"policy_{verb}", "compliance_policy", name, {"version": version})
    told = DomainEvent(
        event_type=POLICY_CHANGED,
        source=Service.COMPLIANCE,
        payload={"policy": name, "version": version, "change": verb, "changed_by": caller.user_id},
        correlation_id=correlation_id.get() or None,
    )
    await event.append(session, caller.tenant_id, [told])
    state.extras[POLICIES].forget(caller.tenant_id)


async def record_change(
    session: Session, caller: Caller, verb: str, resource_type: str, resource_id: str, more: dict[str, object]
) -> None:
    """An audit entry of the change, in its transaction."""
    entry = AuditEntry(
        event_type=f"compliance.{verb}",
        actor_id=caller.user_id,
        action=verb.rpartition("_")[2],
        resource_type=resource_type,
        resource_id=resource_id,
        metadata=more,
        correlation_id=correlation_id.get() or None,
    )
    await audit.append_entries(session, caller.tenant_id, [entry])
