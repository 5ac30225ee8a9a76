"""The log: single events, batches, queries, one event, one actor's summary."""

from fastapi import Response

from api.audit.access import PREFIX, Id, Reader, Record, Writer, accepted, now, router
from api.deps import Session, must_reach
from core.contracts.audit import ActivitySummary, AuditEvent, BatchLogged, EventQuery, LogBatch, LogEvent
from core.contracts.platform import Page, PumpName
from core.errors import NotFound
from core.store import audit as store


@router.post("/events", status_code=201, response_model=AuditEvent, summary="Log an audit event")
async def log_event(wanted: LogEvent, caller: Writer, record: Record) -> Response:
    event = accepted([wanted], caller, now())[0]
    await record.write(caller, event)
    # written once, by its own serializer: FastAPI would check our own answer first, which costs as much again
    location = f"{PREFIX}/events/{event.event_id}"
    return Response(event.model_dump_json(), 201, {"Location": location}, "application/json")


@router.post(
    "/events/batch", status_code=201, response_model=BatchLogged, summary="Log up to 1,000 events, all or nothing"
)
async def log_batch(batch: LogBatch, caller: Writer, session: Session) -> BatchLogged:
    events = accepted(batch.events, caller, now(), place="events[{}].")
    await store.append(session, caller.tenant_id, events)
    return BatchLogged(accepted=len(events), event_ids=[event.event_id for event in events])


@router.post("/events/query", response_model=Page[AuditEvent], summary="Search the log, newest first")
async def query_events(query: EventQuery, caller: Reader, session: Session) -> Page[AuditEvent]:
    return await store.query_events(session, query, only_actor=caller.own_only)


@router.get("/events/{event_id}", response_model=AuditEvent, summary="One event")
async def get_event(event_id: Id, caller: Reader, session: Session) -> AuditEvent:
    event = await store.find_event(session, event_id)
    if event is None or caller.own_only not in (None, event.actor_id):
        raise NotFound(f"There is no audit event {event_id}.", code="audit_event_not_found")
    return event


@router.get(
    "/users/{user_id}/summary", response_model=ActivitySummary, summary="What one user did, exact at this moment"
)
async def summarise_user(user_id: Id, caller: Reader, session: Session) -> ActivitySummary:
    must_reach(caller, user_id)
    return await store.summary(session, user_id, pump=PumpName.AUDIT_ROLLUP)
