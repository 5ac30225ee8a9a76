"""Retries of a notification by the class of each failure, told by the clock of a time-skipping server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import WorkflowEnvironment

from core.contracts.event.webhook import FailureClass
from core.contracts.notification import (
    BATCH_CHUNK,
    BATCH_FINISH,
    NOTIFICATION_BATCH,
    NOTIFICATION_CANCEL,
    NOTIFICATION_DELIVER,
    NOTIFICATION_SEND,
    STATE_QUERY,
    BatchDone,
    BatchEnd,
    BatchStatus,
    BatchWork,
    Channel,
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
)
from core.contracts.platform import OPS_STATUS
from core.ids import new_id
from core.temporal import DATA_CONVERTER
from deploy.local.testserver import ensure_test_server
from tests.conftest import eventually
from workers.runtime import Crew, build_worker
from workflows.notification import NotificationBatch, NotificationSend
from workflows.options import THROTTLED_BACKOFF, TRANSIENT_BACKOFF

DONE = Delivered(status=NotificationStatus.DELIVERED)
TRANSIENT, THROTTLED = FailureClass.TRANSIENT, FailureClass.THROTTLED


@pytest.fixture(scope="module")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server whose clock jumps over waiting."""
    path = str(ensure_test_server(print))
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=path, data_converter=DATA_CONVERTER
    ) as environment:
        known = {OPS_STATUS: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
        request = AddSearchAttributesRequest(namespace=environment.client.namespace, search_attributes=known)
        await environment.client.operator_service.add_search_attributes(request)
        yield environment


class Fakes:
    """Stands in for the activities: answers each channel's tries as told, then delivers."""

    def __init__(self, **failures: Sequence[FailureClass]) -> None:
        self.first = failures
        self.left = {Channel(name): list(classes) for name, classes in failures.items()}
        self.tries: list[DeliverWork] = []
        self.cancelled, self.error = 0, "provider_unavailable"
        self.retry_after: float | None = None
        self.gate: asyncio.Event | None = None

    @activity.defn(name=NOTIFICATION_DELIVER)
    async def deliver(self, work: DeliverWork) -> Delivered:
        self.tries.append(work)
        if self.gate is not None:
            await self.gate.wait()
        waiting, failed = list[Waiting](), False
        for channel in work.channels or list(self.left):
            if not self.left[channel]:
                continue
            failure = self.left[channel].pop(0)
            planned = work.transient_delay if failure is TRANSIENT else work.throttled_delay
            if failure is FailureClass.PERMANENT or planned is None:
                failed = True
                continue
            retry_in = max(planned, self.retry_after or 0)
            waiting.append(Waiting(channel=channel, failure=failure, retry_in=retry_in))
        if waiting:
            return Delivered(status=NotificationStatus.SENDING, waiting=waiting)
        return Delivered(status=NotificationStatus.FAILED, error=self.error) if failed else DONE

    @activity.defn(name=NOTIFICATION_CANCEL)
    async def cancel(self, _: NotificationRef) -> Delivered:
        self.cancelled += 1
        return Delivered(status=NotificationStatus.CANCELLED)


@asynccontextmanager
async def _sending(
    skipping: WorkflowEnvironment, fakes: Fakes, **given: Any
) -> AsyncIterator[WorkflowHandle[Any, Delivered]]:
    crew = Crew(queue=new_id("queue"), workflows=[NotificationSend], activities=[fakes.deliver, fakes.cancel])
    async with build_worker(skipping.client, crew):
        yield await skipping.client.start_workflow(
            NOTIFICATION_SEND,
            SendWork(tenant_id="t", notification_id="n", **given),
            id=new_id("test"),
            task_queue=crew.queue,
            result_type=Delivered,
        )


async def _took(handle: WorkflowHandle[Any, Delivered]) -> timedelta:
    """From start to end by the server's clock."""
    await handle.result()
    events = (await handle.fetch_history()).events
    return events[-1].event_time.ToDatetime() - events[0].event_time.ToDatetime()


async def test_a_happy_send_costs_one_activity(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[], in_app=[])
    async with _sending(skipping, fakes) as handle:
        assert (await handle.result()).status is NotificationStatus.DELIVERED
        history = await handle.fetch_history()
    assert len(fakes.tries) == 1
    assert len(history.events) <= 11


async def test_transient_failures_follow_their_schedule(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[TRANSIENT] * 3)
    async with _sending(skipping, fakes) as handle:
        took = await _took(handle)
    assert [work.channels for work in fakes.tries] == [[], *[[Channel.EMAIL]] * 3]
    assert timedelta(0) <= took - sum(TRANSIENT_BACKOFF[:3], timedelta(0)) < timedelta(seconds=30)


async def test_each_class_counts_its_own_failures(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[TRANSIENT, THROTTLED, TRANSIENT])
    async with _sending(skipping, fakes) as handle:
        await handle.result()
    planned = [(work.transient_delay, work.throttled_delay) for work in fakes.tries]
    t, h = [d.total_seconds() for d in TRANSIENT_BACKOFF], [d.total_seconds() for d in THROTTLED_BACKOFF]
    assert planned == [(t[0], h[0]), (t[1], h[0]), (t[1], h[1]), (t[2], h[1])]


async def test_a_provider_that_says_when_is_obeyed(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[THROTTLED])
    fakes.retry_after = 7200
    async with _sending(skipping, fakes) as handle:
        took = await _took(handle)
    assert took >= timedelta(hours=2)


async def test_the_schedule_has_an_end(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[TRANSIENT] * 100)
    async with _sending(skipping, fakes) as handle:
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.type == "notification.provider_unavailable"
    assert len(fakes.tries) == 1 + len(TRANSIENT_BACKOFF)


async def test_channels_wait_side_by_side(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[TRANSIENT] * 4, sms=[TRANSIENT] * 4)
    async with _sending(skipping, fakes) as handle:
        took = await _took(handle)
    assert len(fakes.tries) == 9
    assert took < sum(TRANSIENT_BACKOFF[:4], timedelta(0)) + timedelta(minutes=1)


async def test_what_a_batch_hands_over_is_not_tried_at_once(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[])
    waiting = [Waiting(channel=Channel.EMAIL, failure=TRANSIENT, retry_in=600)]
    async with _sending(skipping, fakes, waiting=waiting) as handle:
        took = await _took(handle)
    assert [work.channels for work in fakes.tries] == [[Channel.EMAIL]]
    assert fakes.tries[0].transient_delay == TRANSIENT_BACKOFF[1].total_seconds()
    assert took >= timedelta(minutes=10)


async def _waits(handle: WorkflowHandle[Any, Delivered]) -> SendState:
    async def probe() -> SendState | None:
        state: SendState = await handle.query(STATE_QUERY, result_type=SendState)
        return state if state.waiting else None

    state = await eventually(probe)
    assert state is not None
    return state


async def test_an_operator_can_hurry_a_retry(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[THROTTLED])
    fakes.retry_after = 30_000
    with skipping.auto_time_skipping_disabled():
        async with _sending(skipping, fakes) as handle:
            state = await _waits(handle)
            assert [(view.channel, view.tries) for view in state.waiting] == [(Channel.EMAIL, 1)]
            await handle.execute_update("retry_now", RetryNow(channel=Channel.EMAIL))
            assert (await handle.result()).status is NotificationStatus.DELIVERED


async def test_hurrying_what_does_not_wait_is_refused(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[THROTTLED])
    fakes.retry_after = 30_000
    with skipping.auto_time_skipping_disabled():
        async with _sending(skipping, fakes) as handle:
            await _waits(handle)
            with pytest.raises(WorkflowUpdateFailedError):
                await handle.execute_update("retry_now", RetryNow(channel=Channel.SMS))
            await handle.execute_update("cancel")
            await handle.result()


async def test_the_update_cancel_stops_what_waits(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[THROTTLED])
    fakes.retry_after = 30_000
    with skipping.auto_time_skipping_disabled():
        async with _sending(skipping, fakes) as handle:
            await _waits(handle)
            await handle.execute_update("cancel")
            assert (await handle.result()).status is NotificationStatus.CANCELLED
    assert (len(fakes.tries), fakes.cancelled) == (1, 1)


async def test_a_cancel_stops_what_waits(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[THROTTLED])
    fakes.retry_after = 30_000
    with skipping.auto_time_skipping_disabled():
        async with _sending(skipping, fakes) as handle:
            await _waits(handle)
            await handle.cancel()
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    assert (len(fakes.tries), fakes.cancelled) == (1, 1)


async def test_a_cancel_lets_a_try_end_that_is_under_way(skipping: WorkflowEnvironment) -> None:
    fakes = Fakes(email=[])
    fakes.gate = asyncio.Event()
    with skipping.auto_time_skipping_disabled():
        async with _sending(skipping, fakes) as handle:

            async def begun() -> bool:
                return bool(fakes.tries)

            await eventually(begun)
            await handle.cancel()
            fakes.gate.set()
            with pytest.raises(WorkflowFailureError):
                await handle.result()
    assert fakes.cancelled == 1


async def test_cancelled_before_it_began_it_tries_nothing(skipping: WorkflowEnvironment) -> None:
    fakes, queue = Fakes(email=[]), new_id("queue")
    work = SendWork(tenant_id="t", notification_id="n")
    handle = await skipping.client.start_workflow(
        NOTIFICATION_SEND, work, id=new_id("test"), task_queue=queue, result_type=Delivered
    )
    await handle.cancel()
    crew = Crew(queue=queue, workflows=[NotificationSend], activities=[fakes.deliver, fakes.cancel])
    async with build_worker(skipping.client, crew):
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert (fakes.tries, fakes.cancelled) == ([], 1)


class FakeBatch:
    """Stands in for the activities of a batch."""

    def __init__(self) -> None:
        self.chunks: list[ChunkWork] = []
        self.ends: list[BatchStatus] = []
        self.gate: asyncio.Event | None = None

    @activity.defn(name=BATCH_CHUNK)
    async def chunk(self, work: ChunkWork) -> ChunkDone:
        self.chunks.append(work)
        if self.gate is not None:
            while not self.gate.is_set():
                activity.heartbeat()
                await asyncio.sleep(0.05)
        return ChunkDone(handled=work.count, handed_over=1)

    @activity.defn(name=BATCH_FINISH)
    async def finish(self, end: BatchEnd) -> None:
        self.ends.append(end.status)


@asynccontextmanager
async def _batch(
    skipping: WorkflowEnvironment, fakes: FakeBatch, total: int
) -> AsyncIterator[WorkflowHandle[Any, BatchDone]]:
    crew = Crew(queue=new_id("queue"), workflows=[NotificationBatch], activities=[fakes.chunk, fakes.finish])
    async with build_worker(skipping.client, crew):
        yield await skipping.client.start_workflow(
            NOTIFICATION_BATCH,
            BatchWork(tenant_id="t", batch_id="b", total=total),
            id=new_id("test"),
            task_queue=crew.queue,
            result_type=BatchDone,
        )


async def test_a_batch_takes_500_at_a_time(skipping: WorkflowEnvironment) -> None:
    fakes = FakeBatch()
    async with _batch(skipping, fakes, 1201) as handle:
        done = await handle.result()
    stretches = sorted((work.start, work.count) for work in fakes.chunks)
    assert stretches == [(0, 500), (500, 500), (1000, 201)]
    assert (done.status, done.handed_over, fakes.ends) == (BatchStatus.COMPLETED, 3, [BatchStatus.COMPLETED])


async def test_a_cancelled_batch_is_closed_as_such(skipping: WorkflowEnvironment) -> None:
    fakes = FakeBatch()
    fakes.gate = asyncio.Event()
    with skipping.auto_time_skipping_disabled():
        async with _batch(skipping, fakes, 700) as handle:

            async def begun() -> bool:
                return len(fakes.chunks) == 2

            await eventually(begun)
            await handle.cancel()
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    assert fakes.ends == [BatchStatus.CANCELLED]
