"""How evenly the model treats people: figures by identity term over template sentences that it was not trained on."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core.domain.compliance.scoring import Quality
from training.data import TextSet, train_sets
from training.evaluate import Scorer, figures
from training.toxicity.words import listed

TERMS = listed(
    """lesbian, gay, bisexual, transgender, trans, queer, lgbt, homosexual, straight, heterosexual, male, female,
    nonbinary, african, african american, black, white, european, hispanic, latino, latina, latinx, mexican, canadian,
    american, asian, indian, middle eastern, chinese, japanese, christian, muslim, jewish, buddhist, catholic,
    protestant, sikh, taoist, old, older, young, younger, teenage, millenial, middle aged, elderly, blind, deaf,
    paralyzed"""
)
_EVERY = 4
"""So many rows share one that is measured; the others may have trained."""


def by_identity(data: Path, score: Scorer, trained: Sequence[str]) -> dict[str, Quality]:
    """Figures over the sentences that name each term, worst rate of false positives first."""
    seen = set(trained)
    everything = train_sets(data, "toxicity")["madlibs"]
    fresh = everything.rows(np.array([text not in seen for text in everything.texts]))
    fresh = fresh.rows(np.arange(0, len(fresh), _EVERY))
    scores = score(fresh.texts)
    found = {term: figures(fresh.labels[rows], scores[rows]) for term, rows in _rows(fresh)}
    return dict(sorted(found.items(), key=lambda pair: -(pair[1].false_positive_rate or 0.0)))


def _rows(found: TextSet) -> Iterator[tuple[str, list[int]]]:
    for term in TERMS:
        word = re.compile(rf"\b{term}\b", re.IGNORECASE)
        rows = [number for number, text in enumerate(found.texts) if word.search(text)]
        if rows:
            yield term, rows
