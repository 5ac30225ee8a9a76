"""The model of prompt injection: attacks, requests, and the documents in which a request is out of place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers import weights_file
from core.adapters.classifiers.concepts import NO_CONCEPTS, Concepts, concept_grams
from core.adapters.classifiers.detector import MOST_PASSAGES, THRESHOLD, ClassifierDetector
from core.adapters.classifiers.features import FeatureSpec, Reading, Rows, gathered, grams, read
from core.adapters.classifiers.model import ClassifierModel, Reason, TextReading, groups
from core.adapters.classifiers.segments import outline, pieces, said, segments
from core.adapters.classifiers.surface import Matrix
from core.adapters.classifiers.word_classes import NO_CLASSES, WordClasses, class_grams
from core.contracts.compliance import Passage

WHOLE, ATTACK, REQUEST, DOCUMENT = range(4)
HEADS = ("whole", "attack", "request", "document")
PROMPT = (
    "whole", "attack", "attack_second", "attack_mean", "attack_last", "words", "segments", "whole_by_words",
    "attack_by_words",
)  # fmt: skip
SUMMARY = (*PROMPT, "document", "request_in_document", "attack_in_document", "usual_in_document")
"""What is told of a text: first what counts in a prompt, then what counts in a document, each as far as it is one."""
_MOSTLY = 0.5
_FARTHEST = 8.0
_SUREST = 50.0


@dataclass(frozen=True, slots=True)
class InjectionReading(TextReading):
    """One text's segments; the vectors are the heads' scores, first of the whole text and last of what was encoded."""

    words: int


@dataclass(frozen=True)
class InjectionModel(ClassifierModel):
    """Four heads. `whole` and `document` read the text at once; `attack` and `request` read each of its segments.

    A request is nothing bad by itself: every prompt has one. Among the lines of a mail or a table it is out of place.
    So the blend has two parts, one for prompts and one for documents, and `document` says how far each is asked.
    """

    concepts: Concepts = NO_CONCEPTS
    word_classes: WordClasses = NO_CLASSES

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What a text's vector holds."""
        return SUMMARY

    def readings(self, texts: Sequence[str]) -> Sequence[TextReading]:
        """What the heads say of each text as a whole (the first row), and then of its segments."""
        cuts = [segments(text) for text in texts]
        whole = [said(text, cut) for text, cut in zip(texts, cuts, strict=True)]
        found = [(outline(told), *pieces(text, cut)) for told, text, cut in zip(whole, texts, cuts, strict=True)]
        scores = self.piece_scores([piece for part in found for piece in part])
        ends = np.cumsum([len(part) for part in found], dtype=np.int64).tolist()
        return [
            InjectionReading(cut, scores[end - len(part) : end], len(told.split()))
            for told, cut, part, end in zip(whole, cuts, found, ends, strict=True)
        ]

    def pooled(self, readings: Sequence[TextReading]) -> Matrix:
        """One row a text, in the order of `SUMMARY`."""
        rows_of = [summary(one.words, one.vectors) for one in readings if isinstance(one, InjectionReading)]
        return np.array(rows_of, dtype=np.float64).reshape(len(readings), len(SUMMARY))

    def piece_scores(self, found: Sequence[str]) -> Matrix:
        """What each head says of each piece of text."""
        scores = [self._group_scores(group) for group in groups(found)]
        return np.concatenate(scores) if scores else np.zeros((0, len(HEADS)))

    def _group_scores(self, found: Sequence[str]) -> Matrix:
        reading = read(found, self.spec.normaliser)
        return self.heads.scores(injection_rows(reading, self.spec, self.concepts, self.word_classes))

    def judge_alone(self, vectors: Matrix) -> Matrix:
        """How much each of a text's rows (its own first) speaks for an attack; in a document a request does so, too."""
        is_document = document_share(vectors[0, DOCUMENT]) >= _MOSTLY
        loud = np.maximum(vectors[:, ATTACK], vectors[:, REQUEST]) if is_document else vectors[:, ATTACK]
        return self.calibration(loud)

    def reasons_in(self, vectors: Matrix) -> list[str]:
        """The words that explain one text's score, or the one that comes nearest; `vectors` is its row."""
        shown = dict(zip(self.columns, vectors, strict=True))
        clear = [one for one in self.reasons if shown[one.column] >= one.at_least]
        return list(dict.fromkeys(one.word for one in clear or self._nearest(shown)))

    def _nearest(self, shown: Mapping[str, float]) -> Sequence[Reason]:
        """Of the reasons that a text of this kind can have, the one that it comes nearest to."""
        is_document = shown["document"] >= _MOSTLY
        fitting = [one for one in self.reasons if (one.column not in PROMPT) == is_document]
        return sorted(fitting, key=lambda one: one.at_least - shown[one.column])[:1]

    def _header(self) -> weights_file.Header:
        return super()._header() | {
            "concepts": {"bits": self.concepts.bits, "scale": self.concepts.scale},
            "word_classes": {"bits": self.word_classes.bits},
        }

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return super()._arrays() | {
            "concepts.hashes": self.concepts.hashes, "concepts.kinds": self.concepts.kinds,
            "word_classes.hashes": self.word_classes.hashes, "word_classes.classes": self.word_classes.classes,
        }  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> Self:
        """The model in a weights file. WeightsError where it cannot be used."""
        header, arrays, _ = weights_file.unpack(path)
        plain = ClassifierModel.load(path)
        fields = {name: getattr(plain, name) for name in ClassifierModel.__dataclass_fields__}
        return cls(
            **fields,
            concepts=Concepts(arrays["concepts.hashes"], arrays["concepts.kinds"], **header["concepts"]),
            word_classes=WordClasses(
                arrays["word_classes.hashes"], arrays["word_classes.classes"], **header["word_classes"]
            ),
        )


