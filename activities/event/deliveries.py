"""One try of a webhook, for whoever asks: load the message, send it, record what came of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import to_json
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from core.contracts.event.webhook import (
    WEBHOOK_ATTEMPT,
    WEBHOOK_CANCEL,
    DeliveryRef,
    DeliveryStatus,
    FailureClass,
    SubscriptionStatus,
    WebhookOutcome,
    WebhookTry,
)
from core.contracts.platform import DomainEvent
from core.domain.event import GONE, cloud_event, failure_class, next_delay
from core.ports import Transactions, WebhookMessage, WebhookReply, WebhookSender
from core.store import event as log
from core.store.event import delivery as store
from core.store.event import subscription as subscriptions

AT_ONCE = 32
STOPPED, DELETED, UNKNOWN, OPTED_OUT = "stopped", "subscription_deleted", "no_such_delivery", "opted_out"
ENDPOINT_GONE = "endpoint_gone"

Loaded = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds until the next try by failure class (None: this try is the last), and what an endpoint may ask for."""

    transient: float | None
    throttled: float | None
    longest: float


@dataclass(frozen=True, slots=True)
class Tried:
    """A try that was made."""

    loaded: Loaded
    recorded: store.Recorded
    outcome: WebhookOutcome


class Deliveries:
    """Tries deliveries: as activities for the workflow `webhook.deliver`, and in bulk for other activities."""

    def __init__(self, database: Transactions, sender: WebhookSender, *, longest_retry_after: float) -> None:
        self._database, self._sender, self._longest = database, sender, longest_retry_after

    @activity.defn(name=WEBHOOK_ATTEMPT)
    async def attempt_one(self, wanted: WebhookTry) -> WebhookOutcome:
        """Make one try; a delivery that has ended already answers how."""
        return (await self.attempt([wanted]))[0]

    @activity.defn(name=WEBHOOK_CANCEL)
    async def cancel(self, ref: DeliveryRef) -> WebhookOutcome:
        """Stop a delivery that has not ended."""
        async with self._database.begin(ref.tenant_id) as session:
            await store.close(session, ref.delivery_id, DeliveryStatus.CANCELLED, STOPPED)
            loaded = await store.load(session, [ref.delivery_id])
        return _ended(ref.delivery_id, loaded[0]["status"] if loaded else DeliveryStatus.CANCELLED, STOPPED)

    async def attempt(self, tries: Sequence[WebhookTry]) -> list[WebhookOutcome]:
        """One try of each, some at once, all of one tenant; an outcome of each, in order.

        A try that breaks is a fault of ours: it is raised once the others are recorded, which then are not made again.
        """
        tenant, gate = tries[0].tenant_id, asyncio.Semaphore(AT_ONCE)
        async with self._database.begin(tenant) as session:
            loaded = {row["delivery_id"]: row for row in await store.load(session, [t.delivery_id for t in tries])}
            ended = {t.delivery_id: await settled(session, t.delivery_id, loaded.get(t.delivery_id)) for t in tries}

        async def one(wanted: WebhookTry) -> Tried:
            delays = Delays(wanted.transient_delay, wanted.throttled_delay, self._longest)
            async with gate:
                return await self.send(loaded[wanted.delivery_id], delays)

        found = await asyncio.gather(*(one(t) for t in tries if ended[t.delivery_id] is None), return_exceptions=True)
        made = [tried for tried in found if isinstance(tried, Tried)]
        if made:
            async with self._database.begin(tenant) as session:
                await keep(session, made)
        for broken in found:
            if isinstance(broken, BaseException):
                raise broken
        outcomes = {tried.outcome.delivery_id: tried.outcome for tried in made}
        return [ended[t.delivery_id] or outcomes[t.delivery_id] for t in tries]

    async def send(self, loaded: Loaded, delays: Delays) -> Tried:
        """Send one loaded delivery; nothing is written yet."""
        started = datetime.now(UTC)
        return _judge(loaded, await self._sender.send(_message(loaded)), delays, started)


