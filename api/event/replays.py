"""Routes of replays: asked for here, carried out by a workflow."""

from typing import Annotated

from fastapi import Depends, Query, Response

from api.app import router as make_router
from api.deps import PageOf, Session, Starter, Starting, allow
from api.event.routes import EVENTS, PREFIX, REPLAYS
from core.auth import Caller
from core.contracts.event import QUEUE
from core.contracts.event.replay import (
    EVENT_REPLAY,
    Replay,
    ReplayRef,
    ReplayRequest,
    ReplayStatus,
    event_replay_id,
)
from core.contracts.platform import AuditEntry, Intent, IntentKind, Page, Service
from core.domain.event import percent
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.store.audit import append_entries
from core.store.event import replay as store
from core.store.platform import decode_cursor, encode_cursor
from core.tables.event import ReplayRow
from core.telemetry import correlation_id

router = make_router(PREFIX, "event")
Manager = Annotated[Caller, Depends(allow("event:manage"))]


def shown(row: ReplayRow, starting: Starter) -> Replay:
    """A replay as callers see it."""
    work = starting.work(event_replay_id(row.replay_id))
    done = percent(row.copied + row.skipped, row.total)
    return Replay.model_validate(row.model_dump() | work.model_dump() | {"percent": done})


def intent(row: ReplayRow, kind: IntentKind, by: str) -> Intent:
    """The wish to have this replay carried out, or cancelled."""
    return Intent(
        intent_id=new_id("intent"),
        kind=kind,
        tenant_id=row.tenant_id,
        workflow_id=event_replay_id(row.replay_id),
        workflow_type=EVENT_REPLAY,
        queue=QUEUE,
        payload=ReplayRef(tenant_id=row.tenant_id, replay_id=row.replay_id).model_dump(mode="json"),
        service=Service.EVENT,
        user_id=by,
        correlation_id=row.correlation_id or "",
        summary=f"Replay {row.replay_id}",
    )


async def _audit(session: Session, row: ReplayRow, caller: Caller, verb: str) -> None:
    entry = AuditEntry(
        event_type=f"event.replay_{verb}",
        actor_id=caller.user_id,
        action=verb,
        resource_type="replay",
        resource_id=row.replay_id,
        category="data_access",
        metadata={"target_stream": row.target_stream, "event_types": list(row.event_types)},
        correlation_id=correlation_id.get() or None,
    )
    await append_entries(session, row.tenant_id, [entry])


@router.post(
    f"{EVENTS}/replay", status_code=202, response_model=Replay, summary="Copy events of the past into another stream"
)
async def start_replay(
    body: ReplayRequest, caller: Manager, session: Session, starting: Starting, response: Response
) -> Replay:
    asked = store.Asked(caller.tenant_id, caller.user_id, correlation_id.get() or None)
    row = await store.create(session, body, asked)
    await _audit(session, row, caller, "started")
    await starting.promise(intent(row, IntentKind.START, caller.user_id))
    response.headers["Location"] = f"{PREFIX}{REPLAYS}/{row.replay_id}"
    return shown(row, starting)


@router.get(REPLAYS, response_model=Page[Replay], summary="Replays, newest first")
async def list_replays(
    _: Manager,
    session: Session,
    starting: Starting,
    paging: PageOf,
    status: Annotated[ReplayStatus | None, Query()] = None,
) -> Page[Replay]:
    after = decode_cursor(paging.cursor, (str,))
    rows = await store.find(session, status=status, after=after, limit=paging.limit + 1)
    items = [shown(row, starting) for row in rows[: paging.limit]]
    return Page(items=items, next_cursor=encode_cursor(items[-1].replay_id) if len(rows) > paging.limit else None)


@router.get(REPLAYS + "/{replay_id}", response_model=Replay, summary="One replay and how far it is")
async def get_replay(replay_id: str, _: Manager, session: Session, starting: Starting) -> Replay:
    return shown(await _found(session, replay_id), starting)


@router.post(
    REPLAYS + "/{replay_id}/cancel", status_code=202, response_model=Replay, summary="Stop a replay; its copies stay"
)
async def cancel_replay(
    replay_id: str, caller: Manager, session: Session, starting: Starting, response: Response
) -> Replay:
    row = await _found(session, replay_id, lock=True)
    if not await store.finish(session, replay_id, ReplayStatus.CANCELLED):
        raise Conflict(f"The replay is {row.status} already.", code="replay_ended")
    await session.refresh(row)
    await _audit(session, row, caller, "cancelled")
    await starting.promise(intent(row, IntentKind.CANCEL, caller.user_id))
    response.headers["Location"] = f"{PREFIX}{REPLAYS}/{row.replay_id}"
    return shown(row, starting)


async def _found(session: Session, replay_id: str, *, lock: bool = False) -> ReplayRow:
    row = await store.get(session, replay_id, lock=lock)
    if row is None:
        raise NotFound("No such replay: the id is the replay_id that asking for it answered.")
    return row
