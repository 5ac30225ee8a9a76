"""Routes of the devices that push messages go to."""

import hashlib
from typing import Annotated

from fastapi import Path, Response

from api.deps import Session, must_reach
from api.notification import answers
from api.notification.access import PREFIX, Writer, new_router
from core.contracts.notification import PushSubscription, SubscribePush
from core.errors import NotFound
from core.store.notification import recipients as store

router = new_router()


@router.post(
    "/push/subscribe",
    status_code=201,
    response_model=PushSubscription,
    summary="Have push messages sent to a device",
    description="The same device again replaces its token; a token that another device had is taken from it.",
)
async def subscribe_push(
    session: Session, caller: Writer, wanted: SubscribePush, response: Response
) -> PushSubscription:
    user_id = wanted.user_id or caller.user_id
    must_reach(caller, user_id)
    row = await store.subscribe(
        session,
        caller.tenant_id,
        user_id,
        device_id=wanted.device_id or _named_by_token(wanted.device_token),
        token=wanted.device_token,
        platform=wanted.platform,
    )
    response.headers["Location"] = f"{PREFIX}/push/subscriptions/{row['subscription_id']}"
    return answers.push_subscription(row)


def _named_by_token(token: str) -> str:
    return f"token:{hashlib.sha256(token.encode()).hexdigest()[:32]}"


@router.delete("/push/subscriptions/{subscription_id}", status_code=204, summary="Send no more push to a device")
async def unsubscribe_push(
    session: Session, caller: Writer, subscription_id: Annotated[str, Path(min_length=1, max_length=200)]
) -> None:
    if not await store.unsubscribe(session, subscription_id, user_id=caller.own_only):
        raise NotFound(f"There is no push subscription {subscription_id}.", code="subscription_not_found")
