"""The whole retry schedule of a webhook, on a clock that jumps over waiting."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from core.contracts.event.webhook import (
    WEBHOOK_ATTEMPT,
    WEBHOOK_CANCEL,
    WEBHOOK_DELIVER,
    DeliveryRef,
    DeliveryStatus,
    FailureClass,
    WebhookDeliver,
    WebhookOutcome,
    WebhookState,
    WebhookTry,
)
from core.ids import new_id
from core.temporal import DATA_CONVERTER
from deploy.local.testserver import ensure_test_server
from workers.runtime import Crew, build_worker
from workflows.event import WebhookDelivery
from workflows.options import THROTTLED_BACKOFF, TRANSIENT_BACKOFF

TRANSIENT, THROTTLED = FailureClass.TRANSIENT, FailureClass.THROTTLED


@pytest.fixture(scope="module")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    path = str(ensure_test_server(print))
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=path, data_converter=DATA_CONVERTER
    ) as environment:
        yield environment


class Endpoint:
    """Stands in for the activities: fails as told, then takes the message."""

    def __init__(self, failures: Sequence[FailureClass] = ()) -> None:
        self.failures, self.tries, self.cancelled = list(failures), list[WebhookTry](), 0
        self.moments: list[datetime] = []

    @activity.defn(name=WEBHOOK_ATTEMPT)
    async def attempt(self, wanted: WebhookTry) -> WebhookOutcome:
        self.tries.append(wanted)
        self.moments.append(activity.info().scheduled_time)
        if not self.failures:
            return WebhookOutcome(delivery_id=wanted.delivery_id, status=DeliveryStatus.DELIVERED)
        return failed(self.failures.pop(0), wanted)

    @activity.defn(name=WEBHOOK_CANCEL)
    async def cancel(self, ref: DeliveryRef) -> WebhookOutcome:
        self.cancelled += 1
        return WebhookOutcome(delivery_id=ref.delivery_id, status=DeliveryStatus.CANCELLED)

    def crew(self) -> Crew:
        return Crew(queue=new_id("queue"), workflows=[WebhookDelivery], activities=[self.attempt, self.cancel])


def failed(failure: FailureClass, wanted: WebhookTry) -> WebhookOutcome:
    planned = {TRANSIENT: wanted.transient_delay, THROTTLED: wanted.throttled_delay}.get(failure)
    status = DeliveryStatus.FAILED if planned is None else DeliveryStatus.RETRYING
    return WebhookOutcome(delivery_id=wanted.delivery_id, status=status, failure=failure, retry_in=planned)


async def _deliver(
    skipping: WorkflowEnvironment, endpoint: Endpoint, first: WebhookOutcome | None = None
) -> WebhookOutcome:
    crew = endpoint.crew()
    async with build_worker(skipping.client, crew):
        outcome: WebhookOutcome = await skipping.client.execute_workflow(
            WEBHOOK_DELIVER,
            WebhookDeliver(tenant_id="t", delivery_id="d", first=first),
            id=new_id("test"),
            task_queue=crew.queue,
            result_type=WebhookOutcome,
        )
    return outcome


def _first(failure: FailureClass) -> WebhookOutcome:
    wanted = WebhookTry(tenant_id="t", delivery_id="d", transient_delay=5, throttled_delay=10)
    return failed(failure, wanted)


async def test_without_a_first_try_it_tries_at_once(skipping: WorkflowEnvironment) -> None:
    endpoint = Endpoint()
    assert (await _deliver(skipping, endpoint)).status is DeliveryStatus.DELIVERED
    assert len(endpoint.tries) == 1


@pytest.mark.parametrize(("failure", "backoff"), [(TRANSIENT, TRANSIENT_BACKOFF), (THROTTLED, THROTTLED_BACKOFF)])
async def test_a_dead_endpoint_gets_the_whole_schedule_then_the_dead_letter(
    skipping: WorkflowEnvironment, failure: FailureClass, backoff: Sequence[timedelta]
) -> None:
    endpoint = Endpoint([failure] * 100)
    outcome = await _deliver(skipping, endpoint, _first(failure))
    assert outcome.status is DeliveryStatus.FAILED
    assert len(endpoint.tries) == len(backoff)
    waits = [later - earlier for earlier, later in pairwise(endpoint.moments)]
    assert all(planned <= wait < planned * 1.5 for planned, wait in zip(backoff[1:], waits, strict=True))


async def test_each_class_follows_its_own_schedule(skipping: WorkflowEnvironment) -> None:
    endpoint = Endpoint([THROTTLED, TRANSIENT])
    await _deliver(skipping, endpoint, _first(TRANSIENT))
    told = [(wanted.transient_delay, wanted.throttled_delay) for wanted in endpoint.tries]
    assert told == [(30, 10), (30, 60), (120, 60)]


async def test_a_permanent_failure_is_the_last(skipping: WorkflowEnvironment) -> None:
    endpoint = Endpoint([FailureClass.PERMANENT])
    outcome = await _deliver(skipping, endpoint, _first(TRANSIENT))
    assert (outcome.status, len(endpoint.tries)) == (DeliveryStatus.FAILED, 1)


async def test_cancelling_the_workflow_cancels_the_delivery(skipping: WorkflowEnvironment) -> None:
    endpoint, wanted = Endpoint(), WebhookDeliver(tenant_id="t", delivery_id="d", first=_first(TRANSIENT))
    crew = endpoint.crew()
    with skipping.auto_time_skipping_disabled():
        async with build_worker(skipping.client, crew):
            handle = await skipping.client.start_workflow(
                WEBHOOK_DELIVER, wanted, id=new_id("test"), task_queue=crew.queue
            )
            state = await handle.query("state", result_type=WebhookState)
            assert (state.attempts, state.last) == (1, wanted.first)
            await handle.cancel()
            with pytest.raises(WorkflowFailureError):
                await handle.result()
    assert (endpoint.cancelled, endpoint.tries) == (1, [])
