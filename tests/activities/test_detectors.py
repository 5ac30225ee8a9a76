"""The detectors of a process: chosen by name, bounded in time whatever they do, each failing for itself only."""

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.adapters.detectors import BUILT_IN, Detectors, Limit, Makers, Source
from core.adapters.detectors.asking import Choice
from core.adapters.detectors.runtime import SHORT
from core.adapters.detectors.zygote import Job, frame, serve
from core.contracts.compliance import CheckType, DetectorResult
from tests.conftest import eventually

LONG = "x" * (SHORT + 1)
PII, SPAM, NSFW = CheckType.PII, CheckType.SPAM, CheckType.NSFW


class Troubled:
    """A detector that certain words bring to endless backtracking, to death, or to raise."""

    check_type, name, version = SPAM, "troubled", "1"

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        for text in texts:
            if "catastrophe" in text:
                re.match(r"(a+)+$", "a" * 64 + "!")
            if "death" in text:
                os.kill(os.getpid(), signal.SIGKILL)
            if "fault" in text:
                raise RuntimeError(f"cannot take {text!r}")
        return [DetectorResult(flagged="bad" in text, score=0.5, threshold=0.5) for text in texts]


class Agreeable(Troubled):
    """Another detector of the same type, which takes everything."""

    name = "agreeable"

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        return [DetectorResult(flagged=True, score=1, threshold=0.5, detector=self.name) for _ in texts]


class Sleeper(Troubled):
    """Works outside Python, and long."""

    name = "sleeper"

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        time.sleep(1)
        return super().detect(texts)


def _missing() -> Agreeable:
    raise FileNotFoundError("weights/nsfw.bin cannot be read: restore it")


MAKERS: Makers = {
    PII: BUILT_IN[PII],
    SPAM: {"troubled": Source(Troubled), "agreeable": Source(Agreeable), "sleeper": Source(Sleeper, native=True)},
    NSFW: {"missing": Source(_missing)},
}


@pytest.fixture
async def detectors() -> AsyncIterator[Detectors]:
    made = Detectors(MAKERS, processes=2, limit=Limit(0.2))
    yield made
    await made.aclose()


async def _spam(detectors: Detectors, *texts: str, chosen: str | None = None) -> list[DetectorResult]:
    found = await detectors.inspect(texts, [SPAM], {SPAM: chosen} if chosen else {})
    return [one[SPAM] for one in found]


def _reasons(found: list[DetectorResult]) -> list[str | None]:
    return [one.reason for one in found]


# ---- chosen by name


async def test_the_first_detector_of_a_type_is_the_usual_one(detectors: Detectors) -> None:
    assert [one.flagged for one in await _spam(detectors, "good", "bad")] == [False, True]


async def test_another_is_asked_where_a_policy_names_it(detectors: Detectors) -> None:
    (found,) = await _spam(detectors, "good", chosen="agreeable")
    assert (found.flagged, found.detector) == (True, "agreeable")


async def test_a_name_that_nobody_has_is_no_judgement(detectors: Detectors) -> None:
    (found,) = await _spam(detectors, "good", chosen="somebody")
    assert (found.available, found.reason, found.flagged) == (False, "no_such_detector", None)


async def test_a_type_without_any_detector_says_so(detectors: Detectors) -> None:
    (found,) = await detectors.inspect(["text"], [CheckType.TOXICITY])
    assert found[CheckType.TOXICITY].reason == "no_detector"


async def test_a_detector_that_cannot_be_built_is_named_with_its_reason(detectors: Detectors) -> None:
    with capture_logs() as logs:
        detectors.load()
    assert "restore it" in str(logs)
    assert detectors.faults == {"nsfw: missing": "weights/nsfw.bin cannot be read: restore it"}
    (found,) = await detectors.inspect(["text a@example.com"], [NSFW, PII])
    assert found[NSFW].reason == "detector_not_loaded"
    assert found[PII].flagged


# ---- bounded in time


@pytest.mark.parametrize("texts", [["short"], [LONG + "long"], ["many", "texts"]])
async def test_it_makes_no_difference_where_a_text_is_judged(detectors: Detectors, texts: list[str]) -> None:
    found = await detectors.inspect([f"{text} a@example.com" for text in texts], [PII, SPAM])
    assert all(one[PII].flagged and one[SPAM].flagged is False for one in found)
    assert all(one[SPAM].latency_ms is not None for one in found)


async def test_endless_backtracking_ends_as_a_timeout(detectors: Detectors) -> None:
    (found,) = await _spam(detectors, LONG + "catastrophe")
    assert (found.available, found.reason, found.flagged) == (False, "detector_timeout", None)


