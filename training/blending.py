"""The blend: what weighs up heads, surface and word lists; and calibration, which puts the threshold at 0.5."""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from core.adapters.classifiers.model import Calibration, Layer
from training.linear import Vector

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


def linear_blend(vectors: Matrix, labels: Labels, weights: Vector, *, strength: float = 1.0) -> tuple[Layer, ...]:
    """Logistic regression over vectors."""
    mean, spread = _spread(vectors)
    fitted = LogisticRegression(C=strength, max_iter=2000).fit((vectors - mean) / spread, labels, sample_weight=weights)
    return (_unscaled(fitted.coef_.T, fitted.intercept_, mean, spread),)


def network_blend(
    vectors: Matrix,
    labels: Labels,
    weights: Vector,
    *,
    hidden: tuple[int, ...] = (24,),
    decay: float = 1e-3,
    rounds: int = 30,
    batch: int = 256,
    seed: int = 0,
) -> tuple[Layer, ...]:
    """A small network over vectors."""
    mean, spread = _spread(vectors)
    fitted = MLPClassifier(
        hidden, alpha=decay, batch_size=min(batch, len(vectors)), max_iter=rounds, early_stopping=False,
        random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # it stops after `rounds` on purpose
        fitted.fit((vectors - mean) / spread, labels, sample_weight=weights)
    first = _unscaled(fitted.coefs_[0], fitted.intercepts_[0], mean, spread)
    return (first, *(_layer(w, b) for w, b in zip(fitted.coefs_[1:], fitted.intercepts_[1:], strict=True)))


def mean_blend(blends: Sequence[tuple[Layer, ...]]) -> tuple[Layer, ...]:
    """The mean of networks with one hidden layer each: side by side they are one network."""
    firsts, seconds = zip(*blends, strict=True)
    return (
        Layer(np.hstack([one.weights for one in firsts]), np.concatenate([one.biases for one in firsts])),
        _layer(
            np.vstack([one.weights for one in seconds]) / len(blends), np.mean([one.biases for one in seconds], axis=0)
        ),
    )


def calibrated(logits: Vector, labels: Labels, *, threshold: float | None = None) -> Calibration:
    """Platt's logistic; with a threshold (in logits), shifted so that this logit scores 0.5."""
    fitted = LogisticRegression(C=1e6).fit(logits[:, None], labels)
    slope = max(float(fitted.coef_[0, 0]), 1e-3)
    return Calibration(slope, float(fitted.intercept_[0]) if threshold is None else -slope * threshold)


def _spread(vectors: Matrix) -> tuple[Vector, Vector]:
    spread = vectors.std(axis=0)
    return vectors.mean(axis=0), np.where(spread > 1e-9, spread, 1.0)


def _unscaled(weights: Matrix, biases: Vector, mean: Vector, spread: Vector) -> Layer:
    """The layer that takes vectors as they come: scaling folded into its weights."""
    folded = weights / spread[:, None]
    return _layer(folded, biases - mean @ folded)


def _layer(weights: Matrix, biases: Vector) -> Layer:
    return Layer(weights.astype(np.float32), biases.astype(np.float32))
