"""What another policy, a draft, or newer detectors would change about past checks: a workflow finds out."""

from datetime import UTC, datetime

from fastapi import Response

from api.compliance.access import POLICIES, PREFIX, Admin, Reader, RowId, must_choose, router, unknown_policy
from api.compliance.policies import must_work, record_change
from api.deps import AppState, PageOf, Session, Starter, Starting
from api.unit import State
from core.auth import Caller
from core.contracts.compliance import (
    QUEUE,
    RESCORE_RUN,
    Rescore,
    RescoreFigures,
    RescoreInput,
    RescoreRequest,
    RescoreStatus,
    rescore_run_id,
)
from core.contracts.platform import Intent, IntentKind, Page, Service
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.store import compliance as store
from core.store.platform import decode_cursor, encode_cursor
from core.tables.compliance import RescoreRow
from core.telemetry import correlation_id


@router.post(
    "/rescores",
    response_model=Rescore,
    status_code=202,
    summary="Judge past checks again, and change nothing",
    description=(
        "By a policy, one of its versions, or a draft of one: a dry run. Only checks that kept their redacted text can "
        "be judged again. The result says how many would have another status, and names examples."
    ),
)
async def create_rescore(
    session: Session, starting: Starting, state: AppState, caller: Admin, wanted: RescoreRequest, response: Response
) -> Rescore:
    row = await store.open_rescore(session, await _new(state, caller, wanted))
    await record_change(session, caller, "rescore_started", "rescore", row.rescore_id, {"policy": row.policy})
    await starting.promise(_intent(row, IntentKind.START))
    response.headers["Location"] = f"{PREFIX}/rescores/{row.rescore_id}"
    return _answer(starting, row)


async def _new(state: State, caller: Caller, wanted: RescoreRequest) -> RescoreRow:
    if wanted.draft is not None:
        must_work(state, wanted.draft, at="draft.")
    return RescoreRow(
        rescore_id=new_id("rescore"),
        tenant_id=caller.tenant_id,
        status=RescoreStatus.PENDING,
        policy=wanted.policy,
        policy_version=await _version(state, caller, wanted),
        draft=wanted.draft.model_dump(mode="json") if wanted.draft else None,
        run_detectors=wanted.run_detectors,
        of_policy=wanted.of_policy,
        since=wanted.since,
        until=wanted.until,
        limit=wanted.limit,
        examples=wanted.examples,
        total=0,
        result=RescoreFigures().model_dump(mode="json"),
        requested_by=caller.user_id,
        correlation_id=wanted.correlation_id or correlation_id.get(),
        created_at=datetime.now(UTC),
    )


async def _version(state: State, caller: Caller, wanted: RescoreRequest) -> int | None:
    if wanted.policy is None:
        return None
    if wanted.version is None:
        return (await must_choose(state, caller, named=wanted.policy)).version
    known = await state.extras[POLICIES].version(caller.tenant_id, wanted.policy, wanted.version)
    if known is None or known.policy.version != wanted.version:
        raise unknown_policy(f"{wanted.policy}, version {wanted.version}")
    return wanted.version


def _intent(row: RescoreRow, kind: IntentKind) -> Intent:
    return Intent(
        intent_id=new_id("intent"),
        kind=kind,
        tenant_id=row.tenant_id,
        workflow_id=rescore_run_id(row.rescore_id),
        workflow_type=RESCORE_RUN if kind is IntentKind.START else "",
        queue=QUEUE,
        payload=RescoreInput(tenant_id=row.tenant_id, rescore_id=row.rescore_id).model_dump(mode="json"),
        service=Service.COMPLIANCE,
        user_id=row.requested_by,
        correlation_id=row.correlation_id or "",
        summary=f"Judge {row.total} checks again: {row.rescore_id}",
    )


def _answer(starting: Starter, row: RescoreRow) -> Rescore:
    figures = RescoreFigures.model_validate(row.result)
    ended = row.status == RescoreStatus.COMPLETED
    percent = 100 if ended else 100 * figures.rescored // max(1, row.total)
    work = starting.work(rescore_run_id(row.rescore_id)).model_dump()
    return Rescore.model_validate({**row.model_dump(), **work, "result": figures, "percent": percent})


@router.get("/rescores", response_model=Page[Rescore], summary="List re-scores, newest first")
async def list_rescores(session: Session, starting: Starting, caller: Reader, page: PageOf) -> Page[Rescore]:
    after = decode_cursor(page.cursor, (datetime, str))
    found = await store.list_rescores(session, requested_by=caller.own_only, limit=page.limit, after=after)
    more, rows = len(found) > page.limit, found[: page.limit]
    return Page[Rescore](
        items=[_answer(starting, row) for row in rows],
        next_cursor=encode_cursor(rows[-1].created_at, rows[-1].rescore_id) if more else None,
    )


@router.get("/rescores/{rescore_id}", response_model=Rescore, summary="How far a re-score is, and what it found so far")
async def get_rescore(session: Session, starting: Starting, caller: Reader, rescore_id: RowId) -> Rescore:
    return _answer(starting, await _must_find(session, caller, rescore_id))


@router.post(
    "/rescores/{rescore_id}/cancel",
    response_model=Rescore,
    status_code=202,
    summary="Stop a re-score; what it found so far stays",
)
async def cancel_rescore(
    session: Session, starting: Starting, caller: Admin, rescore_id: RowId, response: Response
) -> Rescore:
    row = await _must_find(session, caller, rescore_id)
    cancelled = await store.cancel_rescore(session, rescore_id)
    if cancelled is not None:
        row = cancelled
        await record_change(session, caller, "rescore_cancelled", "rescore", rescore_id, {})
        await starting.promise(_intent(row, IntentKind.CANCEL))
    elif row.status != RescoreStatus.CANCELLED:
        raise Conflict("The re-score is completed: there is nothing left to stop.", code="rescore_finished")
    response.headers["Location"] = f"{PREFIX}/rescores/{rescore_id}"
    return _answer(starting, row)


async def _must_find(session: Session, caller: Caller, rescore_id: str) -> RescoreRow:
    row = await store.rescore_of(session, rescore_id, requested_by=caller.own_only)
    if row is None:
        raise NotFound(f"There is no re-score {rescore_id}.", code="rescore_not_found")
    return row
