"""The pump `webhook.dispatch`: matches events with subscriptions, sends first tries in bulk, hands failures on."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from temporalio import activity

from activities.event.deliveries import Delays, Deliveries, Tried, keep, settled
from activities.platform import pump
from core.contracts.event import CHANNEL, QUEUE
from core.contracts.event.webhook import WEBHOOK_DELIVER, DeliveryStatus, WebhookDeliver, webhook_deliver_id
from core.contracts.platform import Intent, PumpInput, PumpName, PumpResult, Service, pump_activity
from core.ids import new_id
from core.ports import IntentKeeper, PumpWatch, Transactions, Wakeups
from core.store import platform
from core.store.event import delivery as store
from core.store.event.statistics import stretch_after

log = structlog.get_logger(__name__)

NAME = PumpName.WEBHOOK_DISPATCH
MATCHED_AT_ONCE = 2000
# A step has to end within the time limit of a statement, or it is made again and again, and nobody's webhooks go out.
DELIVERIES_AT_ONCE = 100_000
SLOTS, EACH = 64, 8
LEASE = timedelta(seconds=60)
WAIT_FOR_ANSWERS_SECONDS, SHUTDOWN_SECONDS = 0.25, 2.0
# Events that trickle in are taken in groups: a turn of the crank costs the same for one as for a thousand.
GATHER_SECONDS = 0.1
LOOK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Ports:
    """What the dispatcher works with."""

    database: Transactions
    wakeups: Wakeups
    keeper: IntentKeeper
    watch: PumpWatch


class Dispatcher:
    """Follows the event log by its cursor, and empties the queue of first tries."""

    def __init__(self, ports: Ports, deliveries: Deliveries, *, first: Delays) -> None:
        self._ports, self._deliveries, self._first = ports, deliveries, first

    @activity.defn(name=pump_activity(NAME))
    async def dispatch(self, turn: PumpInput) -> PumpResult:
        """One turn. Its end waits for what is under way; what a crash cuts off is tried again after its lease."""
        run = _Turn(self._ports, self._deliveries, self._first)
        try:
            return await pump(turn, self._ports.wakeups, CHANNEL, run.step)
        finally:
            await run.end()


class _Turn:
    def __init__(self, ports: Ports, deliveries: Deliveries, first: Delays) -> None:
        self._ports, self._deliveries, self._first = ports, deliveries, first
        self._under_way: dict[asyncio.Task[Tried], str] = {}
        self._look_again = 0.0

    async def step(self) -> int:
        matched = await self._match()
        moved = await self._record() + matched
        if time.monotonic() >= self._look_again:
            moved += await self._send()
        if not moved and self._under_way:
            await asyncio.wait(self._under_way, timeout=WAIT_FOR_ANSWERS_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return await self._record() or 1
        if 0 < matched < MATCHED_AT_ONCE and not self._under_way:
            await asyncio.sleep(GATHER_SECONDS)
        return moved

    async def end(self) -> None:
        """Wait for what is under way and record it; what a shutdown has no time for is left to its lease."""
        try:
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=SHUTDOWN_SECONDS if activity.is_worker_shutdown() else None)
            await self._record()
        finally:
            for task in self._under_way:
                task.cancel()

    async def _match(self) -> int:
        async with self._ports.database.begin_all() as session:
            place = await platform.claim_cursor(session, NAME.value)
            if place is None:
                return 0
            most = await store.fitting(session, events=MATCHED_AT_ONCE, deliveries=DELIVERIES_AT_ONCE)
            stretch = await stretch_after(session, place, most=most)
            if stretch is None:
                self._ports.watch.moved(NAME.value, 0, 0.0)
                return 0
            if await store.match(session, place, stretch.end):
                self._look_again = 0.0
            await platform.move_cursor(session, NAME.value, *stretch.end)
        self._ports.watch.moved(NAME.value, stretch.rows, stretch.waited)
        return stretch.rows

    async def _send(self) -> int:
        free = SLOTS - len(self._under_way)
        if free <= 0:
            return 0
        async with self._ports.database.begin_all() as session:
            ids = await store.claim(session, slots=free, each=EACH, busy=self._busy(), lease=LEASE)
            if (
                not ids and not self._under_way
            ):  # nothing waits: only a match, a redelivery or a lost lease changes that
                self._look_again = time.monotonic() + LOOK_AGAIN_SECONDS
            loaded = await store.load(session, ids) if ids else []
            ready = [row for row in loaded if await settled(session, row["delivery_id"], row) is None]
        for row in ready:
            task = asyncio.create_task(self._deliveries.send(row, self._first))
            self._under_way[task] = row["subscription_id"]
        return len(ready)

    def _busy(self) -> list[str]:
        """Subscriptions with so much under way that others come first."""
        under_way = list(self._under_way.values())
        return [name for name in set(under_way) if under_way.count(name) >= EACH]

    async def _record(self) -> int:
        done = [task for task in self._under_way if task.done()]
        if not done:
            return 0
        made = [task.result() for task in done if not _broke(task)]
        intents = [_retry(tried) for tried in made if tried.outcome.status is DeliveryStatus.RETRYING]
        if made:
            async with self._ports.database.begin_all() as session:
                await keep(session, made)
                await platform.add_intents(session, intents)
        for task in done:
            del self._under_way[task]
        if intents:
            await self._start(intents)
        return len(done)

    async def _start(self, intents: Sequence[Intent]) -> None:
        kept = await self._ports.keeper.keep(intents)
        if kept:
            async with self._ports.database.begin_all() as session:
                await platform.delete_intents(session, kept)


def _broke(task: asyncio.Task[Tried]) -> bool:
    """Whether a try ended by a fault of ours: told, and made again when its lease has run out. The others go on."""
    if error := task.exception():
        log.error("webhook.try_broke", exc_info=error)
    return error is not None


def _retry(tried: Tried) -> Intent:
    delivery_id, tenant_id = tried.outcome.delivery_id, tried.loaded["tenant_id"]
    wanted = WebhookDeliver(tenant_id=tenant_id, delivery_id=delivery_id, first=tried.outcome)
    return Intent(
        intent_id=new_id("intent"),
        tenant_id=tenant_id,
        workflow_id=webhook_deliver_id(delivery_id, tried.loaded["round"]),
        workflow_type=WEBHOOK_DELIVER,
        queue=QUEUE,
        payload=wanted.model_dump(mode="json"),
        service=Service.EVENT,
        correlation_id=tried.loaded["correlation_id"] or "",
        summary=f"Retry delivery {delivery_id}",
    )
