"""Routes of subscriptions and their deliveries."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query, Response
from pydantic import JsonValue
from sqlmodel.ext.asyncio.session import AsyncSession

from api.app import router as make_router
from api.deps import AppState, PageOf, Session, Starter, Starting, allow
from api.event.routes import PREFIX, SUBSCRIPTIONS
from api.unit import State
from core.auth import Caller
from core.contracts.event.webhook import (
    HURRY_SIGNAL,
    Attempt,
    Delivery,
    DeliveryStatus,
    Subscribe,
    Subscription,
    SubscriptionPatch,
    SubscriptionSecret,
    SubscriptionStatus,
    webhook_deliver_id,
)
from core.contracts.platform import AuditEntry, Intent, IntentKind, Page, Service
from core.domain.event import host_of, is_private
from core.errors import FieldError, Invalid, NotFound
from core.ids import new_id
from core.keys import Seal
from core.store.audit import append_entries
from core.store.event import delivery as deliveries
from core.store.event import subscription as store
from core.store.platform import decode_cursor, encode_cursor
from core.tables.event import AttemptRow, DeliveryRow, SubscriptionRow
from core.telemetry import correlation_id

router = make_router(PREFIX, "event")
Manager = Annotated[Caller, Depends(allow("event:manage"))]
SECRET_BYTES = 32
OLD_SECRET_SIGNS = timedelta(hours=24)


def new_secret() -> str:
    """A signing secret in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _sealed(state: State, secret: str) -> bytes:
    seal: Seal = state.extras["seal"]
    return seal.close(secret.encode())


def _check_address(state: State, url: str) -> None:
    if is_private(host_of(url)) and not state.settings.webhook_allow_private:
        problem = FieldError("webhook_url", "must be on the public internet", "address_not_allowed")
        detail = "Webhooks do not go to private or local addresses: name a public host."
        raise Invalid(detail, code="address_not_allowed", errors=[problem])


async def _audit(session: AsyncSession, row: SubscriptionRow, caller: Caller, verb: str, **told: JsonValue) -> None:
    entry = AuditEntry(
        event_type=f"event.subscription_{verb}",
        actor_id=caller.user_id,
        action=verb,
        resource_type="subscription",
        resource_id=row.subscription_id,
        metadata={"host": host_of(row.webhook_url), **told},
        correlation_id=correlation_id.get() or None,
    )
    await append_entries(session, row.tenant_id, [entry])


async def _found(session: AsyncSession, subscription_id: str, *, lock: bool = False) -> SubscriptionRow:
    row = await store.get(session, subscription_id, lock=lock)
    if row is None:
        raise NotFound("No such subscription: the id is the subscription_id that subscribing answered.")
    return row


@router.post(
    SUBSCRIPTIONS,
    status_code=201,
    response_model=SubscriptionSecret,
    summary="Have matching events sent to a webhook, signed",
)
async def subscribe(
    body: Subscribe, caller: Manager, session: Session, state: AppState, response: Response
) -> SubscriptionSecret:
    _check_address(state, body.webhook_url)
    secret = new_secret()
    row = await store.create(session, caller.tenant_id, body, by=caller.user_id, secret=_sealed(state, secret))
    await _audit(session, row, caller, "created")
    response.headers["Location"] = f"{PREFIX}{SUBSCRIPTIONS}/{row.subscription_id}"
    return SubscriptionSecret.model_validate(row.model_dump() | {"secret": secret})


@router.get(SUBSCRIPTIONS, response_model=Page[Subscription], summary="Subscriptions, newest first")
async def list_subscriptions(
    _: Manager,
    session: Session,
    paging: PageOf,
    status: Annotated[SubscriptionStatus | None, Query()] = None,
) -> Page[Subscription]:
    after = decode_cursor(paging.cursor, (str,))
    rows = await store.find(session, status=status, after=after, limit=paging.limit + 1)
    items = [Subscription.model_validate(row) for row in rows[: paging.limit]]
    return Page(items=items, next_cursor=encode_cursor(items[-1].subscription_id) if len(rows) > paging.limit else None)


@router.get(SUBSCRIPTIONS + "/{subscription_id}", response_model=Subscription, summary="One subscription")
async def get_subscription(subscription_id: str, _: Manager, session: Session) -> Subscription:
    return Subscription.model_validate(await _found(session, subscription_id))


