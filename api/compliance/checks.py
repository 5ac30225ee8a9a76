"""One text checked while the caller waits, and the history of checks."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Depends, Query

from api.compliance.access import (
    DETECTORS,
    EARLIER,
    HASH_KEY,
    POLICIES,
    RECORDER,
    Reader,
    RowId,
    Writer,
    must_choose,
    must_read,
    router,
)
from api.compliance.earlier import EarlierChecks
from api.deps import AppState, PageOf, Session, Unit, must_reach
from api.recorder import Recorder
from api.unit import State
from core.auth import Caller
from core.compliance.policies import Policies
from core.contracts.compliance import (
    Check,
    CheckFilter,
    CheckRecord,
    CheckRequest,
    CheckStatus,
    CheckType,
    PiiEntity,
    RiskLevel,
)
from core.contracts.platform import Moment, Page
from core.domain.compliance.checks import Order, conclude, readable, repeat
from core.domain.compliance.content import ContentFault, Extracted
from core.errors import FieldError, Invalid, NotFound
from core.ids import new_id
from core.keys import RedactionKeys
from core.ports import Inspector
from core.store import compliance as store
from core.store.platform import decode_cursor, encode_cursor
from core.telemetry import correlation_id

LONG_CONTENT = 16 * 1024
Done = TypeVar("Done")


@router.post(
    "/check",
    response_model=Check,
    summary="Check a text",
    description=(
        "Every type asked for has a result. A type without a working detector says `available: false`, and the check "
        "is `incomplete` at best, never `passed`. The text is not stored. The same text under the same policy is not "
        "looked at again for a while (the policy says how long): such an answer is `cached`."
    ),
)
async def check_content(unit: Unit, state: AppState, caller: Writer, wanted: CheckRequest) -> Check:
    must_read(wanted.content_type)
    order = await _order(state, caller, wanted)
    _must_fit(order, wanted.content)
    made = await _repeated(state, caller, order, wanted) or await _inspected(state, order, wanted)
    if unit.has_key:
        await store.record(await unit.open(), caller.tenant_id, [made])
    else:
        recorder: Recorder[CheckRecord] = state.extras[RECORDER]
        await recorder.append(caller.tenant_id, made)
    if made.start:
        unit.carry_out([made.start])
    return made.check


async def _order(state: State, caller: Caller, wanted: CheckRequest) -> Order:
    chosen = await must_choose(state, caller, named=wanted.policy, category=wanted.category)
    policies: Policies = state.extras[POLICIES]
    rules = await policies.version(caller.tenant_id, chosen.name, chosen.version)
    assert rules is not None  # versions are never removed
    return Order(
        tenant_id=caller.tenant_id,
        checked_by=caller.user_id,
        rules=rules,
        content_type=wanted.content_type,
        hash_key=state.extras[HASH_KEY],
        redaction_keys=RedactionKeys(state.settings.secret_key, caller.tenant_id),
        policy_source=chosen.source,
        category=wanted.category,
        correlation_id=wanted.correlation_id or correlation_id.get(),
    )


def _must_fit(order: Order, content: str) -> None:
    limit = order.rules.policy.max_content_bytes
    if len(content) * 4 > limit and (size := len(content.encode())) > limit:
        message = f"holds {size} bytes of UTF-8; the policy takes at most {limit}: send it in parts"
        raise Invalid(f"content {message}.", errors=[FieldError("content", message, "content_too_long")])


async def _repeated(state: State, caller: Caller, order: Order, wanted: CheckRequest) -> CheckRecord | None:
    """A check of the same text from a while ago, told again. A user's token meets only that user's own."""
    now = datetime.now(UTC)
    earlier: EarlierChecks = state.extras[EARLIER]
    known = await earlier.find(order, wanted.content, wanted.check_types, own_only=caller.own_only, now=now)
    return repeat(order, known, check_id=new_id("chk"), text=wanted.content, at=now) if known else None


async def _inspected(state: State, order: Order, wanted: CheckRequest) -> CheckRecord:
    extracted = await _readable(wanted)
    detectors: Inspector = state.extras[DETECTORS]
    chosen = order.rules.detectors(wanted.check_types)
    read = wanted.content if extracted is None else extracted.text
    (found,) = await detectors.inspect([read], wanted.check_types, chosen)
    earlier: EarlierChecks = state.extras[EARLIER]
    earlier.learn(found, chosen)
    at, text = datetime.now(UTC), wanted.content
    judged = partial(conclude, order, check_id=new_id("chk"), text=text, found=found, at=at, extracted=extracted)
    return await _aside(text, judged)


async def _aside(content: str, work: Callable[[], Done]) -> Done:
    """Long content is worked on in a thread: the door serves others meanwhile."""
    return await asyncio.to_thread(work) if len(content) > LONG_CONTENT else work()


async def _readable(wanted: CheckRequest) -> Extracted | None:
    try:
        return await _aside(wanted.content, partial(readable, wanted.content_type, wanted.content))
    except ContentFault as fault:
        raise Invalid(str(fault), code=fault.code, errors=[FieldError("content", str(fault), fault.code)]) from fault


async def _wanted(
    caller: Reader,
    status: CheckStatus | None = None,
    risk_level: RiskLevel | None = None,
    check_type: CheckType | None = None,
    entity: Annotated[PiiEntity | None, Query(description="checks in which this kind of data was found")] = None,
    policy: Annotated[str | None, Query(max_length=200)] = None,
    checked_by: Annotated[str | None, Query(max_length=200, description="a user's token: that user only")] = None,
    batch_id: Annotated[str | None, Query(max_length=200)] = None,
    since: Annotated[Moment | None, Query(alias="from", description="inclusive")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="exclusive")] = None,
) -> CheckFilter:
    if checked_by is not None:
        must_reach(caller, checked_by)
    return CheckFilter(
        status=status,
        risk_level=risk_level,
        check_type=check_type,
        entity=entity,
        policy=policy,
        checked_by=caller.own_only or checked_by,
        batch_id=batch_id,
        since=since,
        until=until,
    )


@router.get(
    "/checks",
    response_model=Page[Check],
    summary="List past checks",
    description="Newest first. Spans and redacted texts are left out: a single check has them.",
)
async def list_checks(session: Session, page: PageOf, wanted: Annotated[CheckFilter, Depends(_wanted)]) -> Page[Check]:
    after = decode_cursor(page.cursor, (datetime, str))
    found = await store.list_checks(session, wanted, limit=page.limit, after=after)
    more, items = len(found) > page.limit, found[: page.limit]
    return Page[Check](
        items=items, next_cursor=encode_cursor(items[-1].created_at, items[-1].check_id) if more else None
    )


@router.get("/checks/{check_id}", response_model=Check, summary="Get a past check")
async def get_check(session: Session, caller: Reader, check_id: RowId) -> Check:
    found = await store.check_of(session, check_id, checked_by=caller.own_only)
    if found is None:
        raise NotFound(f"There is no check {check_id}.", code="check_not_found")
    return found