async def test_after_a_timeout_the_next_text_is_judged(detectors: Detectors) -> None:
    for _ in range(3):
        assert _reasons(await _spam(detectors, LONG + "catastrophe")) == ["detector_timeout"]
    assert _reasons(await _spam(detectors, LONG)) == [None]


async def test_in_a_batch_only_the_bad_texts_suffer(detectors: Detectors) -> None:
    found = await _spam(detectors, "good", "catastrophe", "bad", "death", "good", "fault")
    expected = [None, "detector_timeout", None, "detector_failed", None, "detector_failed"]
    assert _reasons(found) == expected
    assert [one.flagged for one in found] == [False, None, True, None, False, None]


async def test_other_types_of_the_same_texts_are_judged(detectors: Detectors) -> None:
    found = await detectors.inspect(["catastrophe a@example.com", "b@example.com"], [SPAM, PII])
    assert [(one[SPAM].reason, one[PII].flagged) for one in found] == [("detector_timeout", True), (None, True)]


async def test_native_work_that_takes_too_long_is_not_waited_for() -> None:
    detectors = Detectors(MAKERS, limit=Limit(0.02))
    assert _reasons(await _spam(detectors, "text", chosen="sleeper")) == ["detector_timeout"]
    await detectors.aclose()


async def test_no_texts_are_answered_without_a_fault() -> None:
    detectors = Detectors(MAKERS)
    with capture_logs() as logs:
        assert await _spam(detectors) == []
    assert logs == []
    await detectors.aclose()


async def test_what_is_logged_of_a_failure_holds_nothing_of_the_text(detectors: Detectors) -> None:
    with capture_logs() as logs:
        await _spam(detectors, "marker fault", "marker catastrophe")
        await _spam(detectors, "marker fault")
    assert "RuntimeError" in str(logs)
    assert "marker" not in str(logs)


# ---- processes come and go


def _process(detectors: Detectors) -> int:
    pool: Any = detectors._pool
    pid: int = pool._zygote._process.pid
    return pid


async def test_detectors_serve_on_when_their_processes_were_killed(detectors: Detectors) -> None:
    await _spam(detectors, LONG)
    os.kill(_process(detectors), signal.SIGKILL)
    assert _reasons(await _spam(detectors, *["catastrophe", LONG] * 2)) == ["detector_timeout", None] * 2


async def test_closing_leaves_no_process_behind(detectors: Detectors) -> None:
    await _spam(detectors, LONG)
    pid = _process(detectors)
    await detectors.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_process_ends_quietly_where_nobody_waits_for_its_answer() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(frame(Job([Choice(SPAM, "troubled")], ["good"], seconds=1)))
        ours.close()
        serve(theirs, lambda _: Troubled())


async def test_a_short_text_does_not_wait_behind_long_ones(detectors: Detectors) -> None:
    await _spam(detectors, LONG)
    hard = [asyncio.create_task(_spam(detectors, f"catastrophe {LONG}")) for _ in range(8)]
    await asyncio.sleep(0.01)  # they take their places
    assert _reasons(await _spam(detectors, "good")) == [None]
    assert not any(task.done() for task in hard)
    assert [_reasons(await task) for task in hard] == [["detector_timeout"]] * 8


async def test_short_texts_that_come_together_have_processes_started_for_those_after_them(detectors: Detectors) -> None:
    async def in_a_process() -> bool:
        found = await asyncio.gather(*(_spam(detectors, "good") for _ in range(4)))
        assert all(_reasons(one) == [None] for one in found)
        pool: Any = detectors._pool
        return bool(pool.ready)

    await eventually(in_a_process)
    found = await detectors.inspect(["catastrophe a@example.com"], [SPAM, PII])
    assert (found[0][SPAM].reason, found[0][PII].flagged) == ("detector_timeout", True)


async def test_a_short_text_that_breaks_its_process_spoils_none_that_were_judged_with_it(detectors: Detectors) -> None:
    await _spam(detectors, LONG)
    texts = ["good", "bad", "death", "good", "catastrophe", "bad", "fault", "good"] * 2
    found = await asyncio.gather(*(_spam(detectors, text) for text in texts))
    broken = {"death": "detector_failed", "catastrophe": "detector_timeout", "fault": "detector_failed"}
    assert [_reasons(one) for one in found] == [[broken.get(text)] for text in texts]
    assert [one[0].flagged for one in found] == [None if text in broken else text == "bad" for text in texts]
