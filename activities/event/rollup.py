"""The pump `event.rollup`: counts events per tenant, day, category and type."""

import asyncio

from temporalio import activity

from activities.platform import pump
from core.contracts.event import CHANNEL
from core.contracts.platform import PumpInput, PumpName, PumpResult, pump_activity
from core.ports import PumpWatch, Transactions, Wakeups
from core.store import platform
from core.store.event import statistics as store

NAME = PumpName.EVENT_ROLLUP
AT_ONCE = 10_000
# Statistics are exact without the roll-up, so it may gather what trickles in.
GATHER_SECONDS = 1.0


class Rollup:
    """Follows the event log by its cursor."""

    def __init__(self, database: Transactions, wakeups: Wakeups, watch: PumpWatch) -> None:
        self._database, self._wakeups, self._watch = database, wakeups, watch

    @activity.defn(name=pump_activity(NAME))
    async def rollup(self, turn: PumpInput) -> PumpResult:
        """One turn."""
        return await pump(turn, self._wakeups, CHANNEL, self.step)

    async def step(self) -> int:
        """Count the next stretch; its rows."""
        async with self._database.begin_all() as session:
            place = await platform.claim_cursor(session, NAME.value)
            if place is None:
                return 0
            stretch = await store.stretch_after(session, place, most=AT_ONCE)
            if stretch is not None:
                await store.roll_up(session, place, stretch.end)
                await platform.move_cursor(session, NAME.value, *stretch.end)
        if stretch is None:
            self._watch.moved(NAME.value, 0, 0.0)
            return 0
        self._watch.moved(NAME.value, stretch.rows, stretch.waited)
        if stretch.rows < AT_ONCE:
            await asyncio.sleep(GATHER_SECONDS)
        return stretch.rows
