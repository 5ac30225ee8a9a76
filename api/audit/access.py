"""The router, who may do what, and the way single events are recorded."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path

from api.app import router as make_router
from api.deps import AppState, Unit, allow
from api.recorder import Recorder
from api.unit import UnitOfWork
from core.auth import Caller
from core.contracts.audit import AuditEvent, LogEvent
from core.domain import audit as rules
from core.errors import FieldError, Forbidden, Invalid
from core.ids import new_id
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


async def recording(state: AppState, unit: Unit) -> Recording:
    return Recording(unit, state.extras["recorder"])


Record = Annotated[Recording, Depends(recording)]


def accepted(wanted: LogEvent, caller: Caller, now: datetime, *, at: str = "") -> AuditEvent:
    """The event as it will be kept. Forbidden for another's name, Invalid for a time to come; `at` names the item."""
    if wanted.actor_id is not None and caller.own_only not in (None, wanted.actor_id):
        found = [FieldError(f"{at}actor_id", "must be the token's own user", "not_yours")]
        raise Forbidden("A user's token logs only what that user did.", code="not_yours", errors=found)
    if wanted.occurred_at is not None and rules.is_future(wanted.occurred_at, now):
        found = [FieldError(f"{at}occurred_at", "lies in the future", "in_the_future")]
        raise Invalid(f"{at}occurred_at: an event that is logged has happened.", errors=found)
    return rules.recorded(
        wanted, event_id=new_id("aud"), actor_id=caller.user_id, correlation_id=correlation_id.get(), now=now
    )


def now() -> datetime:
    return datetime.now(UTC)
