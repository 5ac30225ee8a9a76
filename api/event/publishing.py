"""Routes that publish. They are the platform's busiest, so nothing here is done twice for an event."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Response
from pydantic_core import to_json

from api.app import router as make_router
from api.deps import AppState, Session, Unit, allow
from api.edge import find_infinite
from api.event.routes import EVENTS, PREFIX
from api.recorder import Recorder
from core.auth import Caller
from core.contracts.event import PAYLOAD_MAX_BYTES, BatchPublished, Event, Publish, PublishBatch
from core.domain.event import category_of
from core.errors import FieldError, Invalid
from core.ids import new_ids
from core.store import event as store
from core.telemetry import correlation_id

router = make_router(PREFIX, "event")
Writer = Annotated[Caller, Depends(allow("event:write"))]
Row = tuple[str | datetime | None, ...]
JSON = "application/json"
INFINITY = b"Infinity"  # how a number like 1e999 comes out again; JSON has no word for it


@router.post(EVENTS, status_code=201, response_model=Event, summary="Publish one event")
async def publish(body: Publish, caller: Writer, unit: Unit, state: AppState) -> Response:
    row = _rows([body], caller, place=lambda _: "payload")[0]
    if unit.has_key:
        await store.write(await unit.open(), [row])
    else:
        recorder: Recorder[Row] = state.extras["events"]
        await recorder.append(caller.tenant_id, row)
    answer = dict(zip(store.COLUMNS, row, strict=True)) | {"payload": body.payload, "replayed_from": None}
    del answer["tenant_id"]
    return Response(to_json(answer), 201, {"Location": f"{PREFIX}{EVENTS}/{row[0]}"}, JSON)


@router.post(
    f"{EVENTS}/batch",
    status_code=201,
    response_model=BatchPublished,
    summary="Publish 1 to 1000 events: all of them, or none",
)
async def publish_batch(body: PublishBatch, caller: Writer, session: Session) -> Response:
    rows = _rows(body.events, caller, place=lambda index: f"events[{index}].payload")
    await store.write(session, rows)
    return Response(to_json({"accepted": len(rows), "event_ids": [row[0] for row in rows]}), 201, None, JSON)


def _rows(events: Sequence[Publish], caller: Caller, *, place: Callable[[int], str]) -> list[Row]:
    """Rows in the order of store.COLUMNS. A loop without calls where it can: this is the price of each event."""
    now, tenant, by, request = datetime.now(UTC), caller.tenant_id, caller.user_id, correlation_id.get() or None
    rows: list[Row] = []
    for index, (event_id, event) in enumerate(zip(new_ids("evt", len(events)), events, strict=True)):
        payload = to_json(event.payload)
        if len(payload) > PAYLOAD_MAX_BYTES:
            raise _too_much(place(index))
        if INFINITY in payload and (field := find_infinite(event.payload, place(index))):
            raise _infinite(field)
        category = event.category or category_of(event.event_type)
        rows.append(
            (
                event_id,
                tenant,
                event.stream,
                event.event_type,
                category.value,
                event.source,
                payload.decode(),
                by,
                event.correlation_id or request,
                event.causation_id,
                event.occurred_at or now,
                now,
            )
        )
    return rows


def _too_much(field: str) -> Invalid:
    message = f"holds more than {PAYLOAD_MAX_BYTES} bytes: keep large content elsewhere and publish its id"
    return Invalid(f"{field} {message}.", errors=[FieldError(field, message, "too_long")])


def _infinite(field: str) -> Invalid:
    message = "is beyond the range of a double"
    return Invalid(f"{field} {message}.", errors=[FieldError(field, message, "finite_number")])
