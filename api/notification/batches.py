"""Routes of batches: one message to many users."""

from fastapi import Response

from api.deps import AppState, Session, Starting, must_reach
from api.notification import answers
from api.notification.access import PREFIX, BatchId, Manager, Reader, new_router, sender_of
from api.notification.intents import cancel_intent, stopped_by
from core.auth import Caller
from core.contracts.notification import Batch, BatchStatus, SendBatch, notification_batch_id
from core.domain.notification import overall
from core.errors import Conflict, NotFound
from core.notification.accept import accept_batch
from core.store import audit
from core.store.notification import batches as store

router = new_router()


@router.post(
    "/batch",
    status_code=202,
    response_model=Batch,
    summary="Send a message to many users",
    description="A user named twice gets it once. One workflow serves all; a failed try gets one of its own.",
)
async def send_batch(
    session: Session, starting: Starting, state: AppState, caller: Manager, wanted: SendBatch, response: Response
) -> Batch:
    for user_id in wanted.user_ids:
        must_reach(caller, user_id)
    row, intent = await accept_batch(session, sender_of(caller), wanted)
    await starting.promise(intent)
    response.headers["Location"] = f"{PREFIX}/batches/{row.batch_id}"
    return answers.batch(state, row.model_dump(exclude={"user_ids"}), {})


@router.get("/batches/{batch_id}", response_model=Batch, summary="How far a batch is")
async def get_batch(session: Session, state: AppState, caller: Reader, batch_id: BatchId) -> Batch:
    return await _found(session, state, caller, batch_id)


async def _found(session: Session, state: AppState, caller: Caller, batch_id: str) -> Batch:
    row = await store.find(session, batch_id, requested_by=caller.own_only)
    if row is None:
        raise NotFound(f"There is no batch {batch_id}.", code="batch_not_found")
    return answers.batch(state, row, await store.count(session, batch_id))


@router.post(
    "/batches/{batch_id}/cancel",
    status_code=202,
    response_model=Batch,
    summary="Stop a batch",
    description="What was not sent yet will not be. 409 `batch_finished` when all is sent.",
)
async def cancel_batch(
    session: Session, starting: Starting, state: AppState, caller: Manager, batch_id: BatchId, response: Response
) -> Batch:
    found = await _found(session, state, caller, batch_id)
    if found.status is not BatchStatus.CANCELLED:
        if not await store.close(session, caller.tenant_id, batch_id, BatchStatus.CANCELLED):
            detail = "Every recipient was reached already: cancel single notifications that are still tried."
            raise Conflict(detail, code="batch_finished")
        await store.stop(session, caller.tenant_id, batch_id, overall)
        await audit.append_entries(session, caller.tenant_id, [stopped_by(caller, "batch", batch_id)])
        await starting.promise(cancel_intent(caller, notification_batch_id(batch_id)))
    response.headers["Location"] = f"{PREFIX}/batches/{batch_id}"
    return await _found(session, state, caller, batch_id)
