"""The detectors of one process behind one call: built once, asked in a thread. One that fails costs its own type."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import structlog

from core.contracts.compliance import CheckType, DetectorResult
from core.domain.compliance import unavailable
from core.ports import Detector

log = structlog.get_logger(__name__)

NO_DETECTOR, NOT_LOADED, FAILED = "no_detector", "detector_not_loaded", "detector_failed"
Makers = Mapping[CheckType, Callable[[], Detector]]


def _pii() -> Detector:
    # Presidio is read only by processes that inspect texts, and only when they begin to.
    from core.adapters.presidio import PiiDetector

    return PiiDetector()


BUILT_IN: Makers = {CheckType.PII: _pii}


class Detectors:
    """Implements `Inspector`. Threads share the built detectors, so a process pays for their memory once."""

    def __init__(self, makers: Makers = BUILT_IN) -> None:
        self._makers = makers
        self._built: dict[CheckType, Detector | None] = {}
        self._building = threading.Lock()

    def load(self) -> None:
        """Build every detector now. One that cannot be built is named in the log; the others serve."""
        for check_type in self._makers:
            self._detector(check_type)

    async def inspect(
        self,
        texts: Sequence[str],
        check_types: Sequence[CheckType],
        chosen: Mapping[CheckType, str] = MappingProxyType({}),
    ) -> list[dict[CheckType, DetectorResult]]:
        """For each text, in order, one result a type."""
        return await asyncio.to_thread(self._inspect, texts, check_types)

    def _inspect(self, texts: Sequence[str], check_types: Sequence[CheckType]) -> list[dict[CheckType, DetectorResult]]:
        columns = {check_type: self._results(check_type, texts) for check_type in check_types}
        return [{check_type: results[row] for check_type, results in columns.items()} for row in range(len(texts))]

    def _results(self, check_type: CheckType, texts: Sequence[str]) -> list[DetectorResult]:
        if check_type not in self._makers:
            return [unavailable(NO_DETECTOR)] * len(texts)
        detector = self._detector(check_type)
        return _ask(detector, texts) if detector else [unavailable(NOT_LOADED)] * len(texts)

    def _detector(self, check_type: CheckType) -> Detector | None:
        with self._building:
            if check_type not in self._built:
                self._built[check_type] = _build(check_type, self._makers[check_type])
            return self._built[check_type]


def _build(check_type: CheckType, make: Callable[[], Detector]) -> Detector | None:
    try:
        return make()
    except Exception:
        log.error("detector.not_loaded", check_type=check_type, exc_info=True)
        return None


def _ask(detector: Detector, texts: Sequence[str]) -> list[DetectorResult]:
    """The detector's results; where it fails on many texts, they are tried one by one, and only the bad one suffers."""
    try:
        results = detector.detect(texts)
        if len(results) != len(texts):
            raise RuntimeError("as many results as texts were expected")
        return results
    except Exception as error:  # noqa: BLE001 - a detector's failure is a result, whatever it is
        if len(texts) > 1:
            return [_ask(detector, [text])[0] for text in texts]
        named = {"detector": detector.name, "detector_version": detector.version}
        log.error("detector.failed", **named, failure=type(error).__name__)  # noqa: TRY400 - a traceback may quote the text
        return [unavailable(FAILED).model_copy(update=named)] * len(texts)
