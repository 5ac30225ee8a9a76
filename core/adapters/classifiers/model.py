"""A trained classifier: linear heads over hashed n-grams, a small network that weighs them up, one calibrated score."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from operator import sub
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers import weights_file
from core.adapters.classifiers.features import Family, FeatureSpec, Kind, Reading, Rows, read, rows
from core.adapters.classifiers.normalise import Normaliser
from core.adapters.classifiers.surface import SURFACE, Lexicon, LexiconIndex, Matrix, lexicon_hits, surface
from core.adapters.classifiers.windows import Stretch, Window, windows

MOST_CHARACTERS_AT_ONCE = 1 << 15
"""A batch is read in groups of pieces of this size, which bounds its memory and suits the cache."""
_NARROW = 8
"""Heads up to which a row is narrow."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Linear models that share one table. A head's score of a row is bias + step * the sum of its weights."""

    names: tuple[str, ...]
    table: NDArray[np.int8]
    steps: Matrix
    biases: Matrix

    def scores(self, rows: Rows) -> Matrix:
        """One row a text, one column a head."""
        texts, families = rows.values.shape
        sums = _sums(self.table, rows).reshape(texts, families, len(self.names)) * rows.values[:, :, None]
        return np.asarray(sums.sum(axis=1) * self.steps + self.biases, dtype=np.float64)


def _sums(table: NDArray[np.int8], rows: Rows) -> Matrix:
    """A sum of whole numbers for each text and family, exact either way: narrow rows are added fastest one after the
    other, and wide ones by the linear algebra, whose 32-bit floats hold sums of so few small numbers."""
    if table.shape[1] <= _NARROW:
        return _narrow_sums(table, rows)
    weights, starts = table.take(rows.indices, axis=0).astype(np.float32), rows.starts.tolist()
    ones = np.ones(max(map(sub, starts[1:], starts)), dtype=np.float32)
    sums = [ones[: end - start] @ weights[start:end] for start, end in pairwise(starts)]
    return np.array(sums, dtype=np.float64)


