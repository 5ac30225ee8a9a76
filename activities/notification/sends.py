"""The activities of notification.send."""

from collections.abc import Sequence
from datetime import UTC, datetime

from temporalio import activity

from activities.event import Delays
from activities.notification.alive import heartbeats
from activities.notification.machine import Machine, Order, webhook_code, webhook_status
from core.contracts.notification import (
    NOTIFICATION_CANCEL,
    NOTIFICATION_CONCLUDE,
    NOTIFICATION_DELIVER,
    Channel,
    ChannelStatus,
    Delivered,
    DeliverWork,
    NotificationRef,
    WebhookEnd,
)
from core.domain.notification import overall
from core.ports import Transactions
from core.store.notification import delivery as store
from core.store.notification import messages

FIRST = (ChannelStatus.PENDING, ChannelStatus.SENDING)
AGAIN = (ChannelStatus.RETRYING, ChannelStatus.SENDING)
OUTSIDE = tuple(channel for channel in Channel if channel is not Channel.IN_APP)


def claim_of_this_attempt() -> store.Claim:
    """One attempt of one activity: what another one finds in hand, this one has left."""
    info = activity.info()
    return store.Claim(info.workflow_id or "", f"{info.activity_id}/{info.attempt}")


class SendActivities:
    """What notification.send asks for."""

    def __init__(self, database: Transactions, machine: Machine, *, longest_retry_after: float) -> None:
        self._database, self._machine, self._longest = database, machine, longest_retry_after

    @activity.defn(name=NOTIFICATION_DELIVER)
    async def deliver(self, work: DeliverWork) -> Delivered:
        """One try of each channel that stands for one; what failed and waits is told, with how long."""
        order = Order(
            tenant_id=work.tenant_id,
            channels=work.channels or OUTSIDE,
            statuses=AGAIN if work.channels else FIRST,
            by=claim_of_this_attempt(),
            delays=Delays(work.transient_delay, work.throttled_delay, self._longest),
        )
        async with heartbeats():
            await self._machine.run(order, [work.notification_id])
            return await self._stands(work, order.channels)

    @activity.defn(name=NOTIFICATION_CONCLUDE)
    async def conclude(self, end: WebhookEnd) -> Delivered:
        """How the delivery of its webhook ended."""
        status = webhook_status(end.outcome)
        arrived = status is ChannelStatus.DELIVERED
        async with self._database.begin(end.tenant_id) as session:
            await messages.lock(session, [end.notification_id])
            await store.conclude(
                session,
                end.notification_id,
                status=status,
                failure_class=None if arrived or end.outcome.failure is None else end.outcome.failure.value,
                error=None if arrived else webhook_code(end.outcome),
                message=None if arrived else end.outcome.error,
            )
            await messages.settle(session, end.tenant_id, [end.notification_id], overall)
        return await self._stands(end, ())

    @activity.defn(name=NOTIFICATION_CANCEL)
    async def cancel(self, ref: NotificationRef) -> Delivered:
        """Stop what has not been sent."""
        async with self._database.begin(ref.tenant_id) as session:
            await messages.lock(session, [ref.notification_id])
            await messages.stop(session, [ref.notification_id])
            await messages.settle(session, ref.tenant_id, [ref.notification_id], overall)
        return await self._stands(ref, ())

    async def _stands(self, ref: NotificationRef, channels: Sequence[Channel]) -> Delivered:
        async with self._database.begin(ref.tenant_id) as session:
            status, error = await store.stands(session, ref.notification_id)
            waiting = await store.waiting(session, ref.notification_id, channels, now=datetime.now(UTC))
        return Delivered(status=status, error=error, waiting=waiting)
