"""What a text shows besides its n-grams: its length, its shouting, and which of the known word lists it touches."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers.features import Hashes, Reading, pairs

Matrix = NDArray[np.float64]

SURFACE = ("length", "capitals", "shouted_words", "exclamations", "questions", "quotes", "digits", "foreign_signs")
_CAPITAL = re.compile(r"[A-Z]")
_SHOUTED = re.compile(r"\b[A-Z]{3,}\b")
_DIGIT = re.compile(r"[0-9]")
_QUOTE = re.compile(r"[\"“”«»]|(?<!\w)'|'(?!\w)")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_MOST_HITS = 4


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A word list, as the sorted hashes of its words and of its phrases of two words."""

    name: str
    hashes: Hashes


def surface(texts: Sequence[str]) -> Matrix:
    """One row a text, in the order of `SURFACE`."""
    return np.array([_surface(text) for text in texts], dtype=np.float64).reshape(len(texts), len(SURFACE))


def _surface(text: str) -> tuple[float, ...]:
    length = max(len(text), 1)
    counts = (
        len(_CAPITAL.findall(text)) / length,
        _few(len(_SHOUTED.findall(text))),
        _few(text.count("!")),
        _few(text.count("?")),
        _few(len(_QUOTE.findall(text))),
        len(_DIGIT.findall(text)) / length,
        0.0 if text.isascii() else len(_FOREIGN.findall(text)) / length,
    )
    return (math.log1p(length) / 8, *counts)


def _few(count: int) -> float:
    return math.log1p(count) / 3


@dataclass(frozen=True, slots=True)
class LexiconIndex:
    """Several lists as one: all their hashes, sorted, and for each the lists it stands in."""

    known: Hashes
    members: Matrix

    @classmethod
    def of(cls, lexicons: Sequence[Lexicon]) -> Self:
        """The lists side by side, a column each."""
        known = np.unique(np.concatenate([np.empty(0, dtype=np.uint64), *(one.hashes for one in lexicons)]))
        columns = [np.isin(known, one.hashes) for one in lexicons]
        return cls(known, np.array(columns, dtype=np.float64).reshape(len(lexicons), len(known)).T)


def lexicon_hits(reading: Reading, lexicons: LexiconIndex) -> Matrix:
    """How many words and pairs of each text stand in each list, up to a few."""
    hits = np.zeros((len(reading.texts), lexicons.members.shape[1]))
    if not len(lexicons.known):
        return hits
    pair_hashes, pair_of = pairs(reading)
    hashes, text_of = np.concatenate((reading.words, pair_hashes)), np.concatenate((reading.word_of, pair_of))
    places = np.minimum(np.searchsorted(lexicons.known, hashes), len(lexicons.known) - 1)
    found = lexicons.known[places] == hashes
    np.add.at(hits, text_of[found], lexicons.members[places[found]])
    return np.minimum(hits, _MOST_HITS) / _MOST_HITS
