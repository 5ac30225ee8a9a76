"""Heads whose features are weighed first: by rarity (idf), or by how lopsided they are (naive Bayes)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from training.linear import Vector, fit_head

Scale = Callable[[csr_matrix, NDArray[np.int64], Vector], Vector]
LEAST_ROWS = 2
"""What stands in fewer rows is noise."""


def weighed_head(
    features: csr_matrix, labels: NDArray[np.int64], weights: Vector, *, scale: Scale, strength: float
) -> Vector:
    """A head over scaled features, with the scale folded into its weights: run time knows nothing of it."""
    factors = scale(features, labels, weights)
    kept = np.flatnonzero(factors)
    scaled = features[:, kept] @ diags(factors[kept].astype(np.float32))
    fitted = fit_head(scaled.tocsr(), labels, weights, strength=strength)
    whole = np.zeros(features.shape[1] + 1)
    whole[kept], whole[-1] = fitted[:-1] * factors[kept], fitted[-1]
    return whole


def idf(features: csr_matrix, _labels: NDArray[np.int64], _weights: Vector) -> Vector:
    """The rarer, the weightier."""
    rows = _rows(features)
    return np.asarray((np.log((1 + features.shape[0]) / (1 + rows)) + 1) * (rows >= LEAST_ROWS))


def nb(features: csr_matrix, labels: NDArray[np.int64], weights: Vector) -> Vector:
    """Log of the ratio of rates among positives and negatives, half a row added to each (Wang, Manning 2012)."""
    present = (features > 0).astype(np.float32)
    positive, negative = weights * (labels == 1), weights * (labels == 0)
    among = (present.T @ positive + 0.5) / (positive.sum() + 1)
    others = (present.T @ negative + 0.5) / (negative.sum() + 1)
    return np.asarray(np.log(among / others) * (_rows(features) >= LEAST_ROWS))


def _rows(features: csr_matrix) -> Vector:
    return np.asarray(np.bincount(features.indices, minlength=features.shape[1]), dtype=np.float64)
