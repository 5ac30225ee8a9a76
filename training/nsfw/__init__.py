"""Sexual content: heads over short windows of a text, blended by their mean and their highest score.

The labels of the titles are weak (the community they were posted in), so what a model of the other half of them
contradicts counts little. Most of the work is to unlearn the style: sexual titles are set into ordinary texts of all
kinds, and plain and intimate stories of our own making share every frame.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from core.adapters.classifiers.features import Family, FeatureSpec, Kind
from core.adapters.classifiers.model import ClassifierModel, Heads
from core.adapters.classifiers.surface import Lexicon
from core.adapters.classifiers.windows import Window
from training.blending import calibrated, network_blend
from training.linear import Vector, heads, matrix
from training.nsfw.documents import in_context, long_texts
from training.nsfw.material import NORMALISER, SEED, Pieces, gather, word_lists
from training.weighing import Scale, idf, weighed_head

SPEC = FeatureSpec(families=(Family(Kind.CHAR, 3, 5, bits=18), Family(Kind.WORD, 1, 2, bits=18)), normaliser=NORMALISER)
WINDOW = Window(100, 30)
TITLES = "reddit_titles_train"
FALSE_POSITIVES = 0.003
"""The share of ordinary train texts above the threshold."""
CERTAIN, SURE = 9.0, 1.5
"""Logits of labels that nobody doubts, and from where on a doubted one is believed."""
DOUBTED = 0.1
"""What a label counts that a model of other titles contradicts."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many texts are put together: sexual titles in ordinary texts for the heads, longer texts for the blend."""

    contexts: int = 16_000
    long_texts: int = 6_000


def train(data: Path) -> ClassifierModel:
    """The model from the train sets in this folder; the same bytes for the same texts."""
    return train_on(gather(data), untaught(SPEC, word_lists(data)))


def untaught(spec: FeatureSpec, lists: tuple[Lexicon, ...]) -> ClassifierModel:
    """A model with everything that is not learned."""
    nothing = Heads((), np.zeros((0, 0), dtype=np.int8), np.zeros(0), np.zeros(0))
    return ClassifierModel("nsfw", spec, nothing, (), lists, WINDOW)


def train_on(pieces: Pieces, blank: ClassifierModel, amounts: Amounts = Amounts()) -> ClassifierModel:
    """The model from these pieces. The blend learns from scores of heads that had the other half of the pieces."""
    chance = np.random.default_rng(SEED)
    halves = chance.integers(0, 2, len(pieces.texts))
    features = matrix(pieces.texts, blank.spec)
    pieces = _doubted(pieces, halves, features)
    vectors, labels, weights = [], [], []
    for half in (0, 1):
        others = halves != half
        taught = _with_heads(blank, pieces.rows(others), features[others], amounts, chance)
        own = pieces.rows(halves == half)
        judged = Pieces.joined(
            [own.rows(own.sure | (own.kinds == TITLES)), long_texts(own, amounts.long_texts, chance)]
        )
        vectors.append(taught.vectors(judged.texts))
        labels.append(judged.labels)
        weights.append(np.where(judged.sure, 1.0, DOUBTED))
    model = _with_heads(blank, pieces, features, amounts, chance)
    return _blended(model, np.concatenate(vectors), np.concatenate(labels), np.concatenate(weights))


def _doubted(pieces: Pieces, halves: NDArray[np.int64], features: csr_matrix) -> Pieces:
    """Titles weighed by what a model of the other half of them says, and marked where it agrees."""
    titles = pieces.kinds == TITLES
    logits = np.where(pieces.labels == 1, CERTAIN, -CERTAIN)
    for half in (0, 1):
        learned, judged = titles & (halves != half), titles & (halves == half)
        head = weighed_head(features[learned], pieces.labels[learned], pieces.weights[learned], scale=idf, strength=1)
        logits[judged] = features[judged] @ head[:-1] + head[-1]
    agreed = np.where(pieces.labels == 1, logits, -logits)
    return replace(pieces, weights=np.where(agreed < -1, DOUBTED, pieces.weights), sure=pieces.sure & (agreed > SURE))


def _with_heads(
    blank: ClassifierModel, pieces: Pieces, features: csr_matrix, amounts: Amounts, chance: np.random.Generator
) -> ClassifierModel:
    """A head that knows titles only, and two that know everything: by all n-grams, and by words alone."""
    added = in_context(pieces, amounts.contexts, chance)
    together = Pieces.joined([pieces, added])
    features, titles = vstack((features, matrix(added.texts, blank.spec)), format="csr"), together.kinds == TITLES
    every = np.ones(len(titles), dtype=np.bool_)
    words = np.arange(blank.spec.columns) >= 1 << blank.spec.families[0].bits

    def fitted(rows: NDArray[np.bool_], strength: float, scale: Scale = idf) -> Vector:
        labels, weights = together.labels[rows], together.weights[rows]
        return weighed_head(features[rows], labels, weights, scale=scale, strength=strength)

    def words_only(*given: Any) -> Vector:
        return idf(*given) * words

    found = {"titles": fitted(titles, 1.0), "all": fitted(every, 0.5), "words": fitted(every, 0.3, words_only)}
    return replace(blank, heads=heads(found))


def _blended(
    model: ClassifierModel, vectors: NDArray[np.float64], labels: NDArray[np.int64], weights: Vector
) -> ClassifierModel:
    """The blend, and a threshold that few ordinary texts reach."""
    layers = network_blend(vectors, labels, weights, hidden=(12,), decay=0.1, seed=SEED)
    model = replace(model, layers=layers)
    logits = model.logits(vectors)
    strict = float(np.quantile(logits[(labels == 0) & (weights == 1)], 1 - FALSE_POSITIVES))
    return replace(model, calibration=calibrated(logits, labels, threshold=strict))