class InjectionDetector(ClassifierDetector):
    """Implements `Detector`: the passages are the segments that spoke loudest."""

    def _passages(self, text: str, reading: TextReading) -> list[Passage]:  # noqa: ARG002 - the reading says enough
        """The segments that would be flagged alone, or the one that comes nearest; worst first."""
        scores = self._model.judge_alone(reading.vectors)[1 : len(reading.windows) + 1]
        loudest = np.argsort(-scores, kind="stable")[:MOST_PASSAGES].tolist()
        found = [
            Passage(start=reading.windows[number][0], end=reading.windows[number][1], score=float(scores[number]))
            for number in loudest
            if reading.windows[number][0] < reading.windows[number][1]
        ]
        return [one for one in found if one.score >= THRESHOLD] or found[:1]


def injection_rows(reading: Reading, spec: FeatureSpec, concepts: Concepts, classes: WordClasses) -> Rows:
    """Everything that the heads read, a row a text."""
    return gathered(reading, [*grams(reading, spec), concept_grams(reading, concepts), class_grams(reading, classes)])


def width(spec: FeatureSpec, concepts: Concepts, classes: WordClasses) -> int:
    """How many columns that makes; those of the word classes are the last."""
    return spec.columns + (1 << concepts.bits) + (1 << classes.bits)


def document_share(score: float) -> float:
    """How far a text is a document, in [0, 1], by what the head says of it."""
    return float(1 / (1 + np.exp(-min(max(score, -_SUREST), _SUREST))))


def summary(words: int, scores: Matrix) -> list[float]:
    """One text's vector: the first row is the text as a whole, the others are its segments in order."""
    document = document_share(scores[0, DOCUMENT])
    prompt = [number * (1 - document) for number in in_prompt(words, scores)]
    return [*prompt, document, *(number * document for number in in_document(scores))]


def in_prompt(words: int, scores: Matrix) -> list[float]:
    """What counts where the text is a prompt, in the order of `PROMPT`. Its requests do not: every prompt has some."""
    attack = scores[1:, ATTACK]
    loud = sorted(attack.tolist())
    length = float(np.log1p(words)) / 5
    near = _near([scores[0, WHOLE], loud[-1], loud[max(len(loud) - 2, 0)], attack.mean(), attack[-1]])
    return [*near, length, float(np.log(len(loud))) / 3, near[0] * length, near[1] * length]


def in_document(scores: Matrix) -> list[float]:
    """Its loudest request and attack, and what its lines are like: more would know the documents of training only."""
    asked = sorted(scores[1:, REQUEST].tolist())
    return _near([asked[-1], scores[1:, ATTACK].max(), asked[(len(asked) - 1) // 2]])


def _near(numbers: Sequence[float]) -> list[float]:
    return [min(max(float(number), -_FARTHEST), _FARTHEST) / 4 for number in numbers]
