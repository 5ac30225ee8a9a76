"""One text checked while the caller waits, and the history of checks."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query, Request

from api.compliance.access import (
    DETECTORS,
    HASH_KEY,
    RECORDER,
    Reader,
    RowId,
    Writer,
    must_know,
    must_read,
    router,
)
from api.deps import AppState, PageOf, Session, Unit, must_reach
from api.recorder import Recorder
from api.unit import State
from core.auth import Caller
from core.contracts.compliance import (
    MAX_CHECK_BODY_BYTES,
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
from core.domain.compliance.checks import Order, conclude
from core.errors import NotFound, TooLarge
from core.ids import new_id
from core.ports import Inspector
from core.store import compliance as store
from core.store.platform import decode_cursor, encode_cursor
from core.telemetry import correlation_id


async def one_text(request: Request) -> None:
    """The limit for a single check: far below what a batch may send to the same door."""
    if len(await request.body()) > MAX_CHECK_BODY_BYTES:
        raise TooLarge(f"The body of a check may hold at most {MAX_CHECK_BODY_BYTES} bytes.")


@router.post(
    "/check",
    response_model=Check,
    summary="Check a text",
    description=(
        "Every type asked for has a result. A type without a working detector says `available: false`, and the check "
        "is `incomplete` at best, never `passed`. The text is not stored."
    ),
    dependencies=[Depends(one_text)],
)
async def check_content(unit: Unit, state: AppState, caller: Writer, wanted: CheckRequest) -> Check:
    must_read(wanted.content_type)
    order = _order(state, caller, wanted)
    detectors: Inspector = state.extras[DETECTORS]
    (found,) = await detectors.inspect([wanted.content], wanted.check_types)
    made = conclude(order, check_id=new_id("chk"), text=wanted.content, found=found, at=datetime.now(UTC))
    if unit.has_key:
        await store.record(await unit.open(), caller.tenant_id, [made])
    else:
        recorder: Recorder[CheckRecord] = state.extras[RECORDER]
        await recorder.append(caller.tenant_id, made)
    return made.check


def _order(state: State, caller: Caller, wanted: CheckRequest) -> Order:
    return Order(
        tenant_id=caller.tenant_id,
        checked_by=caller.user_id,
        policy=must_know(wanted.policy),
        content_type=wanted.content_type,
        hash_key=state.extras[HASH_KEY],
        correlation_id=wanted.correlation_id or correlation_id.get(),
    )


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
