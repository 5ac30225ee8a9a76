"""One try of many channels: claimed, handed to their providers, recorded. A single send is the same with one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.event import Delays, Deliveries
from core.contracts.event.webhook import DeliveryStatus, FailureClass, NewDelivery, WebhookOutcome, WebhookTry
from core.contracts.notification import (
    BAD_ADDRESS,
    CHANNEL_NOT_CONFIGURED,
    NO_ADDRESS,
    OPTED_OUT,
    PROVIDER_UNAVAILABLE,
    RECIPIENT_UNKNOWN,
    REJECTED,
    THROTTLED,
    Channel,
    ChannelStatus,
    Outcome,
    Priority,
)
from core.domain.event import next_delay
from core.domain.notification import overall
from core.ports import DeliveryFailure, MessageChannel, OutgoingMessage, Receipt, Transactions
from core.store.event import add_delivery
from core.store.notification import delivery as store
from core.store.notification import messages, recipients

SENT_EVENT = "notification.sent"
WEBHOOK = "webhook"
ADDRESS_FIELDS = {Channel.EMAIL: "email", Channel.SMS: "phone", Channel.WEBHOOK: "webhook_url"}
OF_WEBHOOK = {
    DeliveryStatus.DELIVERED: ChannelStatus.DELIVERED,
    DeliveryStatus.RETRYING: ChannelStatus.RETRYING,
    DeliveryStatus.FAILED: ChannelStatus.FAILED,
    DeliveryStatus.CANCELLED: ChannelStatus.CANCELLED,
    DeliveryStatus.PENDING: ChannelStatus.FAILED,
}
WEBHOOK_CODES = {
    FailureClass.PERMANENT: REJECTED,
    FailureClass.THROTTLED: THROTTLED,
    FailureClass.TRANSIENT: PROVIDER_UNAVAILABLE,
}
NOT_PUBLIC = "address_not_allowed"

Loaded = Mapping[Any, Any]
Recorded = Callable[[AsyncSession, Sequence[store.Tried]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Order:
    """Which channels to try where they stand at which statuses, for whom, and what follows a failure."""

    tenant_id: str
    channels: Sequence[Channel]
    statuses: Sequence[ChannelStatus]
    by: store.Claim
    delays: Delays


class Machine:
    """Tries channels. A channel without a provider fails for good: nothing pretends to be delivered."""

    def __init__(
        self, database: Transactions, channels: Mapping[Channel, MessageChannel], webhooks: Deliveries
    ) -> None:
        self._database, self._channels, self._webhooks = database, channels, webhooks

    async def run(self, order: Order, ids: Sequence[str], recorded: Recorded | None = None) -> list[store.Tried]:
        """One try of each; `recorded` joins the transaction that records them.

        Whoever cancels this waits for its end: a message that was handed over is also recorded.
        """
        trying = asyncio.ensure_future(self._run(order, ids, recorded))
        try:
            return await asyncio.shield(trying)
        except asyncio.CancelledError:
            await asyncio.wait([trying])
            raise

    async def _run(self, order: Order, ids: Sequence[str], recorded: Recorded | None) -> list[store.Tried]:
        async with self._database.begin(order.tenant_id) as session:
            claimed, tokens = await self._claim(session, order, ids)
            if not claimed:
                await messages.settle(session, order.tenant_id, ids, overall)
        if not claimed:
            return []
        made, broken = await self._try(order, claimed, tokens)
        async with self._database.begin(order.tenant_id) as session:
            await self._record(session, order, made)
            if recorded is not None:
                await recorded(session, made)
        if broken:
            raise broken[0]
        return made

    async def _claim(
        self, session: AsyncSession, order: Order, ids: Sequence[str]
    ) -> tuple[list[Loaded], dict[str, list[str]]]:
        await messages.lock(session, ids)
        await store.prepare(session, ids)
        claimed: list[Loaded] = list(
            await store.claim(session, ids, channels=order.channels, statuses=order.statuses, by=order.by)
        )
        for place, row in enumerate(claimed):
            if row["channel"] == Channel.WEBHOOK and row["webhook_url"] and not row["delivery_id"]:
                claimed[place] = {**row, "delivery_id": await _add_webhook(session, row)}
        reached = [row["user_id"] for row in claimed if row["channel"] == Channel.PUSH]
        return claimed, await recipients.tokens_of(session, reached) if reached else {}

    async def _try(
        self, order: Order, claimed: Sequence[Loaded], tokens: Mapping[str, list[str]]
    ) -> tuple[list[store.Tried], list[BaseException]]:
        """What came of each, and what broke: a fault of ours, whose channel stays in hand and is tried again."""
        webhooks = [row for row in claimed if row["channel"] == Channel.WEBHOOK and row["delivery_id"]]
        others = [row for row in claimed if not (row["channel"] == Channel.WEBHOOK and row["delivery_id"])]
        tries = [self._hand_over(order, row, _addresses(row, tokens)) for row in others]
        found = await asyncio.gather(*tries, self._post(order, webhooks), return_exceptions=True)
        made, broken = list[store.Tried](), list[BaseException]()
        for result in found:
            if isinstance(result, BaseException):
                broken.append(result)
            else:
                made += result
        return made, broken

    async def _hand_over(self, order: Order, row: Loaded, addresses: Sequence[str]) -> list[store.Tried]:
        at, channel = datetime.now(UTC), Channel(row["channel"])
        provider = self._channels.get(channel)
        try:
            receipt = await _send(provider, row, addresses)
        except DeliveryFailure as failure:
            return [_failed(row, failure, order.delays, at, provider.provider if provider else None)]
        return [
            store.Tried(
                row["notification_id"],
                channel,
                ChannelStatus.SENT,
                Outcome.ACCEPTED,
                at,
                provider=provider.provider if provider else None,
                provider_message_id=receipt.provider_message_id,
                dead_tokens=receipt.dead_addresses,
            )
        ]

    async def _post(self, order: Order, rows: Sequence[Loaded]) -> list[store.Tried]:
        """Webhooks go by the machine that delivers all webhooks."""
        if not rows:
            return []
        at, delays = datetime.now(UTC), order.delays
        tries = [
            WebhookTry(
                tenant_id=order.tenant_id,
                delivery_id=row["delivery_id"],
                transient_delay=delays.transient,
                throttled_delay=delays.throttled,
            )
            for row in rows
        ]
        outcomes = await self._webhooks.attempt(tries)
        return [_posted(row, outcome, at) for row, outcome in zip(rows, outcomes, strict=True)]

    async def _record(self, session: AsyncSession, order: Order, made: Sequence[store.Tried]) -> None:
        ids = sorted({tried.notification_id for tried in made})
        await messages.lock(session, ids)
        await store.record(session, made, by=order.by)
        if dead := [token for tried in made for token in tried.dead_tokens]:
            await recipients.deactivate(session, dead)
        if any(tried.status is ChannelStatus.RETRYING for tried in made):
            await messages.stop(session, ids, of_cancelled_batches=True)  # cancelled while they were tried
        await messages.settle(session, order.tenant_id, ids, overall)


async def _add_webhook(session: AsyncSession, row: Loaded) -> str:
    body = {name: row[name] for name in ("notification_id", "user_id", "subject", "correlation_id")}
    new = NewDelivery(
        tenant_id=row["tenant_id"],
        reference=row["notification_id"],
        event_type=SENT_EVENT,
        url=row["webhook_url"],
        body={**body, "body": row["html"] or row["body"]},
    )
    ref = await add_delivery(session, new)
    await store.keep_delivery(session, row["notification_id"], ref.delivery_id)
    return ref.delivery_id


def _addresses(row: Loaded, tokens: Mapping[str, list[str]]) -> Sequence[str]:
    if row["channel"] == Channel.PUSH:
        return tokens.get(row["user_id"], [])
    address = row[ADDRESS_FIELDS[Channel(row["channel"])]]
    return [address] if address else []


async def _send(provider: MessageChannel | None, row: Loaded, addresses: Sequence[str]) -> Receipt:
    channel = row["channel"]
    if provider is None and channel != Channel.WEBHOOK:
        told = f"No provider is configured for {channel}: see the settings of the notification service."
        raise DeliveryFailure(CHANNEL_NOT_CONFIGURED, FailureClass.PERMANENT, told)
    if provider is None or not addresses:
        known = row["known"] or channel == Channel.PUSH
        what = "device that takes push messages" if channel == Channel.PUSH else f"address for {channel}"
        told = f"The recipient has no {what}." if known else "Nothing is known of the recipient: PUT …/recipients."
        raise DeliveryFailure(NO_ADDRESS if known else RECIPIENT_UNKNOWN, FailureClass.PERMANENT, told)
    message = OutgoingMessage(
        message_id=f"{row['notification_id']}.{channel}",
        notification_id=row["notification_id"],
        correlation_id=row["correlation_id"],
        addresses=addresses,
        subject=row["subject"],
        text=row["body"],
        html=row["html"],
        urgent=row["priority"] in (Priority.HIGH, Priority.URGENT),
    )
    return await provider.send(message)


def _failed(row: Loaded, failure: DeliveryFailure, delays: Delays, at: datetime, provider: str | None) -> store.Tried:
    planned = {FailureClass.TRANSIENT: delays.transient, FailureClass.THROTTLED: delays.throttled}
    wait = next_delay(planned.get(failure.failure_class), failure.retry_after, longest=delays.longest)
    return store.Tried(
        row["notification_id"],
        Channel(row["channel"]),
        ChannelStatus.FAILED if wait is None else ChannelStatus.RETRYING,
        Outcome.FAILED,
        at,
        provider=provider,
        failure_class=failure.failure_class.value,
        error_code=failure.code,
        error_message=failure.message[:1000].replace("\x00", "\ufffd"),
        next_attempt_at=_later(wait),
        dead_tokens=failure.dead_addresses,
    )


def _posted(row: Loaded, outcome: WebhookOutcome, at: datetime) -> store.Tried:
    status = webhook_status(outcome)
    arrived = status is ChannelStatus.DELIVERED
    return store.Tried(
        row["notification_id"],
        Channel.WEBHOOK,
        status,
        Outcome.ACCEPTED if arrived else Outcome.FAILED,
        at,
        provider=WEBHOOK,
        provider_message_id=outcome.delivery_id if arrived else None,
        failure_class=None if arrived else (outcome.failure or FailureClass.PERMANENT).value,
        error_code=None if arrived else webhook_code(outcome),
        error_message=None if arrived else outcome.error,
        delivery_id=outcome.delivery_id,
        next_attempt_at=_later(outcome.retry_in),
    )


def webhook_status(outcome: WebhookOutcome) -> ChannelStatus:
    """How the delivery of a webhook stands, as the status of its channel."""
    return ChannelStatus.SUPPRESSED if outcome.error == OPTED_OUT else OF_WEBHOOK[outcome.status]


def webhook_code(outcome: WebhookOutcome) -> str:
    """Why a webhook was not delivered, in this service's words."""
    if outcome.error == OPTED_OUT:
        return OPTED_OUT
    if outcome.error == NOT_PUBLIC:
        return BAD_ADDRESS
    return WEBHOOK_CODES[outcome.failure or FailureClass.PERMANENT]


def _later(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
