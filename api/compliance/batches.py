"""Many texts checked by one workflow: the caller waits a little, or comes back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Response
from fastapi.responses import StreamingResponse

from api.compliance.access import POLICIES, PREFIX, Reader, RowId, Writer, must_choose, must_read, router
from api.deps import AppState, PageOf, Paging, Session, Starting
from api.unit import State
from core.auth import Caller
from core.compliance.policies import Policies
from core.contracts.compliance import (
    BATCH_CONTENT,
    BATCH_RUN,
    DEFAULT_WAIT_SECONDS,
    LINES,
    MAX_ITEMS,
    QUEUE,
    Batch,
    BatchHead,
    BatchInput,
    BatchItem,
    BatchItemResult,
    BatchProgress,
    BatchRequest,
    BatchStatus,
    BatchWish,
    CheckType,
    NewBatch,
    Wait,
    batch_run_id,
)
from core.contracts.platform import Intent, IntentKind, Page, Service
from core.db import Database
from core.domain.compliance.policies import Rulebook
from core.domain.compliance.redaction import redact
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.keys import RedactionKeys
from core.store import compliance as store
from core.store.platform import decode_cursor, encode_cursor
from core.tables.compliance import BatchRow
from core.telemetry import correlation_id
from core.temporal import workflow_url

MAX_ANSWERED_FINDINGS = 100_000
"""More than these would cost the front door hundreds of megabytes; the answer then leaves spans and redaction out."""
PAGE = 1000
FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.25


@router.post(
    "/batch-check",
    response_model=Batch,
    responses={202: {"model": Batch, "description": "Still being checked: Location says where to look"}},
    summary="Check many texts",
    description=(
        "200 with all results when they are done within `wait` seconds (in the body or the query; 0 answers at once), "
        "else 202. Results keep the order and the ids of the items; an item at fault fails alone. The texts are stored "
        "only until they are checked."
    ),
)
async def batch_check(
    session: Session,
    starting: Starting,
    state: AppState,
    caller: Writer,
    wanted: BatchRequest,
    response: Response,
    wait: Annotated[Wait | None, Query(description="as in the body, which counts first")] = None,
) -> Batch:
    must_read(wanted.content_type, BATCH_CONTENT)
    new = await new_batch(state, caller, wanted)
    limit = (await rules_of(state, new)).policy.max_content_bytes
    row = await store.open_batch(session, new, wanted.items, limit=limit)
    accepted, location = _answer(state, row), f"{PREFIX}/batches/{row.batch_id}"
    seconds = next((given for given in (wanted.wait, wait) if given is not None), DEFAULT_WAIT_SECONDS)
    if seconds:
        await starting.begin(accepted, location, start(row))
        if await _finished(state.database, row, within=seconds):
            return await _whole(state, row, wanted.items)
    else:
        await starting.promise(start(row))
    response.status_code, response.headers["Location"] = 202, location
    return accepted


async def new_batch(state: State, caller: Caller, wanted: BatchWish) -> NewBatch:
    """What the caller wishes, with the policy that will judge."""
    policy = await must_choose(state, caller, named=wanted.policy, category=wanted.category)
    return NewBatch(
        batch_id=new_id("cbatch"),
        tenant_id=caller.tenant_id,
        checked_by=caller.user_id,
        check_types=wanted.check_types,
        policy=policy.name,
        policy_version=policy.version,
        policy_source=policy.source,
        category=wanted.category,
        content_type=wanted.content_type,
        correlation_id=wanted.correlation_id or correlation_id.get(),
    )


async def rules_of(state: State, batch: NewBatch | BatchRow) -> Rulebook:
    """The policy's version that judges the batch."""
    policies: Policies = state.extras[POLICIES]
    rules = await policies.version(batch.tenant_id, batch.policy, batch.policy_version)
    assert rules is not None  # versions are never removed
    return rules


def start(row: BatchRow) -> Intent:
    """The promise that its workflow is started."""
    return Intent(
        intent_id=new_id("intent"),
        tenant_id=row.tenant_id,
        workflow_id=batch_run_id(row.batch_id),
        workflow_type=BATCH_RUN,
        queue=QUEUE,
        payload=BatchInput(tenant_id=row.tenant_id, batch_id=row.batch_id).model_dump(mode="json"),
        service=Service.COMPLIANCE,
        user_id=row.checked_by,
        correlation_id=row.correlation_id or "",
        summary=f"Check the {row.total} texts of {row.batch_id}",
    )


async def _finished(database: Database, row: BatchRow, *, within: float) -> bool:
    """Whether the batch ended in time. Each look is a transaction of its own, so waiting holds nothing."""
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + within, FIRST_LOOK_SECONDS
    while (left := deadline - loop.time()) > 0:
        await asyncio.sleep(min(pause, left))
        async with database.begin(row.tenant_id) as session:
            if not await store.is_open(session, row.batch_id):
                return True
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    return False


async def _whole(state: State, row: BatchRow, items: list[BatchItem]) -> Batch:
    """The ended batch with every result; while we still have the texts at hand, they are answered redacted."""
    async with state.database.begin(row.tenant_id) as session:
        ended = await store.batch_of(session, row.batch_id, checked_by=None)
        spans = await store.findings_in(session, row.batch_id) <= MAX_ANSWERED_FINDINGS
        results = await store.item_results(session, row.batch_id, limit=MAX_ITEMS, spans=spans)
    if spans:
        rules, keys = await rules_of(state, row), RedactionKeys(state.settings.secret_key, row.tenant_id)
        for result in results:
            _redact(result, items[result.index].content, rules, keys)
    return _answer(state, ended or row, results)


