"""Short texts that wait for a process share the next journey to one: judged at once, each costs less."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from core.adapters.detectors.asking import Asked, Choice

MOST = 4
"""Texts in a group: with more, none costs less, and each would wait longer for the others."""
Ask = Callable[[Sequence[Choice], Sequence[str]], Awaitable[list[Asked]]]


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One text, the detectors that are asked about it, and who wants to know."""

    choices: tuple[Choice, ...]
    text: str
    answer: "asyncio.Future[list[Asked]]"

    def tell(self, columns: list[Asked]) -> None:
        """The answer, if it is still wanted."""
        if not self.answer.done():
            self.answer.set_result(columns)

    def fail(self, error: Exception) -> None:
        """Why there is none."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Together:
    """While every process is busy texts wait here; one that becomes free takes those that the same detectors judge."""

    def __init__(self, ask: Ask, processes: int) -> None:
        self._ask, self._free = ask, processes
        self._waiting: list[Waiting] = []
        self._journeys: set[asyncio.Task[None]] = set()

    async def ask(self, choices: Sequence[Choice], text: str) -> list[Asked]:
        """What the detectors say of this text; raises what asking them raised."""
        one = Waiting(tuple(choices), text, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._free:
            self._free -= 1
            journey = asyncio.create_task(self._travel())
            self._journeys.add(journey)
            journey.add_done_callback(self._journeys.discard)
        return await one.answer

    async def _travel(self) -> None:
        try:
            while group := self._next_group():
                await self._judge(group)
        finally:  # at once, not in the callback: who asks before that must not count on a journey that is over
            self._free += 1

    def _next_group(self) -> list[Waiting]:
        """Those who have waited longest and ask the same; who was cancelled meanwhile wants no answer."""
        wanted = [one for one in self._waiting if not one.answer.done()]
        group = [one for one in wanted if one.choices == wanted[0].choices][:MOST]
        self._waiting = [one for one in wanted if one not in group]
        return group

    async def _judge(self, group: list[Waiting]) -> None:
        try:
            columns = await self._ask(group[0].choices, [one.text for one in group])
        except asyncio.CancelledError:
            for one in group:
                one.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - told to each who waits, and handled there
            for one in group:
                one.fail(error)
        else:
            for row, one in enumerate(group):
                one.tell([_of_one(column, row) for column in columns])

    def close(self) -> None:
        """Nobody gets an answer any more."""
        for journey in self._journeys:
            journey.cancel()
        for one in self._waiting:
            one.answer.cancel()


def _of_one(column: Asked, row: int) -> Asked:
    """One text's part; what failed on the way is told once for the group."""
    return Asked([column.results[row]], column.failures if row == 0 else [])