async def settled(session: AsyncSession, delivery_id: str, loaded: Loaded | None) -> WebhookOutcome | None:
    """How a delivery stands that is not to be sent now; None where it is."""
    if loaded is None:
        return _ended(delivery_id, DeliveryStatus.CANCELLED, UNKNOWN)
    if loaded["status"] not in store.OPEN:
        return _ended(delivery_id, loaded["status"], loaded["error"])
    if loaded["subscription_status"] == subscriptions.DELETED:
        await store.close(session, delivery_id, DeliveryStatus.CANCELLED, DELETED)
        return _ended(delivery_id, DeliveryStatus.CANCELLED, DELETED)
    if loaded["opted_out"]:
        await store.close(session, delivery_id, DeliveryStatus.CANCELLED, OPTED_OUT)
        return _ended(delivery_id, DeliveryStatus.CANCELLED, OPTED_OUT)
    if loaded["subscription_status"] == SubscriptionStatus.PAUSED:
        await store.queue_again(session, delivery_id, new_round=loaded["status"] == DeliveryStatus.RETRYING)
        return _ended(delivery_id, DeliveryStatus.PENDING, None)
    return None


async def keep(session: AsyncSession, made: Sequence[Tried]) -> None:
    """Record tries; an endpoint that is gone for good pauses its subscription."""
    await store.record(session, [tried.recorded for tried in made])
    for tried in made:
        subscription_id = tried.loaded["subscription_id"]
        gone = tried.outcome.error == ENDPOINT_GONE and subscription_id is not None
        if gone and await subscriptions.pause_gone(session, subscription_id):
            await log.append(session, tried.loaded["tenant_id"], [_paused(subscription_id, tried.loaded)])


def _paused(subscription_id: str, loaded: Loaded) -> DomainEvent:
    return DomainEvent(
        event_type="event.subscription_paused",
        source="event",
        payload={"subscription_id": subscription_id, "reason": subscriptions.PAUSED_BY_RECEIVER},
        correlation_id=loaded["correlation_id"],
        causation_id=loaded["event_id"],
    )


def _ended(delivery_id: str, status: str, error: str | None) -> WebhookOutcome:
    return WebhookOutcome(delivery_id=delivery_id, status=DeliveryStatus(status), error=error)


def _message(loaded: Loaded) -> WebhookMessage:
    return WebhookMessage(
        tenant_id=loaded["tenant_id"],
        webhook_id=loaded["delivery_id"],
        url=loaded["url"],
        body=to_json(_cloud_event(loaded)).decode(),
        secrets=[sealed for sealed in (loaded["secret"], loaded["old_secret"]) if sealed],
    )


def _cloud_event(loaded: Loaded) -> dict[str, object]:
    if loaded["event_id"] is None:
        return cloud_event(
            event_id=loaded["delivery_id"],
            event_type=loaded["event_type"],
            source="notification",
            time=loaded["created_at"],
            data=loaded["body"],
            extensions={"reference": loaded["reference"]},
        )
    return cloud_event(
        event_id=loaded["event_id"],
        event_type=loaded["event_type"],
        source=loaded["source"],
        time=loaded["occurred_at"],
        data=loaded["payload"],
        extensions={
            "category": loaded["category"],
            "stream": loaded["stream"],
            "correlationid": loaded["correlation_id"],
            "causationid": loaded["causation_id"],
        },
    )


def _judge(loaded: Loaded, reply: WebhookReply, delays: Delays, started: datetime) -> Tried:
    failure = failure_class(reply.status_code, error=reply.error, retry_after=reply.retry_after)
    planned = {FailureClass.TRANSIENT: delays.transient, FailureClass.THROTTLED: delays.throttled}
    retry_in = next_delay(planned.get(failure) if failure else None, reply.retry_after, longest=delays.longest)
    status = DeliveryStatus.DELIVERED if failure is None else DeliveryStatus.RETRYING
    if failure is not None and retry_in is None:
        status = DeliveryStatus.FAILED
    error = ENDPOINT_GONE if reply.status_code == GONE else reply.error
    outcome = WebhookOutcome(
        delivery_id=loaded["delivery_id"],
        status=status,
        failure=failure,
        status_code=reply.status_code,
        error=error,
        retry_in=retry_in,
    )
    recorded = store.Recorded(
        tenant_id=loaded["tenant_id"],
        delivery_id=loaded["delivery_id"],
        attempt=loaded["attempts"] + 1,
        status=status.value,
        latency_ms=reply.latency_ms,
        attempted_at=started,
        status_code=reply.status_code,
        error=error,
        response=reply.response,
        next_attempt_at=datetime.now(UTC) + timedelta(seconds=retry_in) if retry_in is not None else None,
    )
    return Tried(loaded, recorded, outcome)
