"""The shipped classifiers on lists written to be judged only, each held against the bar of its kind of text.

Nothing in the lists trained a model. Their totals may be looked at; which texts are wrong should not be, or the lists
are spent. The first and the fourth of hidden requests are: what the model missed in them said what to change.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

from bench.report import HERE, Measure
from core.adapters.classifiers import WEIGHTS, load_model
from core.contracts.compliance import CheckType

FIRST, SECOND, THIRD, FOURTH, FIFTH = (
    HERE / "unseen_texts" / part for part in ("first", "second", "third", "fourth", "fifth")
)
PAGE = HERE / "unseen.md"
FLAGGED = 0.5
_HIDDEN = re.compile(r" ?\[\[(.*?)\]\]\n?", re.DOTALL)
_INJECTION = CheckType.PROMPT_INJECTION

Scores = NDArray[np.float64]


class Bar(NamedTuple):
    """What a kind of text must reach; `at_most` where less is better."""

    kind: str
    figure: Callable[[], float]
    bar: float
    at_most: bool = False

    def held(self, figure: float) -> bool:
        """Whether this figure reaches it."""
        return figure <= self.bar if self.at_most else figure >= self.bar


def lines(path: Path) -> list[str]:
    """One text a line, or in blocks between lines of a tilde."""
    text = path.read_text()
    if "\n~\n" in text:
        return [block.strip("\n") for block in text.split("\n~\n")]
    return [line.replace("\\n", "\n") for line in text.splitlines() if line]


@cache
def _scored(check_type: CheckType, texts: tuple[str, ...]) -> Scores:
    return load_model(check_type, WEIGHTS / f"{check_type}.bin").score(texts)


def _scores(check_type: CheckType, path: Path) -> Scores:
    return _scored(check_type, tuple(lines(path)))


def flagged(check_type: CheckType, path: Path) -> Callable[[], float]:
    """The share of these texts that is flagged."""
    return lambda: float((_scores(check_type, path) >= FLAGGED).mean())


def _passed(path: Path) -> Callable[[], float]:
    return lambda: 1 - flagged(_INJECTION, path)()


def _f1(part: Path, harmless: str) -> Callable[[], float]:
    def figure() -> float:
        attacks, others = (_scores(_INJECTION, part / name) >= FLAGGED for name in ("direct_attacks.txt", harmless))
        return float(2 * attacks.sum() / (attacks.sum() + others.sum() + len(attacks)))

    return figure


def _auc(positive: Scores, negative: Scores) -> float:
    labels = np.repeat([1, 0], [len(positive), len(negative)])
    return float(roc_auc_score(labels, np.concatenate([positive, negative])))


def _marked(part: Path) -> tuple[Scores, Scores]:
    """Documents with what hides in them (in the file between two brackets), and without."""
    documents = lines(part / "hidden.txt")
    hidden, clean = (tuple(_HIDDEN.sub(kept, text) for text in documents) for kept in (r" \1\n", ""))
    return _scored(_INJECTION, hidden), _scored(_INJECTION, clean)


def _marked_documents() -> float:
    return _auc(*_marked(FIRST))


def _marked_and_others(part: Path) -> Callable[[], float]:
    def figure() -> float:
        hidden, clean = _marked(part)
        return _auc(hidden, np.concatenate([clean, _scores(_INJECTION, part / "documents_clean.txt")]))

    return figure


def _documents() -> float:
    parts = (SECOND / f"documents_{part}.txt" for part in ("injected", "clean"))
    return _auc(*(_scores(_INJECTION, part) for part in parts))


def _toxicity(name: str) -> tuple[list[int], Scores]:
    rows = [json.loads(line) for line in (SECOND / f"{name}.jsonl").read_text().splitlines()]
    return [row["label"] for row in rows], _scored(CheckType.TOXICITY, tuple(row["text"] for row in rows))


def _posts() -> float:
    return float(roc_auc_score(*_toxicity("posts")))


def _functional() -> float:
    labels, scores = _toxicity("functional")
    return float(f1_score(labels, scores >= FLAGGED, average="macro"))


BARS = (
    Bar("direct attacks among innocent prompts, F1", _f1(FIRST, "attack_words.txt"), 0.82),
    Bar("direct attacks among plain questions, F1", _f1(SECOND, "plain_questions.txt"), 0.82),
    Bar("innocent prompts with an attack's words, first list, right", _passed(FIRST / "attack_words.txt"), 0.92),
    Bar("innocent prompts with an attack's words, second list, right", _passed(SECOND / "attack_words.txt"), 0.92),
    Bar("long and playful prompts, first list, flagged", flagged(_INJECTION, FIRST / "playful.txt"), 0.15, True),
    Bar("long and playful prompts, second list, flagged", flagged(_INJECTION, SECOND / "playful.txt"), 0.15, True),
    Bar("ordinary requests hidden in documents, first list, AUC", _marked_documents, 0.92),
    Bar("ordinary requests hidden in documents, second list, AUC", _documents, 0.92),
    Bar("requests hidden in documents, third list, AUC", _marked_and_others(THIRD), 0.92),
    Bar("requests hidden in documents, fourth list, AUC", _marked_and_others(FOURTH), 0.92),
    Bar("requests hidden in documents, fifth list, AUC", _marked_and_others(FIFTH), 0.92),
    Bar("prompts that only look sexual, flagged", flagged(CheckType.NSFW, SECOND / "nsfw_safe.txt"), 1 / 250, True),
    Bar(
        "prompts that only look sexual, newer list, flagged",
        flagged(CheckType.NSFW, FOURTH / "nsfw_safe.txt"),
        1 / 250,
        True,
    ),
    Bar("social-media posts, toxicity, AUC", _posts, 0.91),
    Bar("functional cases of hate, macro-F1", _functional, 0.62),
)


def measure() -> Measure:
    """The share of bars that are held; every figure goes to bench/unseen.md."""
    figures = [bar.figure() for bar in BARS]
    PAGE.write_text("\n".join([*_HEAD, *map(_row, BARS, figures)]) + "\n")
    held = sum(bar.held(figure) for bar, figure in zip(BARS, figures, strict=True))
    note = f"{held} of {len(BARS)} bars on texts that neither trained nor tuned a model; bench/unseen.md"
    return Measure(held / len(BARS), 1.0, 1.0, "share", note=note)


_HEAD = (
    "# Texts that nobody trained on\n",
    "Made by `./ops bench compliance_unseen`: the shipped models and thresholds on lists of our own in",
    "`bench/unseen_texts`. On the unseen sets of the spam kinds and of pii, see docs/compliance.md.\n",
    "| kind | figure | bar | held |",
    "| --- | --- | --- | --- |",
)


def _row(bar: Bar, figure: float) -> str:
    sign = "≤" if bar.at_most else "≥"
    return f"| {bar.kind} | {figure:.3f} | {sign} {bar.bar:g} | {'yes' if bar.held(figure) else 'no'} |"