def _narrow_sums(table: NDArray[np.int8], rows: Rows) -> Matrix:
    weights = table.take(np.append(rows.indices, 0), axis=0)  # one more, because the last family may be empty
    sums = np.add.reduceat(weights, rows.starts, axis=0, dtype=np.int64)[:-1]
    sums[rows.starts[1:] == rows.starts[:-1]] = 0
    return np.asarray(sums, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the blend."""

    weights: NDArray[np.float32]
    biases: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Makes a logit a score in [0, 1] whose natural threshold is 0.5: the logistic of slope * logit + shift."""

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, logits: Matrix) -> Matrix:
        """Strictly rising, so that no two logits fall together."""
        certain = np.minimum(np.maximum(self.slope * logits + self.shift, -700), 700)
        return np.asarray(1 / (1 + np.exp(-certain)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Reason:
    """A word that explains a finding: told where the column of this name reaches `at_least` somewhere in the text."""

    word: str
    column: str
    at_least: float


@dataclass(frozen=True, slots=True)
class TextReading:
    """One text's windows, and a vector for each."""

    windows: list[Stretch]
    vectors: Matrix


def pooled(readings: Sequence[TextReading]) -> Matrix:
    """One row a text: the mean over its windows, and then their maximum."""
    found = [one.vectors for one in readings]
    return np.array([np.concatenate((one.mean(axis=0), one.max(axis=0))) for one in found])


@dataclass(frozen=True)
class ClassifierModel:
    """Everything a weights file holds.

    A text is cut into windows. Each gives a vector: the heads' scores, the surface, the word lists' hits. The mean and
    the maximum over the windows, side by side, go through the blend: layers with ReLU between them, down to one logit.
    """

    name: str
    spec: FeatureSpec
    heads: Heads
    layers: tuple[Layer, ...]
    lexicons: tuple[Lexicon, ...] = ()
    window: Window = field(default_factory=lambda: Window(800, 100))
    calibration: Calibration = field(default_factory=Calibration)
    reasons: tuple[Reason, ...] = ()
    digest: str = ""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What a window's vector holds."""
        return (*self.heads.names, *SURFACE, *(lexicon.name for lexicon in self.lexicons))

    @cached_property
    def _index(self) -> LexiconIndex:
        return LexiconIndex.of(self.lexicons)

    @cached_property
    def _blend(self) -> list[tuple[Matrix, Matrix]]:
        """The layers in the floats that vectors come in: to change their kind takes longer than to use them."""
        return [(layer.weights.astype(np.float64), layer.biases.astype(np.float64)) for layer in self.layers]

    def score(self, texts: Sequence[str]) -> Matrix:
        """How sure the model is of each text, in [0, 1]; 0.5 is where it says yes."""
        return self.judge(self.vectors(texts))

    def judge(self, vectors: Matrix) -> Matrix:
        """The scores that vectors lead to."""
        return self.calibration(self.logits(vectors))

    def logits(self, vectors: Matrix) -> Matrix:
        """What the blend makes of vectors, before calibration."""
        *inner, (weights, biases) = self._blend
        for layer, bias in inner:
            vectors = np.maximum(vectors @ layer + bias, 0)
        return np.asarray(vectors @ weights + biases, dtype=np.float64)[:, 0]

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """For each text the mean and the maximum over its windows."""
        return self.pooled(self.readings(texts))

    def pooled(self, readings: Sequence["TextReading"]) -> Matrix:
        """Each reading as one row."""
        return pooled(readings)

    def readings(self, texts: Sequence[str]) -> Sequence["TextReading"]:
        """Each text's windows and their vectors."""
        cuts = [windows(text, self.window) for text in texts]
        found = self.window_vectors([text[a:b] for text, cut in zip(texts, cuts, strict=True) for a, b in cut])
        ends = np.cumsum([len(cut) for cut in cuts])
        return [TextReading(cut, found[end - len(cut) : end]) for cut, end in zip(cuts, ends.tolist(), strict=True)]

    def window_vectors(self, pieces: Sequence[str]) -> Matrix:
        """A vector for each piece of text, each taken whole."""
        found = [self._piece_vectors(group) for group in groups(pieces)]
        return np.concatenate(found) if found else np.zeros((0, len(self.columns)))

    def _piece_vectors(self, pieces: Sequence[str]) -> Matrix:
        reading: Reading = read(pieces, self.spec.normaliser)
        return np.hstack(
            (self.heads.scores(rows(reading, self.spec)), surface(pieces), lexicon_hits(reading, self._index))
        )

    def judge_alone(self, vectors: Matrix) -> Matrix:
        """The scores that windows would have, were each a text of its own."""
        return self.judge(np.hstack((vectors, vectors)))

    def reasons_in(self, vectors: Matrix) -> list[str]:
        """The words that explain one text's score; `vectors` is its row."""
        highest = dict(zip(self.columns, vectors[len(self.columns) :], strict=True))
        return list(dict.fromkeys(one.word for one in self.reasons if highest[one.column] >= one.at_least))

    def with_layers(self, layers: tuple[Layer, ...]) -> Self:
        """The same model with another blend."""
        return replace(self, layers=layers)

    def save(self, path: Path) -> None:
        """Write the weights file."""
        path.write_bytes(weights_file.pack(self._header(), self._arrays()))

    def _header(self) -> weights_file.Header:
        return {
            "name": self.name,
            "families": [asdict(family) for family in self.spec.families],
            "normaliser": asdict(self.spec.normaliser),
            "heads": self.heads.names,
            "layers": len(self.layers),
            "lexicons": [lexicon.name for lexicon in self.lexicons],
            "window": asdict(self.window),
            "calibration": asdict(self.calibration),
            "reasons": [asdict(reason) for reason in self.reasons],
        }

    def _arrays(self) -> dict[str, NDArray[Any]]:
        arrays: dict[str, NDArray[Any]] = {
            "table": self.heads.table.astype(np.int8), "steps": self.heads.steps, "biases": self.heads.biases,
        }  # fmt: skip
        for number, layer in enumerate(self.layers):
            arrays |= {f"weights.{number}": layer.weights, f"biases.{number}": layer.biases}
        return arrays | {f"lexicon.{lexicon.name}": lexicon.hashes for lexicon in self.lexicons}

    @classmethod
    def load(cls, path: Path) -> Self:
        """The model in a weights file. WeightsError where it cannot be used."""
        header, arrays, digest = weights_file.unpack(path)
        return cls(
            name=header["name"],
            spec=FeatureSpec(
                tuple(Family(**{**one, "kind": Kind(one["kind"])}) for one in header["families"]),
                Normaliser(**header["normaliser"]),
            ),
            heads=Heads(tuple(header["heads"]), arrays["table"], arrays["steps"], arrays["biases"]),
            layers=tuple(
                Layer(arrays[f"weights.{number}"], arrays[f"biases.{number}"]) for number in range(header["layers"])
            ),
            lexicons=tuple(Lexicon(name, arrays[f"lexicon.{name}"]) for name in header["lexicons"]),
            window=Window(**header["window"]),
            calibration=Calibration(**header["calibration"]),
            reasons=tuple(Reason(**one) for one in header["reasons"]),
            digest=digest,
        )


def groups(pieces: Sequence[str]) -> list[list[str]]:
    """Pieces in groups that are read at once, in order."""
    found: list[list[str]] = []
    room = -1
    for piece in pieces:
        if len(piece) > room:
            found.append([])
            room = MOST_CHARACTERS_AT_ONCE
        found[-1].append(piece)
        room -= len(piece)
    return found
