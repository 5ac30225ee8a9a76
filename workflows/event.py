"""Replays, and the long retry schedule of a webhook that failed at its first try."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

from core.contracts.event.replay import EVENT_REPLAY, REPLAY_CANCEL, REPLAY_COPY, ReplayRef, ReplayResult
from core.contracts.event.webhook import (
    HURRY_SIGNAL,
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
from workflows.options import LONG, STORE, THROTTLED_BACKOFF, TRANSIENT_BACKOFF, delay_after


@workflow.defn(name=EVENT_REPLAY)
class EventReplay:
    """Copies events of the past into another stream. Cancelled, it keeps what it had copied."""

    @workflow.run
    async def run(self, ref: ReplayRef) -> ReplayResult:
        try:
            result: ReplayResult = await workflow.execute_activity(
                REPLAY_COPY,
                ref,
                result_type=ReplayResult,
                # Only when the copying has stopped can the replay be called cancelled.
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary=f"copy the events of {ref.replay_id}",
                **LONG,
            )
        except BaseException as error:
            if is_cancelled_exception(error):
                await workflow.execute_activity(REPLAY_CANCEL, ref, result_type=ReplayResult, **STORE)
            raise
        workflow.set_current_details(f"{result.status}: {result.copied} copied, {result.skipped} there already")
        return result


@workflow.defn(name=WEBHOOK_DELIVER)
class WebhookDelivery:
    """Tries a delivery until it is delivered, refused for good, out of tries, or stopped."""

    @workflow.init
    def __init__(self, wanted: WebhookDeliver) -> None:
        self._ref = DeliveryRef(tenant_id=wanted.tenant_id, delivery_id=wanted.delivery_id)
        self._failures = Counter[FailureClass]()
        self._state = WebhookState()
        self._hurry = self._stop = False
        if wanted.first is not None:
            self._learn(wanted.first)

    @workflow.run
    async def run(self, _wanted: WebhookDeliver) -> WebhookOutcome:
        try:
            outcome = await self._deliver()
        except BaseException as error:
            if is_cancelled_exception(error):
                await self._cancel()
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        return outcome

    @workflow.query
    def state(self) -> WebhookState:
        """How many tries, and what the last one gave."""
        return self._state

    @workflow.update
    async def retry_now(self) -> WebhookState:
        """Do not wait for the next try."""
        self._hurry = True
        return self._state

    @workflow.update
    async def stop(self) -> WebhookState:
        """Give this delivery up."""
        self._stop = True
        return self._state

    @workflow.signal(name=HURRY_SIGNAL)
    async def hurry(self, _: dict[str, Any]) -> None:
        """`retry_now` for a front door, which sends intents."""
        self._hurry = True

    async def _deliver(self) -> WebhookOutcome:
        while self._state.last is None or self._state.last.status is DeliveryStatus.RETRYING:
            if self._state.last is not None:
                await self._wait(self._state.last.retry_in or 0)
            if self._stop:
                return await self._cancel()
            self._learn(await self._attempt())
        return self._state.last

    async def _wait(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await workflow.wait_condition(lambda: self._hurry or self._stop, timeout=timedelta(seconds=seconds))
        self._hurry = False

    async def _attempt(self) -> WebhookOutcome:
        wanted = WebhookTry(
            **self._ref.model_dump(),
            transient_delay=delay_after(TRANSIENT_BACKOFF, self._failures[FailureClass.TRANSIENT]),
            throttled_delay=delay_after(THROTTLED_BACKOFF, self._failures[FailureClass.THROTTLED]),
        )
        outcome: WebhookOutcome = await workflow.execute_activity(
            WEBHOOK_ATTEMPT,
            wanted,
            result_type=WebhookOutcome,
            summary=f"try {self._state.attempts + 1}",
            **STORE,
        )
        return outcome

    async def _cancel(self) -> WebhookOutcome:
        outcome: WebhookOutcome = await workflow.execute_activity(
            WEBHOOK_CANCEL, self._ref, result_type=WebhookOutcome, **STORE
        )
        return outcome

    def _learn(self, outcome: WebhookOutcome) -> None:
        self._state = WebhookState(attempts=self._state.attempts + 1, last=outcome)
        if outcome.failure is not None:
            self._failures[outcome.failure] += 1
        told = outcome.error or outcome.status.value
        again = f"; again in {outcome.retry_in:.0f} s" if outcome.retry_in is not None else ""
        workflow.set_current_details(f"try {self._state.attempts}: {told}{again}")
