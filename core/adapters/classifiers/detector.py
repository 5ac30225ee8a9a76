"""A classifier as a detector: a score and a threshold for each text, and for what it flags the passages and reasons."""

import string
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from core.adapters.classifiers.model import ClassifierModel, TextReading
from core.adapters.classifiers.surface import Matrix
from core.adapters.classifiers.windows import Stretch, sentences
from core.contracts.compliance import CheckType, DetectorResult, Passage

THRESHOLD = 0.5
"""Calibration puts every model's threshold here."""
EXPLAINED_FROM = 0.2
"""A policy may flag below the threshold: passages and reasons are told from here up, and it drops what it lets pass."""
MOST_PASSAGES = 5
LONGEST_WORD = 40
"""Of fewer letters a word may be made, even of one: the models read them."""
_MOST_WINDOWS = 5
_MOST_SENTENCES = 60
_LETTERS, _GLANCE = frozenset(string.ascii_lowercase), 100
"""Two letters among the first characters say something, which spares nearly every text a second look."""


class ClassifierDetector:
    """Implements `Detector` with one of our own models. Threads may share it."""

    def __init__(self, check_type: CheckType, model: ClassifierModel) -> None:
        self.check_type = check_type
        self.name = f"isa-{check_type.replace('_', '-')}"
        self.version = model.digest[:12]
        self._model = model

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        """One result for each text, in order."""
        began = time.perf_counter()
        readings = self._model.readings(texts)
        vectors = self._model.pooled(readings)
        judged = self._model.judge(vectors).tolist() if len(texts) else []
        scores = [score if _says_something(text) else 0.0 for text, score in zip(texts, judged, strict=True)]
        shared = _since(began) / max(len(texts), 1)
        return [
            self._result(score, shared, partial(self._explained, text, reading, vector))
            for text, reading, vector, score in zip(texts, readings, vectors, scores, strict=True)
        ]

    def _result(self, score: float, shared_ms: float, explained: Callable[[], "Explanation"]) -> DetectorResult:
        began = time.perf_counter()
        flagged = score >= THRESHOLD
        explanation = explained() if score >= EXPLAINED_FROM else Explanation()
        return DetectorResult(
            flagged=flagged,
            score=score,
            threshold=THRESHOLD,
            reasons=explanation.reasons,
            passages=explanation.passages,
            detector=self.name,
            detector_version=self.version,
            latency_ms=round(shared_ms + _since(began), 3),
        )

    def _explained(self, text: str, reading: TextReading, vector: Matrix) -> "Explanation":
        return Explanation(self._model.reasons_in(vector), self._passages(text, reading))

    def _passages(self, text: str, reading: TextReading) -> list[Passage]:
        """The sentences that would be flagged alone, or the one that comes nearest; worst first.

        Of a long text only sentences of its worst windows are looked at, which bounds the time.
        """
        order = np.argsort(-self._model.judge_alone(reading.vectors), kind="stable")[:_MOST_WINDOWS]
        worst = [reading.windows[number] for number in order.tolist()]
        pieces = list(dict.fromkeys(piece for window in worst for piece in sentences(text, *window)))[:_MOST_SENTENCES]
        found = self._scored(text, pieces)
        return [one for one in found if one.score >= THRESHOLD][:MOST_PASSAGES] or found[:1]

    def _scored(self, text: str, pieces: Sequence[Stretch]) -> list[Passage]:
        vectors = self._model.window_vectors([text[start:end] for start, end in pieces])
        scores = self._model.judge_alone(vectors).tolist()
        found = [Passage(start=a, end=b, score=score) for (a, b), score in zip(pieces, scores, strict=True)]
        return sorted(found, key=lambda one: (-one.score, one.start))


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is told of a flagged text besides its score."""

    reasons: list[str] | None = None
    passages: list[Passage] | None = None


def _says_something(text: str) -> bool:
    """Whether there is anything to see: neither spaces and invisible characters say anything, however many they are,
    nor one letter over and over, with a mark or without."""
    if len(set(text[:_GLANCE].lower()) & _LETTERS) > 1:
        return True
    seen = {char for char in set(text.lower()) if char.isprintable() and not char.isspace()}
    return bool(seen) and not (len(text) > LONGEST_WORD and _one_letter(seen))


def _one_letter(signs: Collection[str]) -> bool:
    """Whether they are one letter or digit at most, and a mark; an emoji says something by itself."""
    return len(signs) <= 2 and sum(map(str.isalnum, signs)) <= 1 and all(map(str.isascii, signs))


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
