"""The pump every service uses, and the reconciler of intents."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from temporalio import activity

from core.contracts.platform import (
    INTENTS_RECONCILE,
    Intent,
    PumpInput,
    PumpResult,
    ReconcileInput,
    ReconcileResult,
)
from core.ports import IntentKeeper, IntentWatch, Transactions, Wakeups
from core.store import platform as store

SLOW_POLL_SECONDS = 2.0
IDEMPOTENCY_LIFETIME = timedelta(hours=24)
RECONCILE_SECONDS = 10.0

Step = Callable[[], Awaitable[int]]


async def pump(turn: PumpInput, wakeups: Wakeups, channel: str, step: Step) -> PumpResult:
    """One turn: run `step` (claim, work, commit; answers the rows moved) until none is left, wait for NOTIFY, again."""
    ends, moved = time.monotonic() + turn.turn_seconds, 0
    async with wakeups.listen(channel) as wakeup:
        while time.monotonic() < ends and not activity.is_worker_shutdown():
            rows = await step()
            moved += rows
            activity.heartbeat(moved)
            if not rows:
                await _wait(wakeup.wait(SLOW_POLL_SECONDS))
    return PumpResult(rows=moved)


async def _wait(woken: Awaitable[None]) -> None:
    """Until woken, or until the worker is told to shut down."""
    waiting = [asyncio.ensure_future(woken), asyncio.ensure_future(activity.wait_for_worker_shutdown())]
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for future in pending:
        future.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for future in done:
        future.result()


class PlatformActivities:
    """Intents and idempotency keys of all tenants."""

    def __init__(self, database: Transactions, keeper: IntentKeeper, watch: IntentWatch) -> None:
        self._database, self._keeper, self._watch = database, keeper, watch

    @activity.defn(name=INTENTS_RECONCILE)
    async def reconcile(self, wanted: ReconcileInput) -> ReconcileResult:
        """Carry out intents that a front door could not, oldest first, and drop idempotency keys past their life."""
        done = await self._go_through(wanted)
        async with self._database.begin_all() as session:
            await store.forget_answers(session, older_than=IDEMPOTENCY_LIFETIME)
        self._watch.pending(done.left)
        return done

    async def _go_through(self, wanted: ReconcileInput) -> ReconcileResult:
        """Page by page for as long as a run may take; those that cannot be kept hold nobody up behind them."""
        ends, done, behind = time.monotonic() + RECONCILE_SECONDS, ReconcileResult(), None
        while time.monotonic() < ends:
            due, left = await self._keep_some(wanted, behind)
            done = ReconcileResult(kept=done.kept + len(due) - len(left), left=done.left + len(left))
            if len(due) < wanted.limit:
                break
            behind = left[-1] if left else behind
        return done

    async def _keep_some(
        self, wanted: ReconcileInput, behind: Intent | None
    ) -> tuple[Sequence[Intent], Sequence[Intent]]:
        """The next that were due, and those of them that could not be kept."""
        async with self._database.begin_all() as session:
            due = await store.due_intents(
                session, older_than_seconds=wanted.older_than_seconds, limit=wanted.limit, after=behind
            )
            kept = set(await self._keeper.keep(due)) if due else set()
            if kept:
                await store.delete_intents(session, sorted(kept))
        return due, [intent for intent in due if intent.intent_id not in kept]
