"""Linear heads: sparse rows from the run time's own features, logistic regression over them, weights made small."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression

from core.adapters.classifiers.features import FeatureSpec, Rows, read, rows
from core.adapters.classifiers.model import Heads

Vector = NDArray[np.float64]
_AT_ONCE = 2000
_LARGEST = 127


def matrix(texts: Sequence[str], spec: FeatureSpec) -> csr_matrix:
    """One sparse row a text, exactly as the run time sees it (texts taken whole)."""
    parts = [_matrix(texts[start : start + _AT_ONCE], spec) for start in range(0, len(texts), _AT_ONCE)]
    return vstack(parts, format="csr")


def _matrix(texts: Sequence[str], spec: FeatureSpec) -> csr_matrix:
    return sparse(rows(read(texts, spec.normaliser), spec), (len(texts), spec.columns))


def sparse(found: Rows, shape: tuple[int, int]) -> csr_matrix:
    """The run time's rows as a matrix."""
    values = np.repeat(found.values.ravel().astype(np.float32), np.diff(found.starts))
    return csr_matrix((values, found.indices.astype(np.int32), found.bounds.astype(np.int32)), shape=shape)


def fit_head(features: csr_matrix, labels: NDArray[np.int64], weights: Vector, *, strength: float) -> Vector:
    """Logistic regression's weights, the bias last. `strength`: the inverse of the regularisation (C)."""
    fitted = LogisticRegression(C=strength, solver="lbfgs", max_iter=200, tol=1e-4)
    fitted.fit(features, labels, sample_weight=weights)
    return np.append(fitted.coef_[0], fitted.intercept_[0])


def heads(fitted: Mapping[str, Vector], *, prune: float = 0.0, kept: float = 0.9999) -> Heads:
    """Heads as they ship: each weight in 8 bits; those within `prune` steps of zero are zero, and pack well.

    Of a head's range only the share `kept` is told apart, since one huge weight would make all the others coarse.
    """
    table, steps, biases = [], [], []
    for weights in fitted.values():
        step = float(np.quantile(np.abs(weights[:-1])[weights[:-1] != 0], kept)) / _LARGEST
        whole = np.clip(np.rint(weights[:-1] / step), -_LARGEST, _LARGEST)
        table.append(np.where(np.abs(whole) <= prune, 0, whole).astype(np.int8))
        steps.append(step)
        biases.append(float(weights[-1]))
    return Heads(tuple(fitted), np.stack(table, axis=1), np.array(steps), np.array(biases))
