"""Words by the company they keep: what a head learns of one insult, it then knows of words used like it.

Each word of the training texts gets a vector, without labels: which words stand near it more often than by chance
(positive pointwise mutual information), squeezed into a few numbers. A head over these vectors, and the numbers
themselves, are sums over a text's words, so they ship as weights of words and the run time knows nothing of vectors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import takewhile
from operator import add

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.utils.extmath import randomized_svd

from core.adapters.classifiers.features import FeatureSpec, Kind
from training.linear import Vector
from training.ranking import ranked_words
from training.stacking import FOLDS, Expert, Prepared

NUMBERS = 200
"""How many a word's vector has."""
_LEAST = 6
"""Of a word that stands in fewer places nothing is known."""
_NEIGHBOURS = 8000
"""So many of the commonest words tell of a word when they stand near it."""
_NEAR = 4
_RARENESS = 8.0

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kinship:
    """For each known word: its column in a row of features, and its vector, longer where the word is rarer."""

    columns: Ints
    vectors: NDArray[np.float32]
    width: int

    def read(self, rows: csr_matrix) -> NDArray[np.float32]:
        """The sum of its words' vectors, for each row."""
        return np.asarray(rows[:, self.columns] @ self.vectors, dtype=np.float32)

    def head(self, weights: Vector, bias: float = 0.0) -> Vector:
        """A linear function of vectors as one of rows, the bias last."""
        found = np.zeros(self.width + 1)
        found[self.columns], found[-1] = self.vectors @ weights, bias
        return found


def kinship(texts: Sequence[str], spec: FeatureSpec) -> Kinship:
    """Learn the vectors."""
    found = ranked_words(texts, spec)
    known = found.known(_LEAST)
    near = _near(found.ranks, found.text_of, known)
    left, sizes, _ = randomized_svd(_surprise(near), min(NUMBERS, *near.shape), n_iter=3, random_state=0)
    vectors = left * np.sqrt(sizes)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    often = found.counts[:known]
    vectors *= (np.log(often.sum() / often) / _RARENESS)[:, None]
    # Of words that share a column the commonest has it.
    columns, first = np.unique(_columns(found.words[:known], spec), return_index=True)
    return Kinship(columns, vectors[first].astype(np.float32), spec.columns)


def _near(ranks: Ints, text_of: Ints, known: int) -> csr_matrix:
    """How often each known word has each common one near it; the farther, the less it counts."""
    shape = known, min(_NEIGHBOURS, known)
    found = csr_matrix(shape, dtype=np.float32)
    for distance in range(1, _NEAR + 1):
        together = text_of[:-distance] == text_of[distance:]
        left, right = ranks[:-distance][together], ranks[distance:][together]
        for word, neighbour in ((left, right), (right, left)):
            kept = (word < shape[0]) & (neighbour < shape[1])
            ones = np.full(int(kept.sum()), 1 / distance, dtype=np.float32)
            found = found + csr_matrix((ones, (word[kept], neighbour[kept])), shape=shape)
    return found


def _surprise(near: csr_matrix) -> csr_matrix:
    """Log of how much more often than by chance, where it is more often. Rare neighbours are smoothed."""
    counts = near.tocoo()
    by_word = np.asarray(near.sum(axis=1)).ravel()
    by_neighbour = np.asarray(near.sum(axis=0)).ravel() ** 0.75
    by_chance = by_word[counts.row] * (by_neighbour / by_neighbour.sum())[counts.col]
    surprise = np.log(counts.data / by_chance)
    kept = surprise > 0
    return csr_matrix((surprise[kept], (counts.row[kept], counts.col[kept])), shape=near.shape, dtype=np.float32)


def _columns(words: NDArray[np.uint64], spec: FeatureSpec) -> Ints:
    """Where single words stand in a row."""
    before = takewhile(lambda family: family.kind != Kind.WORD, spec.families)
    (bits,) = {family.bits for family in spec.families if family.kind == Kind.WORD}
    return (words >> np.uint64(64 - bits)).astype(np.int64) + reduce(add, (1 << family.bits for family in before), 0)


def fit_kindred(expert: Expert, sets: Mapping[str, Prepared], known: Kinship) -> list[Vector]:
    """As `fit_experts`, over vectors: the head that saw everything, then those that each missed one fold."""
    chosen = [sets[name] for name in expert.sets]
    rows = np.concatenate([known.read(one.rows) for one in chosen])
    set_of = np.repeat(np.arange(len(chosen)), [len(one.labels) for one in chosen])
    rows = np.hstack((rows, expert.own_biases * np.eye(len(chosen), dtype=np.float32)[set_of]))
    labels, folds = (np.concatenate([getattr(one, part) for one in chosen]) for part in ("labels", "folds"))
    return [_fit(expert, rows[folds != out], labels[folds != out], known) for out in (-1, *range(FOLDS))]


def _fit(expert: Expert, rows: NDArray[np.float32], labels: Ints, known: Kinship) -> Vector:
    solver = LogisticRegression(C=expert.strength, max_iter=60, tol=1e-3, fit_intercept=False).fit(rows, labels)
    return known.head(solver.coef_[0][: known.vectors.shape[1]].astype(np.float64))


def plain_numbers(known: Kinship, count: int) -> dict[str, list[Vector]]:
    """The first numbers of the vectors as heads: they saw no labels, so every fold has the same."""
    chosen = np.eye(known.vectors.shape[1])[:count]
    return {f"kin_{number}": [known.head(one)] * (FOLDS + 1) for number, one in enumerate(chosen)}
