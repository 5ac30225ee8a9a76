"""Data-subject requests: asked for, decided by an administrator, the export fetched while it lives."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query, Response
from fastapi.responses import StreamingResponse

from api.app import GONE
from api.compliance.access import PREFIX, Reader, RowId, Writer, router
from api.deps import AppState, PageOf, Session, Starting, allow
from api.unit import State
from core.auth import Caller
from core.contracts.compliance.data_requests import (
    ARTIFACT_KEY,
    PARTS,
    SERVICES,
    Artifact,
    DataRequest,
    DataRequestBody,
    DataRequestItem,
    Decision,
    RequestFilter,
    RequestKind,
    RequestStatus,
    ServiceProgress,
    StepStatus,
    Verb,
    data_request_id,
)
from core.contracts.platform import Page, Service
from core.db import Database
from core.domain.compliance.data_requests import decided, is_overdue, may_approve, start_of_request
from core.errors import Conflict, Forbidden, Gone, NotFound
from core.ids import new_id
from core.keys import Seals, pseudonym
from core.store.compliance import data_requests as store
from core.store.compliance.holdings import results
from core.store.platform import decode_cursor, encode_cursor
from core.tables.compliance import DataRequestRow, DataRequestStepRow
from core.telemetry import correlation_id
from core.temporal import workflow_url

ADMIN = "compliance:admin"
ROOT = "/data-requests"
MEDIA_TYPE = "application/x-ndjson"
UNSAID = Decision()
Admin = Annotated[Caller, Depends(allow(ADMIN))]
FILE = {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}


@router.post(
    ROOT,
    response_model=DataRequest,
    status_code=202,
    summary="Ask for a person's data, or for its erasure",
    description=(
        "Waits for an administrator's approval, then runs through all five services. Anybody may ask for an export of "
        "their own data; all else needs `compliance:admin`."
    ),
)
async def create_data_request(
    session: Session, starting: Starting, state: AppState, caller: Writer, wanted: DataRequestBody, response: Response
) -> DataRequest:
    row = _new(state, caller, wanted)
    if not await store.open_request(session, row):
        raise Conflict(f"An open {row.kind} for this person is there already.", code="data_request_open")
    start = start_of_request(
        row.tenant_id, row.request_id, wanted.kind, intent_id=new_id("intent"), user_id=caller.user_id
    )
    await starting.promise(start)
    response.headers["Location"] = f"{PREFIX}{ROOT}/{row.request_id}"
    return await _whole(session, state, row)


def _new(state: State, caller: Caller, wanted: DataRequestBody) -> DataRequestRow:
    subject, now = wanted.subject or caller.user_id, datetime.now(UTC)
    own_export = wanted.kind is RequestKind.EXPORT and subject == caller.user_id
    by_address = wanted.email_addresses or wanted.phone_numbers
    if ADMIN not in caller.permissions and (not own_export or by_address):
        detail = f"Without {ADMIN} you may ask for an export of your own data, by your user id only."
        raise Forbidden(detail, code="not_yours")
    return DataRequestRow(
        request_id=new_id("dsr"),
        tenant_id=caller.tenant_id,
        kind=wanted.kind,
        status=RequestStatus.PENDING,
        subject=subject,
        alias=pseudonym(state.settings.secret_key, caller.tenant_id, subject),
        email_addresses=wanted.email_addresses,
        phone_numbers=wanted.phone_numbers,
        reason=wanted.reason,
        reference=wanted.reference,
        requested_by=caller.user_id,
        four_eyes=state.settings.data_request_four_eyes,
        correlation_id=correlation_id.get() or None,
        due_at=now + timedelta(days=wanted.due_days),
        created_at=now,
    )


@router.get(ROOT, response_model=Page[DataRequestItem], summary="List data-subject requests, newest first")
async def list_data_requests(
    session: Session,
    state: AppState,
    caller: Reader,
    page: PageOf,
    kind: RequestKind | None = None,
    status: RequestStatus | None = None,
    subject: Annotated[str | None, Query(max_length=200, description="also finds what was erased for them")] = None,
    overdue: Annotated[bool | None, Query(description="due, and not answered")] = None,
) -> Page[DataRequestItem]:
    wanted = RequestFilter(
        kind=kind,
        status=status,
        subjects=_names(state, caller, subject) if subject else None,
        requested_by=_own_only(caller),
        overdue=overdue,
    )
    after = decode_cursor(page.cursor, (datetime, str))
    found = await store.list_requests(session, wanted, limit=page.limit, after=after)
    rows = found[: page.limit]
    return Page[DataRequestItem](
        items=[DataRequestItem.model_validate(_known(state, row)) for row in rows],
        next_cursor=encode_cursor(rows[-1].created_at, rows[-1].request_id) if len(found) > page.limit else None,
    )


def _names(state: State, caller: Caller, subject: str) -> list[str]:
    return [subject, pseudonym(state.settings.secret_key, caller.tenant_id, subject)]


def _own_only(caller: Caller) -> str | None:
    """Requests name people: only an administrator sees those that others made."""
    return None if caller.tenant_wide and ADMIN in caller.permissions else caller.user_id


@router.get(f"{ROOT}/{{request_id}}", response_model=DataRequest, summary="How far a data-subject request is")
async def get_data_request(session: Session, state: AppState, caller: Reader, request_id: RowId) -> DataRequest:
    return await _whole(session, state, await _must_find(session, caller, request_id))


async def _must_find(session: Session, caller: Caller, request_id: str) -> DataRequestRow:
    row = await store.request_of(session, request_id, requested_by=_own_only(caller))
    if row is None:
        raise NotFound(f"There is no data request {request_id}.", code="data_request_not_found")
    return row


@router.post(
    f"{ROOT}/{{request_id}}/approve",
    response_model=DataRequest,
    status_code=202,
    summary="Approve a data-subject request",
    description="It runs from then on. Under four eyes, not by who asked for it, nor by whom it is about.",
)
async def approve_data_request(
    session: Session,
    starting: Starting,
    state: AppState,
    caller: Admin,
    request_id: RowId,
    response: Response,
    wanted: Decision = UNSAID,
) -> DataRequest:
    row = await _must_find(session, caller, request_id)
    if not may_approve(caller.user_id, requested_by=row.requested_by, subject=row.subject, four_eyes=row.four_eyes):
        raise Forbidden("Another administrator must approve this request.", code="four_eyes")
    response.headers["Location"] = f"{PREFIX}{ROOT}/{request_id}"
    return await _decide(session, starting, state, caller, row, Verb.APPROVED, wanted)


@router.post(f"{ROOT}/{{request_id}}/reject", response_model=DataRequest, summary="Reject a data-subject request")
async def reject_data_request(
    session: Session,
    starting: Starting,
    state: AppState,
    caller: Admin,
    request_id: RowId,
    wanted: Decision = UNSAID,
) -> DataRequest:
    row = await _must_find(session, caller, request_id)
    return await _decide(session, starting, state, caller, row, Verb.REJECTED, wanted)


@router.post(
    f"{ROOT}/{{request_id}}/cancel",
    response_model=DataRequest,
    summary="Take a data-subject request back",
    description="Before it is decided: by who asked for it, or by an administrator.",
)
async def cancel_data_request(
    session: Session,
    starting: Starting,
    state: AppState,
    caller: Writer,
    request_id: RowId,
    wanted: Decision = UNSAID,
) -> DataRequest:
    row = await _must_find(session, caller, request_id)
    return await _decide(session, starting, state, caller, row, Verb.CANCELLED, wanted)


async def _decide(
    session: Session,
    starting: Starting,
    state: State,
    caller: Caller,
    row: DataRequestRow,
    verb: Verb,
    wanted: Decision,
) -> DataRequest:
    to = RequestStatus(verb.value)
    moved = await store.decide(session, row.request_id, verb=verb, to=to, by=caller.user_id, note=wanted.note)
    if moved is None:
        now = await _must_find(session, caller, row.request_id)
        raise Conflict(f"The request is {now.status}: it no longer waits.", code="data_request_decided")
    await starting.promise(decided(row.tenant_id, row.request_id, intent_id=new_id("intent")))
    return await _whole(session, state, moved)


@router.get(
    f"{ROOT}/{{request_id}}/artifact",
    response_class=StreamingResponse,
    responses={200: FILE, 410: GONE},
    summary="The file of a completed export: one JSON object a line",
    description="The first line is a manifest. Each download is in the audit log.",
)
async def get_data_request_artifact(
    session: Session, state: AppState, caller: Reader, request_id: RowId
) -> StreamingResponse:
    row = await _must_find(session, caller, request_id)
    _must_have_artifact(row)
    await store.tell(session, row, Verb.DOWNLOADED, actor=caller.user_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{request_id}.ndjson"',
        "Content-Length": str(row.artifact_bytes),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    seals = Seals(state.settings.secret_key, ARTIFACT_KEY)
    return StreamingResponse(_file(state.database, seals, row), media_type=MEDIA_TYPE, headers=headers)


def _must_have_artifact(row: DataRequestRow) -> None:
    if row.expires_at is not None and _artifact(row, datetime.now(UTC)) is None:
        raise Gone("The file of this export is deleted: ask for a new export.", code="artifact_expired")
    if row.kind != RequestKind.EXPORT:
        raise NotFound("An erasure has no file.", code="no_artifact")
    if row.status in (RequestStatus.REJECTED, RequestStatus.CANCELLED):
        raise NotFound(f"The request is {row.status}: it has no file. Ask for a new export.", code="no_artifact")
    if row.status != RequestStatus.COMPLETED:
        raise Conflict(f"The request is {row.status}: there is no file yet.", code="artifact_not_ready", retry_after=5)


async def _file(database: Database, seals: Seals, row: DataRequestRow) -> AsyncIterator[bytes]:
    """Part after part, each read in a transaction of its own: a slow reader holds nothing."""
    for part in PARTS:
        number = 0
        while (sealed := await _sealed(database, row, part, number)) is not None:
            yield seals.open(f"{row.request_id}/{part}/{number}", sealed)
            number += 1


async def _sealed(database: Database, row: DataRequestRow, part: str, number: int) -> bytes | None:
    async with database.begin(row.tenant_id) as session:
        return await store.chunk(session, row.request_id, part, number)


# ---- answers


async def _whole(session: Session, state: State, row: DataRequestRow) -> DataRequest:
    steps = {step.service: step for step in await store.steps_of(session, row.request_id)}
    shown = _artifact(row, datetime.now(UTC))
    gone = (
        Artifact(bytes=row.artifact_bytes or 0, expires_at=row.expires_at, available=False) if row.expires_at else None
    )
    services = [_progress(row, service, steps.get(service)) for service in SERVICES]
    return DataRequest.model_validate({**_known(state, row), "services": services, "artifact": shown or gone})


def _artifact(row: DataRequestRow, now: datetime) -> Artifact | None:
    """The file, while it can be had."""
    if row.status != RequestStatus.COMPLETED or row.expires_at is None or row.expires_at <= now:
        return None
    return Artifact(bytes=row.artifact_bytes or 0, expires_at=row.expires_at, available=True)


def _progress(row: DataRequestRow, service: Service, step: DataRequestStepRow | None) -> ServiceProgress:
    if step is None:
        return ServiceProgress(service=service, status=StepStatus.PENDING)
    return ServiceProgress(
        service=service,
        status=StepStatus(step.status),
        kinds=results(service, row.kind, step.counts),
        started_at=step.started_at,
        finished_at=step.finished_at,
    )


def _known(state: State, row: DataRequestRow) -> dict[str, object]:
    workflow_id = data_request_id(row.request_id)
    return {
        **row.model_dump(),
        "overdue": is_overdue(row.status, row.due_at, datetime.now(UTC)),
        "workflow_id": workflow_id,
        "workflow_url": workflow_url(state.settings, workflow_id),
    }
