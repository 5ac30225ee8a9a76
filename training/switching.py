"""A blend that is a switch: gates say what kind of text it is, and that kind's own verdict counts.

Written as layers of the run time's network. A verdict is cut off at what its gate lets through, so a sure gate
passes one verdict whole, and an unsure one passes the moderate part of two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.adapters.classifiers.model import Layer
from training.linear import Vector

_OPEN = 30.0
"""What an open gate lets through, in logits."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A linear function of vectors, in logits; its gate is a sum of `opens` (gates' numbers, signed) and `at`."""

    weights: Vector
    bias: float
    opens: dict[int, float]
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Gate:
    """Rises from 0 to 1 while the vector's column goes from `low` to `high`."""

    column: int
    low: float
    high: float


def switch(verdicts: Sequence[Verdict], gates: Sequence[Gate], width: int) -> tuple[Layer, ...]:
    """The layers, for vectors of this width."""
    kinds, ramps = len(verdicts), len(gates)
    first, first_bias = _first(verdicts, gates, width)
    second, second_bias = _second(verdicts, ramps)
    passed, cut = np.eye(2 * kinds), np.tile(np.eye(kinds), 2)
    third = np.vstack((np.hstack((passed, passed)), np.hstack((np.zeros((kinds, 2 * kinds)), -_OPEN * cut))))
    sign = np.repeat([1.0, -1.0], kinds)
    last = np.concatenate((sign, -sign))[:, None]
    return (
        _layer(first, first_bias),
        _layer(second, second_bias),
        _layer(third, np.zeros(4 * kinds)),
        _layer(last, np.zeros(1)),
    )


def _first(verdicts: Sequence[Verdict], gates: Sequence[Gate], width: int) -> tuple[Vector, Vector]:
    """Each verdict's rising and falling half, then each gate's ramp and what the ramp has over 1."""
    said = np.stack([verdict.weights for verdict in verdicts], axis=1)
    biases = np.array([verdict.bias for verdict in verdicts])
    ramps, starts = np.zeros((width, len(gates))), np.zeros(len(gates))
    for number, gate in enumerate(gates):
        ramps[gate.column, number] = 1 / (gate.high - gate.low)
        starts[number] = -gate.low / (gate.high - gate.low)
    return np.hstack((said, -said, ramps, ramps)), np.concatenate((biases, -biases, starts, starts - 1))


def _second(verdicts: Sequence[Verdict], ramps: int) -> tuple[Vector, Vector]:
    """The halves as they are, and how far each verdict's gate is open."""
    kinds = len(verdicts)
    opened = np.zeros((2 * ramps, kinds))
    for number, verdict in enumerate(verdicts):
        for gate, share in verdict.opens.items():
            opened[gate, number], opened[ramps + gate, number] = share, -share
    weights = np.zeros((2 * kinds + 2 * ramps, 3 * kinds))
    weights[: 2 * kinds, : 2 * kinds] = np.eye(2 * kinds)
    weights[2 * kinds :, 2 * kinds :] = opened
    return weights, np.concatenate((np.zeros(2 * kinds), [verdict.at for verdict in verdicts]))


def _layer(weights: Vector, biases: Vector) -> Layer:
    return Layer(weights.astype(np.float32), biases.astype(np.float32))
