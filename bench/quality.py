"""Our classifiers beside what else a team would take: TF-IDF with logistic regression on the same files, word lists."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.report import HERE, Measure
from core.adapters.classifiers import WEIGHTS, load_model
from core.domain.compliance.scoring import Quality
from training.baseline import baseline_score, train_baseline
from training.data import TextSet, dev_sets, sample, train_sets, unseen_sets
from training.evaluate import Scorer, measured, table

DATA = "OPS_TRAINING_DATA"
TYPES = ("toxicity", "prompt_injection", "nsfw", "spam")
PAGE = HERE / "quality.md"
TIMED = 200


SLOW_ROWS = 200


class Contender(NamedTuple):
    """Somebody who scores texts; of a slow one's sets, `rows` are drawn."""

    name: str
    score: Scorer
    rows: int | None = None


def compare() -> Measure:
    """The share of dev sets on which ours is better than the baseline; every figure goes to bench/quality.md."""
    data = Path(os.environ[DATA])
    lost: list[str] = []
    pages, sets = [], 0
    with threadpool_limits(1):
        for check_type in TYPES:
            contenders = _contenders(check_type, data)
            dev, unseen = dev_sets(data, check_type), _unseen(data, check_type)
            found = {one.name: _measured(one, dev | unseen) for one in contenders}
            lost += [name for name in dev if not _beats(found["ours"][name], found["baseline"][name])]
            sets += len(dev)
            pages += [_page(check_type, found), _speed(contenders, dev)]
    PAGE.write_text("\n\n".join([_HEAD, *pages]) + "\n")
    note = "dev sets on which ours beats TF-IDF with logistic regression on the same files; bench/quality.md"
    if lost:
        note += f"; not on {', '.join(lost)}"
    return Measure((sets - len(lost)) / sets, 1.0, 1.0, "share", note=note)


_HEAD = f"""# Quality

Made by `./ops bench compliance_quality` with `{DATA}` set. Dev sets tuned the models,
the sets after them (where there are any) did not. Decisions are taken at the shipped threshold; the others' is 0.5."""


def _unseen(data: Path, check_type: str) -> dict[str, TextSet]:
    return unseen_sets(data, check_type) if (data / "evaluate_only" / check_type).is_dir() else {}


def _contenders(check_type: str, data: Path) -> list[Contender]:
    model, baseline = (
        load_model(check_type, WEIGHTS / f"{check_type}.bin"),
        train_baseline(train_sets(data, check_type)),
    )
    found = [Contender("ours", model.score), Contender("baseline", partial(baseline_score, baseline))]
    return [*found, *_word_lists()] if check_type == "toxicity" else found


def _word_lists() -> Iterator[Contender]:
    # only here: both are read for this comparison, and bring a model and a list of their own
    from better_profanity import profanity  # type: ignore[import-untyped]  # ships no types
    from profanity_check import predict_prob  # type: ignore[import-untyped]  # ships no types

    profanity.load_censor_words()
    listed: Callable[[str], bool] = profanity.contains_profanity
    yield Contender("alt-profanity-check", lambda texts: np.asarray(predict_prob(list(texts)), dtype=np.float64))
    slow = partial(_each, listed)
    yield Contender("better-profanity", slow, SLOW_ROWS)  # up to a fifth of a second a text


def _each(listed: Callable[[str], bool], texts: Sequence[str]) -> NDArray[np.float64]:
    return np.array([float(listed(text)) for text in texts])


def _measured(one: Contender, sets: Mapping[str, TextSet]) -> dict[str, Quality]:
    drawn = {name: sample(found, one.rows or len(found), seed=1) for name, found in sets.items()}
    return measured(one.score, drawn)


def _beats(ours: Quality, theirs: Quality) -> bool:
    """By AUC; a set of one class has none, there the share of right decisions counts. Nothing is better than all."""
    pair = (
        (ours.auc, theirs.auc) if ours.auc is not None and theirs.auc is not None else (ours.accuracy, theirs.accuracy)
    )
    mine, other = (figure or 0.0 for figure in pair)
    return mine > other or mine == 1.0


def _page(check_type: str, found: Mapping[str, Mapping[str, Quality]]) -> str:
    rows = {
        f"{name}: {contender}": figures_of[name]
        for name in next(iter(found.values()))
        for contender, figures_of in found.items()
    }
    return f"## {check_type}\n\n{table(rows)}"


def _speed(contenders: Sequence[Contender], dev: Mapping[str, TextSet]) -> str:
    texts = [text for one in dev.values() for text in one.texts][:TIMED]
    lines = [f"| {one.name} | {_milliseconds(one.score, texts):.3f} |" for one in contenders]
    return "\n".join(["| one text at a time | ms a text |", "| --- | --- |", *lines])


def _milliseconds(score: Callable[[Sequence[str]], NDArray[np.float64]], texts: Sequence[str]) -> float:
    began = time.perf_counter()
    for text in texts:
        score([text])
    return (time.perf_counter() - began) * 1000 / len(texts)
