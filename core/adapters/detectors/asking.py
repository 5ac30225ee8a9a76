"""One detector asked: whatever it does, there is a result for each text, and an account of what failed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.contracts.compliance import CheckType, DetectorResult
from core.domain.compliance import unavailable
from core.ports import Detector

NO_DETECTOR, NO_SUCH, NOT_LOADED = "no_detector", "no_such_detector", "detector_not_loaded"
FAILED, TIMEOUT = "detector_failed", "detector_timeout"


@dataclass(frozen=True, slots=True)
class Choice:
    """A detector by its type and the name it is registered under."""

    check_type: CheckType
    name: str

    def silent(self, reason: str, count: int = 1) -> list[DetectorResult]:
        """As many results without a judgement."""
        return [unavailable(reason).model_copy(update={"detector": self.name})] * count


@dataclass(frozen=True, slots=True)
class Asked:
    """A result for each text, in order, and the kinds of failures on the way: names of classes, never a text."""

    results: list[DetectorResult]
    failures: list[str] = field(default_factory=list)


def ask(detector: Detector, texts: Sequence[str]) -> Asked:
    """The detector's results. Where it fails on many texts, they are tried one by one, and only the bad one suffers."""
    began = time.perf_counter()
    try:
        results = detector.detect(texts)
        if len(results) != len(texts):
            raise RuntimeError("as many results as texts were expected")
    except Exception as error:  # noqa: BLE001 - a detector's failure is a result, whatever it is
        if len(texts) > 1:
            return joined([ask(detector, [text]) for text in texts])
        named = {"detector": detector.name, "detector_version": detector.version}
        return Asked([unavailable(FAILED).model_copy(update=named)], [type(error).__name__])
    return Asked(_timed(results, (time.perf_counter() - began) * 1000 / max(1, len(texts))))


def joined(parts: Sequence[Asked]) -> Asked:
    """Of several texts asked one by one, as if they had been asked together."""
    return Asked([one for part in parts for one in part.results], [one for part in parts for one in part.failures])


def _timed(results: list[DetectorResult], share_ms: float) -> list[DetectorResult]:
    """A detector that does not time its texts has each take an equal share."""
    for result in results:
        if result.latency_ms is None and result.available:
            result.latency_ms = round(share_ms, 3)
    return results
