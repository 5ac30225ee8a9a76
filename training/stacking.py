"""Heads and a blend over them that is honest: it learns from scores of heads that have not seen the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array, hstack, vstack
from sklearn.svm import LinearSVC

from core.adapters.classifiers.features import FeatureSpec
from core.adapters.classifiers.model import ClassifierModel
from core.adapters.classifiers.windows import Window, windows
from training.data import TextSet
from training.linear import Vector, matrix

FOLDS = 3
_BLOCK = 50
"""Rows of a file that stand together share a fold: sets made of contrasting pairs keep them side by side."""
_EVERY = 5
_LEAST_RATIO = 0.3

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Expert:
    """A head to be: which sets it learns from, how strongly (C), and whether each set has a bias of its own.

    `ratios`: features count by how much more often they stand with one label than with the other (naive Bayes), with
    so much added to each count; 0: all count the same. Helps where there are many texts, harms where there are few.
    `domain`: it learns to tell its sets from all others instead of the labels; every few rows are enough for that.
    """

    sets: tuple[str, ...]
    strength: float
    own_biases: float = 0.0
    ratios: float = 0.0
    domain: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A set in numbers: a row for each window, and for each text the mean of its windows' rows."""

    pieces: csr_matrix
    counts: Labels
    rows: csr_matrix
    labels: Labels
    folds: Labels


def prepare(found: TextSet, spec: FeatureSpec, window: Window, folds: Labels | None = None) -> Prepared:
    """Compute the rows. `folds` where chance neighbours are not the ones to keep together."""
    cuts = [[text[start:end] for start, end in windows(text, window)] for text in found.texts]
    counts = np.array([len(cut) for cut in cuts], dtype=np.int64)
    pieces = matrix([piece for cut in cuts for piece in cut], spec)
    starts = np.concatenate(([0], np.cumsum(counts)))
    mean = csr_matrix((np.repeat(1 / counts, counts).astype(np.float32), np.arange(len(pieces.indptr) - 1), starts))
    given = np.arange(len(found)) // _BLOCK % FOLDS if folds is None else folds
    return Prepared(pieces, counts, mean @ pieces, found.labels, given)


def fit_expert(expert: Expert, sets: Mapping[str, Prepared], without: int | None = None) -> Vector:
    """The head's weights, the bias last; `without`: a fold of each set that it must not see."""
    names = tuple(sets) if expert.domain else expert.sets
    every = _EVERY if expert.domain else 1
    kept = [np.flatnonzero(sets[name].folds != without)[::every] for name in names]
    rows = vstack([sets[name].rows[keep] for name, keep in zip(names, kept, strict=True)], format="csr")
    labels = [_labels(expert, name, sets[name])[keep] for name, keep in zip(names, kept, strict=True)]
    scale = _ratios(rows, np.concatenate(labels), expert.ratios)
    rows, width = rows @ diags_array(scale, format="csr", dtype=np.float32), rows.shape[1]
    if expert.own_biases:
        rows = hstack((rows, _indicators([len(part) for part in labels], expert.own_biases)), format="csr")
    solver = LinearSVC(C=expert.strength, tol=1e-3, random_state=0, fit_intercept=not expert.own_biases)
    solver.fit(rows, np.concatenate(labels))
    return np.append(solver.coef_[0][:width] * scale, 0.0 if expert.own_biases else solver.intercept_[0])


def _ratios(rows: csr_matrix, labels: Labels, added: float) -> Vector:
    """How much each column counts: a little, and half the size of its log ratio between the labels."""
    if not added:
        return np.ones(rows.shape[1])
    present = rows.astype(bool).astype(np.float64)
    with_it, without = (labels == 1) @ present + added, (labels == 0) @ present + added
    ratio = np.log(with_it / with_it.sum()) - np.log(without / without.sum())
    return np.asarray(_LEAST_RATIO + np.abs(ratio) / 2, dtype=np.float64)


def _labels(expert: Expert, name: str, one: Prepared) -> Labels:
    return np.full(len(one.labels), int(name in expert.sets)) if expert.domain else one.labels


def _indicators(counts: Sequence[int], value: float) -> csr_matrix:
    """A column a set: what the sets differ in by nature goes there, and not into the words."""
    total = sum(counts)
    columns = np.repeat(np.arange(len(counts)), counts)
    return csr_matrix((np.full(total, value, dtype=np.float32), (np.arange(total), columns)))


def fit_experts(experts: Mapping[str, Expert], sets: Mapping[str, Prepared]) -> dict[str, list[Vector]]:
    """For each expert the head that saw everything, and then those that each missed one fold."""
    return {
        name: [fit_expert(expert, sets, without) for without in (None, *range(FOLDS))]
        for name, expert in experts.items()
    }


def head_scores(
    expert: Expert, fitted: Sequence[Vector], name: str, one: Prepared, *, unseen: bool = True
) -> tuple[Vector, Vector]:
    """Mean and maximum over each text's windows; `unseen`: a row that trained the head is scored by one it did not."""
    scores = one.pieces @ fitted[0][:-1] + fitted[0][-1]
    if unseen and (expert.domain or name in expert.sets):
        folds = np.repeat(one.folds, one.counts)
        for fold, weights in enumerate(fitted[1:]):
            scores[folds == fold] = (one.pieces @ weights[:-1] + weights[-1])[folds == fold]
    starts = np.cumsum(one.counts) - one.counts
    return np.add.reduceat(scores, starts) / one.counts, np.maximum.reduceat(scores, starts)


def unseen_vectors(
    model: ClassifierModel,
    experts: Mapping[str, Expert],
    fitted: Mapping[str, Sequence[Vector]],
    found: TextSet,
    one: Prepared,
) -> Matrix:
    """The set's vectors as the model computes them, with the heads' own rows scored by heads that missed them."""
    vectors = model.vectors(found.texts)
    half = vectors.shape[1] // 2
    for column, (name, expert) in enumerate(experts.items()):
        mean, most = head_scores(expert, fitted[name], found.name, one)
        vectors[:, column], vectors[:, half + column] = mean, most
    return vectors


def row_weights(labels: Labels, mass: float, evenness: float = 1.0) -> Vector:
    """Weights by which a set as a whole counts `mass`. `evenness`: 1 makes its labels count the same, 0 leaves them."""
    share = float(labels.mean())
    weights = np.where(labels == 1, 0.5 / max(share, 1e-9), 0.5 / max(1 - share, 1e-9)) ** evenness
    return np.asarray(weights / weights.sum() * mass, dtype=np.float64)


def named(found: TextSet, name: str) -> TextSet:
    """The same set under another name."""
    return replace(found, name=name)
