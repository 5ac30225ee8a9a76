"""What a text shows besides its n-grams: its length, its shouting, and which of the known word lists it touches."""

import math
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers.features import Hashes, Reading, looked_up

Matrix = NDArray[np.float64]

SURFACE = ("length", "capitals", "shouted_words", "exclamations", "questions", "quotes", "digits", "foreign_signs")
_CAPITALS, _DIGITS = string.ascii_uppercase.encode(), string.digits.encode()
_BEYOND_ASCII = bytes(range(0x80, 0x100))
_SHOUTED_LETTERS = 3
_SHOUTED = re.compile(rf"\b[A-Z]{{{_SHOUTED_LETTERS},}}\b")
_QUOTE = re.compile(r"[\"“”«»'](?:(?<!')|(?<!\w')|(?!\w))")
"""An apostrophe inside a word is none."""
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
    """Bytes are counted by leaving them out, which is many times faster than looking at each of them from here."""
    length, raw = max(len(text), 1), text.encode("utf-8", "surrogatepass")
    capitals, digits = (len(raw) - len(raw.translate(None, signs)) for signs in (_CAPITALS, _DIGITS))
    shouted = len(_SHOUTED.findall(text)) if capitals >= _SHOUTED_LETTERS else 0
    quotes = len(_QUOTE.findall(text)) if "'" in text or '"' in text or len(raw) > len(text) else 0
    foreign = len(text) - len(raw.translate(None, _BEYOND_ASCII))
    return (
        math.log1p(length) / 8,
        capitals / length,
        _few(shouted),
        _few(text.count("!")),
        _few(text.count("?")),
        _few(quotes),
        digits / length,
        foreign / length,
    )


@lru_cache(maxsize=64)
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
    hashes = np.concatenate((reading.words, reading.pairs))
    begins_in = np.concatenate((reading.word_of, reading.word_of[:-1]))
    ends_in = np.concatenate((reading.word_of, reading.word_of[1:]))
    places, is_known = looked_up(hashes, lexicons.known)
    found = (is_known & (begins_in == ends_in)).nonzero()[0]
    np.add.at(hits, begins_in[found], lexicons.members[places[found]])
    return np.minimum(hits, _MOST_HITS) / _MOST_HITS
