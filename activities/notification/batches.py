"""The activities of notification.batch: 500 recipients at a time, and what fails goes on in a workflow of its own."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from activities.event import Delays
from activities.notification.alive import heartbeats
from activities.notification.machine import Machine, Order
from activities.notification.sends import FIRST, OUTSIDE, claim_of_this_attempt
from core.contracts.notification import (
    BATCH_CHUNK,
    BATCH_FINISH,
    NOTIFICATION_SEND,
    QUEUE,
    TEMPORAL_PRIORITY,
    BatchEnd,
    BatchStatus,
    ChannelStatus,
    ChunkDone,
    ChunkWork,
    Priority,
    SendWork,
    notification_send_id,
)
from core.contracts.platform import Intent, Service
from core.domain.notification import overall
from core.ids import new_id
from core.ports import IntentKeeper, Transactions
from core.store import platform
from core.store.notification import batches as store
from core.store.notification import delivery, messages

# Few enough that a crash leaves few messages of which nobody knows whether they went out.
AT_ONCE = 25


class BatchActivities:
    """What notification.batch asks for."""

    def __init__(
        self, database: Transactions, machine: Machine, keeper: IntentKeeper, *, longest_retry_after: float
    ) -> None:
        self._database, self._machine, self._keeper = database, machine, keeper
        self._longest = longest_retry_after

    @activity.defn(name=BATCH_CHUNK)
    async def chunk(self, work: ChunkWork) -> ChunkDone:
        """Make the notifications of a stretch of recipients and try each once; run again, it does what is left."""
        handed_over = 0
        async with heartbeats():
            handled, left = await self._make(work)
            order = Order(
                tenant_id=work.tenant_id,
                channels=OUTSIDE,
                statuses=FIRST,
                by=claim_of_this_attempt(),
                delays=Delays(work.transient_delay, work.throttled_delay, self._longest),
            )
            for first in range(0, len(left), AT_ONCE):
                handed_over += await self._try(order, left[first : first + AT_ONCE])
        return ChunkDone(handled=handled, handed_over=handed_over)

    async def _make(self, work: ChunkWork) -> tuple[int, list[str]]:
        """How many notifications the stretch has, and those with channels that are still to be tried."""
        async with self._database.begin(work.tenant_id) as session:
            await store.move(session, work.batch_id, BatchStatus.RUNNING, out_of=(BatchStatus.QUEUED,))
            ids = await store.make(session, work.batch_id, start=work.start, count=work.count)
            await messages.lock(session, ids)
            await delivery.prepare(session, ids)
            await messages.settle(session, work.tenant_id, ids, overall)
            return len(ids), await store.untried(session, ids)

    async def _try(self, order: Order, ids: Sequence[str]) -> int:
        intents: list[Intent] = []

        async def hand_over(session: AsyncSession, made: Sequence[delivery.Tried]) -> None:
            intents.extend(await self._go_on(session, order.tenant_id, made))

        await self._machine.run(order, ids, hand_over)
        if intents and (kept := await self._keeper.keep(intents)):
            async with self._database.begin(order.tenant_id) as session:
                await platform.delete_intents(session, kept)
        return len(intents)

    async def _go_on(self, session: AsyncSession, tenant_id: str, made: Sequence[delivery.Tried]) -> list[Intent]:
        """A workflow of its own for each notification that has to be tried again."""
        failed = sorted({tried.notification_id for tried in made if tried.status is ChannelStatus.RETRYING})
        waiting = await delivery.waiting_of(session, failed, now=datetime.now(UTC)) if failed else []
        if not waiting:
            return []
        owners = await delivery.hand_over(session, {id_: notification_send_id(id_) for id_, _ in waiting})
        intents = [
            Intent(
                intent_id=new_id("intent"),
                tenant_id=tenant_id,
                workflow_id=notification_send_id(id_),
                workflow_type=NOTIFICATION_SEND,
                queue=QUEUE,
                payload=SendWork(
                    tenant_id=tenant_id, notification_id=id_, waiting=[wait for _, wait in group]
                ).model_dump(mode="json", exclude_none=True),
                service=Service.NOTIFICATION,
                user_id=owners[id_].user_id,
                correlation_id=owners[id_].correlation_id,
                summary=f"Notification {id_}, retries",
                priority=TEMPORAL_PRIORITY[Priority(owners[id_].priority)],
            )
            for id_, group in groupby(waiting, key=lambda pair: pair[0])
        ]
        await platform.add_intents(session, intents)
        return intents

    @activity.defn(name=BATCH_FINISH)
    async def finish(self, end: BatchEnd) -> None:
        """Close a batch; a cancelled one stops what was not sent."""
        async with self._database.begin(end.tenant_id) as session:
            closed = await store.close(session, end.tenant_id, end.batch_id, end.status)
            if closed and end.status is BatchStatus.CANCELLED:
                await store.stop(session, end.tenant_id, end.batch_id, overall)
