"""Short texts that wait for a process go there together: each gets its own answer, whatever becomes of the others."""

import asyncio
from collections.abc import Sequence

import pytest

from core.adapters.detectors.asking import Asked, Choice
from core.adapters.detectors.together import MOST, Together
from core.contracts.compliance import CheckType, DetectorResult

SPAM, PII = Choice(CheckType.SPAM, "one"), Choice(CheckType.PII, "another")


class Process:
    """Judges when it is let go on; notes what came together."""

    def __init__(self) -> None:
        self.journeys: list[tuple[tuple[Choice, ...], list[str]]] = []
        self.go = asyncio.Event()

    async def ask(self, choices: Sequence[Choice], texts: Sequence[str]) -> list[Asked]:
        self.journeys.append((tuple(choices), list(texts)))
        await self.go.wait()
        if "broken" in texts:
            raise ConnectionError("no process starts")
        results = [DetectorResult(flagged=True, score=len(text) / 100) for text in texts]
        return [Asked(results, ["RuntimeError"] if "bad" in texts else []) for _ in choices]

    @property
    def sizes(self) -> list[int]:
        return [len(texts) for _, texts in self.journeys]


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def together(process: Process) -> Together:
    return Together(process.ask, 1)


async def _asked(
    together: Together, *texts: str, choices: Sequence[Choice] = (SPAM,)
) -> list[asyncio.Task[list[Asked]]]:
    """These texts, one request each, the first of them already under way."""
    asking = []
    for text in texts:
        asking.append(asyncio.create_task(together.ask(choices, text)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return asking


def _score(columns: list[Asked]) -> float | None:
    return columns[0].results[0].score


async def test_a_text_that_finds_a_process_free_goes_alone(together: Together, process: Process) -> None:
    process.go.set()
    for length in (1, 2, 3):
        assert _score(await together.ask([SPAM], "x" * length)) == length / 100
    assert process.sizes == [1, 1, 1]


async def test_those_that_wait_go_together_and_each_gets_its_own_answer(together: Together, process: Process) -> None:
    asking = await _asked(together, *("x" * length for length in range(1, 2 * MOST + 3)))
    process.go.set()
    assert [_score(await one) for one in asking] == [length / 100 for length in range(1, 2 * MOST + 3)]
    assert process.sizes == [1, MOST, MOST, 1]


async def test_texts_for_other_detectors_do_not_go_along(together: Together, process: Process) -> None:
    first = await _asked(together, "a", "b")
    others = await _asked(together, "c", choices=(SPAM, PII))
    last = await _asked(together, "d")
    process.go.set()
    answers = await asyncio.gather(*first, *others, *last)
    assert [len(columns) for columns in answers] == [1, 1, 2, 1]
    assert process.journeys == [((SPAM,), ["a"]), ((SPAM,), ["b", "d"]), ((SPAM, PII), ["c"])]


async def test_who_is_cancelled_while_waiting_is_not_judged(together: Together, process: Process) -> None:
    asking = await _asked(together, "a", "b", "c")
    asking[1].cancel()
    await asyncio.sleep(0)
    process.go.set()
    assert [_score(await one) for one in (asking[0], asking[2])] == [0.01, 0.01]
    assert process.journeys[1][1] == ["c"]


async def test_who_is_cancelled_on_the_way_leaves_the_others_their_answers(
    together: Together, process: Process
) -> None:
    asking = await _asked(together, "a", "b", "c")
    process.go.set()
    await asking[0]
    asking[1].cancel()
    assert _score(await asking[2]) == 0.01


async def test_a_failure_is_told_to_all_who_went_along_and_nobody_else(together: Together, process: Process) -> None:
    asking = await _asked(together, "a", "b", "broken")
    process.go.set()
    told = await asyncio.gather(*asking, together.ask([SPAM], "later"), return_exceptions=True)
    assert [isinstance(one, ConnectionError) for one in told] == [False, True, True, False]


async def test_what_failed_in_a_group_is_told_once(together: Together, process: Process) -> None:
    asking = await _asked(together, "a", "b", "bad", "c")
    process.go.set()
    answers = await asyncio.gather(*asking)
    assert [columns[0].failures for columns in answers] == [[], ["RuntimeError"], [], []]


async def test_closing_lets_nobody_wait_for_ever(together: Together, process: Process) -> None:
    asking = await _asked(together, "a", "b")
    together.close()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in told] == [asyncio.CancelledError] * 2
