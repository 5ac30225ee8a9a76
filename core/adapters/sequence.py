"""What sequence classifiers share, whoever runs them: long texts in windows of tokens, the worst window counts."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.contracts.compliance import CheckType, DetectorResult, Passage

MOST_PASSAGES = 5
WINDOWS_AT_ONCE = 16
OVERLAP = 8
"""A window shares the eighth part of its tokens with the next one."""
_HEAD = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Judged:
    """One window of a text: which text, from where to where, how sure the model is, and of what."""

    text: int
    start: int
    end: int
    score: float
    reasons: tuple[str, ...] = ()


class SequenceDetector:
    """Implements `Detector` with a model outside Python. `judge` gives every window of every text."""

    def __init__(
        self,
        check_type: CheckType,
        *,
        name: str,
        version: str,
        threshold: float,
        judge: Callable[[Sequence[str]], list[Judged]],
    ) -> None:
        self.check_type, self.name, self.version = check_type, name, version
        self._threshold, self._judge = threshold, judge

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        """One result for each text, in order."""
        windows: list[list[Judged]] = [[] for _ in texts]
        for window in self._judge(texts):
            windows[window.text].append(window)
        return [self._result(found) for found in windows]

    def _result(self, windows: Sequence[Judged]) -> DetectorResult:
        worst = sorted(windows, key=lambda window: -window.score)
        over = [window for window in worst if window.score >= self._threshold]
        passages = [Passage(start=one.start, end=one.end, score=one.score) for one in over if one.start < one.end]
        return DetectorResult(
            flagged=bool(over),
            score=worst[0].score if worst else 0.0,
            threshold=self._threshold,
            passages=passages[:MOST_PASSAGES] or None,
            reasons=list(dict.fromkeys(reason for one in over for reason in one.reasons)) or None,
            detector=self.name,
            detector_version=self.version,
        )


def fingerprint(path: Path) -> str:
    """Tells one model from another: names, sizes and beginnings of its files, 12 hexadecimal characters."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(f"{file.name}\x00{file.stat().st_size}\x00".encode())
            with file.open("rb") as opened:
                digest.update(opened.read(_HEAD))
    return digest.hexdigest()[:12]
