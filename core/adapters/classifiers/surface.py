"""What a text shows besides its n-grams: its length, its shouting, and which of the known word lists it touches."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

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


def lexicon_hits(reading: Reading, lexicons: Sequence[Lexicon]) -> Matrix:
    """How many words and pairs of each text stand in each list, up to a few."""
    hits = np.zeros((len(reading.texts), len(lexicons)))
    if not lexicons:
        return hits
    pair_hashes, pair_of = pairs(reading)
    hashes, text_of = np.concatenate((reading.words, pair_hashes)), np.concatenate((reading.word_of, pair_of))
    for column, lexicon in enumerate(lexicons):
        found = text_of[_within(hashes, lexicon.hashes)]
        hits[:, column] = np.minimum(np.bincount(found, minlength=len(hits)), _MOST_HITS) / _MOST_HITS
    return hits


def _within(hashes: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Which of the hashes are among the sorted known ones."""
    if not len(known):
        return np.zeros(len(hashes), dtype=np.bool_)
    nearest = known[np.minimum(np.searchsorted(known, hashes), len(known) - 1)]
    return np.asarray(nearest == hashes, dtype=np.bool_)
