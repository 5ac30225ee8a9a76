"""The router, who may do what, and the way single events are recorded."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Request

from api.app import router as make_router
from api.deps import allow, unit_of
from api.recorder import Recorder
from api.unit import UnitOfWork, state_of
from core.auth import Caller
from core.contracts.audit import AuditEvent, LogEvent
from core.domain import audit as rules
from core.errors import FieldError, Forbidden, Invalid
from core.ids import new_ids
from core.store import audit as store
from core.telemetry import correlation_id

PREFIX = "/api/v1/audit"
router = make_router(PREFIX, "audit")

Reader = Annotated[Caller, Depends(allow("audit:read"))]
Writer = Annotated[Caller, Depends(allow("audit:write"))]
Manager = Annotated[Caller, Depends(allow("audit:manage"))]
Id = Annotated[str, Path(min_length=1, max_length=200)]


class Recording:
    """Writes one event: with its neighbours in one commit, or with its idempotency key in the request's own."""

    def __init__(self, unit: UnitOfWork, recorder: "Recorder[AuditEvent]") -> None:
        self._unit, self._recorder = unit, recorder

    async def write(self, caller: Caller, event: AuditEvent) -> None:
        """Return when the event is committed, or will be with the answer."""
        if self._unit.has_key:
            await store.append(await self._unit.open(), caller.tenant_id, [event])
        else:
            await self._recorder.append(caller.tenant_id, event)


async def recording(request: Request) -> Recording:
    return Recording(await unit_of(request), state_of(request.app).extras["recorder"])


Record = Annotated[Recording, Depends(recording)]


def accepted(events: Sequence[LogEvent], caller: Caller, at: datetime, *, place: str = "") -> list[AuditEvent]:
    """The events as they will be kept; `place` names an item of a batch, as in `events[{}].`."""
    for index, wanted in enumerate(events):
        if wanted.actor_id is not None and caller.own_only not in (None, wanted.actor_id):
            raise _not_yours(f"{place.format(index)}actor_id")
        if rules.is_future(wanted.occurred_at, at):
            raise _not_yet(f"{place.format(index)}occurred_at")
    ids, correlation = new_ids("aud", len(events)), correlation_id.get()
    return [
        rules.recorded(wanted, event_id=event_id, actor_id=caller.user_id, correlation_id=correlation, now=at)
        for event_id, wanted in zip(ids, events, strict=True)
    ]


def _not_yours(field: str) -> Forbidden:
    found = [FieldError(field, "must be the token's own user", "not_yours")]
    return Forbidden("A user's token logs only what that user did.", code="not_yours", errors=found)


def _not_yet(field: str) -> Invalid:
    found = [FieldError(field, "lies in the future", "in_the_future")]
    return Invalid(f"{field}: an event that is logged has happened.", errors=found)


def now() -> datetime:
    return datetime.now(UTC)