def _redact(result: BatchItemResult, content: str, rules: Rulebook, keys: RedactionKeys) -> None:
    pii = (result.results or {}).get(CheckType.PII)
    if pii is not None and pii.available:
        rule = rules.policy.rules.get(CheckType.PII)
        pii.redacted = redact(content, pii.spans or [], rule.redaction if rule else None, keys)


def head(state: State, row: BatchRow) -> BatchHead:
    """The batch without its results."""
    workflow_id = batch_run_id(row.batch_id)
    links = {"workflow_id": workflow_id, "workflow_url": workflow_url(state.settings, workflow_id)}
    known = row.model_dump(exclude={"total", "failed", "cancelled"})
    return BatchHead.model_validate({**known, **links, "progress": _progress(row)})


def _answer(
    state: State, row: BatchRow, items: list[BatchItemResult] | None = None, next_cursor: str | None = None
) -> Batch:
    return Batch(**dict(head(state, row)), items=items or [], next_cursor=next_cursor)


def _progress(row: BatchRow) -> BatchProgress:
    checked = sum(row.by_status.values())
    settled = checked + row.failed + row.cancelled
    return BatchProgress(
        total=row.total,
        pending=row.total - settled,
        checked=checked,
        failed=row.failed,
        cancelled=row.cancelled,
        percent=100 * settled // max(1, row.total),
    )


async def _must_find(session: Session, caller: Caller, batch_id: str) -> BatchRow:
    row = await store.batch_of(session, batch_id, checked_by=caller.own_only)
    if row is None:
        raise NotFound(f"There is no batch {batch_id}.", code="batch_not_found")
    return row


@router.get("/batches", response_model=Page[BatchHead], summary="List batches")
async def list_batches(
    session: Session, state: AppState, caller: Reader, page: PageOf, status: BatchStatus | None = None
) -> Page[BatchHead]:
    after = decode_cursor(page.cursor, (datetime, str))
    found = await store.list_batches(session, checked_by=caller.own_only, status=status, limit=page.limit, after=after)
    more, rows = len(found) > page.limit, found[: page.limit]
    return Page[BatchHead](
        items=[head(state, row) for row in rows],
        next_cursor=encode_cursor(rows[-1].created_at, rows[-1].batch_id) if more else None,
    )


async def _results_page(
    limit: Annotated[int, Query(ge=1, le=PAGE, description="how many results at most")] = 50,
    cursor: Annotated[str | None, Query(max_length=1000, description="next_cursor of the page before")] = None,
) -> Paging:
    return Paging(limit, cursor)


@router.get("/batches/{batch_id}", response_model=Batch, summary="How far a batch is, and a page of its results")
async def get_batch(
    session: Session,
    state: AppState,
    caller: Reader,
    page: Annotated[Paging, Depends(_results_page)],
    batch_id: RowId,
) -> Batch:
    row = await _must_find(session, caller, batch_id)
    after = decode_cursor(page.cursor, (int,))
    found = await store.item_results(session, batch_id, limit=page.limit, after=after[0] if after else -1)
    more, items = len(found) > page.limit, found[: page.limit]
    return _answer(state, row, items, encode_cursor(items[-1].index) if more else None)


@router.get(
    "/batches/{batch_id}/results",
    response_class=Response,
    responses={200: {"content": {LINES: {"schema": {"type": "string"}}}}},
    summary="All results of a batch as lines of JSON",
    description="In the order of the request, as far as the batch has come: items that wait are `pending`.",
)
async def get_batch_results(session: Session, state: AppState, caller: Reader, batch_id: RowId) -> Response:
    row = await _must_find(session, caller, batch_id)
    return StreamingResponse(_lines(state.database, row), media_type=LINES)


async def _lines(database: Database, row: BatchRow) -> AsyncIterator[bytes]:
    """Page after page, each read in a transaction of its own: whoever reads slowly holds none."""
    after, more = -1, True
    while more:
        async with database.begin(row.tenant_id) as session:
            found = await store.item_results(session, row.batch_id, limit=PAGE, after=after)
        items, more = found[:PAGE], len(found) > PAGE
        if items:
            after = items[-1].index
            yield b"".join(item.model_dump_json().encode() + b"\n" for item in items)


@router.post(
    "/batches/{batch_id}/cancel",
    response_model=Batch,
    status_code=202,
    summary="Cancel a batch",
    description="Items that wait are given up and their texts deleted at once; what is checked stays.",
)
async def cancel_batch(
    session: Session, starting: Starting, state: AppState, caller: Writer, batch_id: RowId, response: Response
) -> Batch:
    row = await _must_find(session, caller, batch_id)
    cancelled = await store.cancel_batch(session, batch_id)
    if cancelled is not None:
        row = cancelled
        await starting.promise(start(row).model_copy(update={"kind": IntentKind.CANCEL, "workflow_type": ""}))
    elif row.status != BatchStatus.CANCELLED:
        raise Conflict("The batch is completed: there is nothing left to cancel.", code="batch_finished")
    response.headers["Location"] = f"{PREFIX}/batches/{batch_id}"
    return _answer(state, row)
