"""Figures of a classifier over labelled sets, and the table they are shown in."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.domain.compliance.scoring import Quality, quality
from training.data import TextSet

Scorer = Callable[[Sequence[str]], NDArray[np.float64]]
COLUMNS = {
    "rows": "rows",
    "positives": "positive", "auc": "AUC", "average_precision": "AP", "f1": "F1", "macro_f1": "macro-F1",
    "accuracy": "accuracy", "recall_at_1_percent": "recall at 1 % FP", "false_positive_rate": "FP rate",
}  # fmt: skip


def figures(labels: NDArray[np.int64], scores: NDArray[np.float64], threshold: float = 0.5) -> Quality:
    """All figures; those that need a decision take it at the threshold."""
    return quality(labels.tolist(), scores.tolist(), (scores >= threshold).tolist())


def measured(score: Scorer, sets: Mapping[str, TextSet]) -> dict[str, Quality]:
    """The figures of one scorer on each set."""
    return {name: figures(one.labels, score(one.texts)) for name, one in sets.items()}


def table(found: Mapping[str, Quality]) -> str:
    """Figures as a Markdown table."""
    lines = [f"| set | {' | '.join(COLUMNS.values())} |", f"| --- |{' --- |' * len(COLUMNS)}"]
    for name, one in found.items():
        lines.append(f"| {name} | {' | '.join(_cell(getattr(one, column)) for column in COLUMNS)} |")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