@router.patch(
    SUBSCRIPTIONS + "/{subscription_id}", response_model=Subscription, summary="Pause, resume or change a subscription"
)
async def change_subscription(
    subscription_id: str, body: SubscriptionPatch, caller: Manager, session: Session, state: AppState
) -> Subscription:
    row = await _found(session, subscription_id, lock=True)
    if body.webhook_url is not None:
        _check_address(state, body.webhook_url)
    changed = body.model_dump(exclude_unset=True, mode="json")
    for name, value in changed.items():
        setattr(row, name, value)
    if body.status is not None:
        row.status_reason = None
    await store.save(session, row)
    await _audit(session, row, caller, "changed", fields=[*changed])
    return Subscription.model_validate(row)


@router.delete(SUBSCRIPTIONS + "/{subscription_id}", status_code=204, summary="Unsubscribe; what waits is cancelled")
async def unsubscribe(subscription_id: str, caller: Manager, session: Session) -> None:
    row = await _found(session, subscription_id, lock=True)
    await _audit(session, row, caller, "deleted")
    await store.delete(session, row)


@router.post(
    SUBSCRIPTIONS + "/{subscription_id}/rotate-secret",
    response_model=SubscriptionSecret,
    summary="A new signing secret; the old one signs beside it for 24 hours",
)
async def rotate_secret(subscription_id: str, caller: Manager, session: Session, state: AppState) -> SubscriptionSecret:
    row = await _found(session, subscription_id, lock=True)
    secret = new_secret()
    row.old_secret, row.old_secret_until = row.secret, datetime.now(UTC) + OLD_SECRET_SIGNS
    row.secret = _sealed(state, secret)
    await store.save(session, row)
    await _audit(session, row, caller, "secret_rotated")
    return SubscriptionSecret.model_validate(row.model_dump() | {"secret": secret})


@router.get(
    SUBSCRIPTIONS + "/{subscription_id}/deliveries",
    response_model=Page[Delivery],
    summary="Deliveries with their attempts, newest first",
)
async def list_deliveries(
    subscription_id: str,
    _: Manager,
    session: Session,
    starting: Starting,
    paging: PageOf,
    status: Annotated[DeliveryStatus | None, Query()] = None,
) -> Page[Delivery]:
    await _found(session, subscription_id)
    after = decode_cursor(paging.cursor, (str,))
    rows = await deliveries.list_deliveries(
        session, subscription_id, status=status, after=after, limit=paging.limit + 1
    )
    attempts = await deliveries.attempts_of(session, [row.delivery_id for row in rows])
    items = [_shown(row, attempts.get(row.delivery_id, []), starting) for row in rows[: paging.limit]]
    return Page(items=items, next_cursor=encode_cursor(items[-1].delivery_id) if len(rows) > paging.limit else None)


def _shown(row: DeliveryRow, attempts: list[AttemptRow], starting: Starter) -> Delivery:
    told = row.model_dump() | {
        "attempt_count": row.attempts,
        "attempts": [Attempt.model_validate(attempt) for attempt in attempts],
    }
    if row.status == DeliveryStatus.RETRYING:
        told |= starting.work(webhook_deliver_id(row.delivery_id, row.round)).model_dump()
    return Delivery.model_validate(told)


@router.post(
    SUBSCRIPTIONS + "/{subscription_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    response_model=Delivery,
    summary="Send a delivery again, or hurry one that waits for its next try",
)
async def redeliver(
    subscription_id: str, delivery_id: str, caller: Manager, session: Session, starting: Starting
) -> Delivery:
    await _found(session, subscription_id)
    row = await deliveries.get_delivery(session, subscription_id, delivery_id)
    if row is None:
        raise NotFound("This subscription has no such delivery.")
    if row.status == DeliveryStatus.RETRYING:
        await starting.promise(_hurry(row, caller))
    elif row.status != DeliveryStatus.PENDING:
        await deliveries.queue_again(session, delivery_id, new_round=True)
        await session.refresh(row)
    attempts = await deliveries.attempts_of(session, [delivery_id])
    return _shown(row, attempts.get(delivery_id, []), starting)


def _hurry(row: DeliveryRow, caller: Caller) -> Intent:
    return Intent(
        intent_id=new_id("intent"),
        kind=IntentKind.SIGNAL,
        signal=HURRY_SIGNAL,
        tenant_id=row.tenant_id,
        workflow_id=webhook_deliver_id(row.delivery_id, row.round),
        service=Service.EVENT,
        user_id=caller.user_id,
        correlation_id=correlation_id.get(),
    )
