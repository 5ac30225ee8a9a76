"""Sending: a notification's channels tried and tried again, each by the kind of its failure; batches chunk by chunk."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError, is_cancelled_exception

from core.contracts.event import QUEUE as EVENT_QUEUE
from core.contracts.event.webhook import (
    HURRY_SIGNAL,
    WEBHOOK_DELIVER,
    DeliveryStatus,
    FailureClass,
    WebhookDeliver,
    WebhookOutcome,
    webhook_deliver_id,
)
from core.contracts.notification import (
    BATCH_CHUNK,
    BATCH_FINISH,
    CHUNK,
    FINISHED,
    NOTIFICATION_BATCH,
    NOTIFICATION_CANCEL,
    NOTIFICATION_CONCLUDE,
    NOTIFICATION_DELIVER,
    NOTIFICATION_SEND,
    STATE_QUERY,
    BatchDone,
    BatchEnd,
    BatchRef,
    BatchStatus,
    BatchWork,
    Channel,
    ChannelView,
    ChunkDone,
    ChunkWork,
    Delivered,
    DeliverWork,
    NotificationRef,
    NotificationStatus,
    RetryNow,
    SendState,
    SendWork,
    Waiting,
    WebhookEnd,
)
from core.contracts.platform import OPS_STATUS
from workflows.options import LONG, STORE, THROTTLED_BACKOFF, TRANSIENT_BACKOFF, delay_after

# A try ends by itself within its adapter's time limits; heartbeats tell sooner when its process has died.
TRY: dict[str, Any] = LONG | {"start_to_close_timeout": timedelta(minutes=5)}
CHUNKS_AT_ONCE = 4
STATUS = SearchAttributeKey.for_keyword(OPS_STATUS)


@workflow.defn(name=NOTIFICATION_SEND)
class NotificationSend:
    """One activity tries every channel. Each that fails for a time goes on by itself, until its schedule ends."""

    @workflow.init
    def __init__(self, work: SendWork) -> None:
        self._ref = NotificationRef(tenant_id=work.tenant_id, notification_id=work.notification_id)
        self._failures: dict[Channel, Counter[FailureClass]] = {}
        self._views: dict[Channel, ChannelView] = {}
        self._hurried = set[Channel]()
        self._webhook: workflow.ChildWorkflowHandle[Any, WebhookOutcome] | None = None
        self._cancelled = False
        self._last: Delivered | None = None

    @workflow.run
    async def run(self, work: SendWork) -> Delivered:
        # In a task of its own, so that a cancel ends the waiting and never a try that is under way.
        sending = asyncio.create_task(self._send(work))
        cancelled: asyncio.CancelledError | None = None
        try:
            await workflow.wait([sending])
        except asyncio.CancelledError as error:
            cancelled = error
            await self._stop()
            await workflow.wait([sending])
        ended = sending.result()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if cancelled is not None and ended.status is NotificationStatus.CANCELLED:
            raise cancelled
        return self._judged(ended)

    async def _send(self, work: SendWork) -> Delivered:
        waiting = work.waiting
        await asyncio.sleep(0)  # a cancel that came before the start is heard first
        if not waiting and not self._cancelled:
            waiting = (await self._try([])).waiting
        if waiting:
            workflow.upsert_search_attributes([STATUS.value_set("retrying")])
            await workflow.wait([asyncio.create_task(self._go_on(wait)) for wait in waiting])
        if self._cancelled or self._last is None:
            self._last = await self._in_store(NOTIFICATION_CANCEL, self._ref)
        return self._last

    async def _go_on(self, wait: Waiting) -> None:
        if wait.webhook is not None:
            await self._post(wait.webhook)
            return
        found: Waiting | None = wait
        while found is not None:
            await self._wait(found)
            if self._cancelled:
                return
            ended = await self._try([wait.channel])
            found = next(iter(ended.waiting), None)

    async def _wait(self, wait: Waiting) -> None:
        channel, until = wait.channel, timedelta(seconds=wait.retry_in)
        failures = self._failures.setdefault(channel, Counter())
        failures[wait.failure] += 1
        self._view(channel, failures.total(), until)
        with suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: self._cancelled or channel in self._hurried,
                timeout=until,
                timeout_summary=f"{channel.value}: next try",
            )
        self._hurried.discard(channel)

    def _view(self, channel: Channel, tries: int, until: timedelta) -> None:
        at = workflow.now() + until
        self._views[channel] = ChannelView(channel=channel, tries=tries, next_attempt_at=at)
        lines = [f"- {v.channel.value}: {v.tries} failed, next try {v.next_attempt_at}" for v in self._views.values()]
        workflow.set_current_details("\n".join(lines))

    async def _try(self, channels: list[Channel]) -> Delivered:
        failures = sum((self._failures.get(channel, Counter()) for channel in channels), Counter[FailureClass]())
        wanted = DeliverWork(
            **self._ref.model_dump(),
            channels=channels,
            transient_delay=delay_after(TRANSIENT_BACKOFF, failures[FailureClass.TRANSIENT]),
            throttled_delay=delay_after(THROTTLED_BACKOFF, failures[FailureClass.THROTTLED]),
        )
        told = ", ".join(channel.value for channel in channels) or "every channel"
        ended: Delivered = await workflow.execute_activity(
            NOTIFICATION_DELIVER, wanted, result_type=Delivered, summary=f"try {told}", **TRY
        )
        for channel in channels:
            self._views.pop(channel, None)
        self._learn(ended)
        return ended

    async def _post(self, first: WebhookOutcome) -> None:
        """The rest of a webhook's tries is the delivery machine's."""
        wanted = WebhookDeliver(tenant_id=self._ref.tenant_id, delivery_id=first.delivery_id, first=first)
        self._webhook = await workflow.start_child_workflow(
            WEBHOOK_DELIVER,
            wanted,
            id=webhook_deliver_id(first.delivery_id),
            task_queue=EVENT_QUEUE,
            result_type=WebhookOutcome,
            static_summary=f"webhook of {self._ref.notification_id}",
        )
        if self._cancelled:
            self._webhook.cancel()
        self._view(Channel.WEBHOOK, 1, timedelta(seconds=first.retry_in or 0))
        try:
            outcome = await self._webhook
        except Exception as error:
            if not is_cancelled_exception(error):
                raise
            outcome = first.model_copy(update={"status": DeliveryStatus.CANCELLED})
        self._views.pop(Channel.WEBHOOK, None)
        self._learn(await self._in_store(NOTIFICATION_CONCLUDE, WebhookEnd(**self._ref.model_dump(), outcome=outcome)))

    def _learn(self, ended: Delivered) -> None:
        """Two channels may end together, and the first to look may be heard last: what is over stays over."""
        if self._last is None or ended.status in FINISHED:
            self._last = ended

    async def _in_store(self, name: str, argument: NotificationRef) -> Delivered:
        ended: Delivered = await workflow.execute_activity(name, argument, result_type=Delivered, **STORE)
        return ended

    async def _stop(self) -> None:
        self._cancelled = True
        if self._webhook is not None:
            self._webhook.cancel()

    def _judged(self, ended: Delivered) -> Delivered:
        workflow.set_current_details(f"{ended.status.value}{f': {ended.error}' if ended.error else ''}")
        if ended.status is NotificationStatus.FAILED:
            raise ApplicationError(
                "No channel took the message.", type=f"notification.{ended.error}", non_retryable=True
            )
        return ended

    @workflow.query(name=STATE_QUERY)
    def state(self) -> SendState:
        """Which channels wait for another try."""
        return SendState(waiting=list(self._views.values()), cancelled=self._cancelled)

    @workflow.update
    async def retry_now(self, wanted: RetryNow) -> SendState:
        """Do not wait for the next try: of one channel, or of all."""
        chosen = [wanted.channel] if wanted.channel else list(self._views)
        self._hurried |= {channel for channel in chosen if channel is not Channel.WEBHOOK}
        if Channel.WEBHOOK in chosen and self._webhook is not None:
            await self._webhook.signal(HURRY_SIGNAL, {})
        return self.state()

    @retry_now.validator
    def _something_waits(self, wanted: RetryNow) -> None:
        if not self._views or (wanted.channel and wanted.channel not in self._views):
            raise ApplicationError("No such channel waits for another try.", type="notification.nothing_waits")

    @workflow.update
    async def cancel(self) -> SendState:
        """Stop what has not been sent."""
        await self._stop()
        return self.state()


@workflow.defn(name=NOTIFICATION_BATCH)
class NotificationBatch:
    """One workflow for all recipients: a few activities, each for 500 of them."""

    @workflow.init
    def __init__(self, work: BatchWork) -> None:
        self._ref = BatchRef(tenant_id=work.tenant_id, batch_id=work.batch_id)
        self._done = ChunkDone(handled=0, handed_over=0)
        self._total = work.total

    @workflow.run
    async def run(self, work: BatchWork) -> BatchDone:
        try:
            await self._chunks(range(0, work.total, CHUNK))
        except BaseException as error:
            if is_cancelled_exception(error):
                await self._finish(BatchStatus.CANCELLED)
            raise
        await self._finish(BatchStatus.COMPLETED)
        return BatchDone(status=BatchStatus.COMPLETED, handed_over=self._done.handed_over)

    async def _chunks(self, starts: Sequence[int]) -> None:
        gate = asyncio.Semaphore(CHUNKS_AT_ONCE)

        async def one(start: int) -> None:
            async with gate:
                self._add(await self._chunk(start))

        await asyncio.gather(*(one(start) for start in starts))

    async def _chunk(self, start: int) -> ChunkDone:
        wanted = ChunkWork(
            **self._ref.model_dump(),
            start=start,
            count=min(CHUNK, self._total - start),
            transient_delay=TRANSIENT_BACKOFF[0].total_seconds(),
            throttled_delay=THROTTLED_BACKOFF[0].total_seconds(),
        )
        done: ChunkDone = await workflow.execute_activity(
            BATCH_CHUNK,
            wanted,
            result_type=ChunkDone,
            summary=f"recipients {start + 1} to {start + wanted.count}",
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            **LONG,
        )
        return done

    def _add(self, done: ChunkDone) -> None:
        handled, over = self._done.handled + done.handled, self._done.handed_over + done.handed_over
        self._done = ChunkDone(handled=handled, handed_over=over)
        workflow.set_current_details(f"{handled} of {self._total} tried, {over} go on by themselves")

    async def _finish(self, status: BatchStatus) -> None:
        await workflow.execute_activity(BATCH_FINISH, BatchEnd(**self._ref.model_dump(), status=status), **STORE)

    @workflow.query(name=STATE_QUERY)
    def state(self) -> ChunkDone:
        """How many recipients were tried, and how many of them go on by themselves."""
        return self._done
