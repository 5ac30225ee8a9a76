"""Texts as rows of hashed n-grams, many texts at once in numpy. Training reads the very same rows.

Each family of n-grams has columns of its own. In a row every distinct n-gram counts once, and each family's values
are scale / sqrt(how many): a family weighs the same in every text, however long the text is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers.normalise import Normaliser

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

STEP = np.uint64(0x9E3779B97F4A7C15)
"""The golden ratio in 64 bits: multiplied by it, numbers that lie close together fall far apart."""
_MIX = np.uint64(0xFF51AFD7ED558CCD)
FOLD = np.uint64(32)
_LONGEST_WORD = 64
"""Letters of a longer word are folded onto the first ones."""
_POWERS = np.array([pow(int(STEP), power + 1, 2**64) for power in range(_LONGEST_WORD)], dtype=np.uint64)
_SPACE, _LETTER, _SIGN = 0, 1, 2
_FIRST_WIDE = 0x3000
"""From here on (CJK, emoji) every character is a word of its own."""


class Kind(StrEnum):
    """What a family is made of."""

    CHAR = "char"
    WORD = "word"
    SKIP = "skip"
    """Pairs of words with `low` to `high` others between them."""


@dataclass(frozen=True, slots=True)
class Family:
    """n-grams of `low` to `high` units in 2**bits columns; `scale` is their length against the other families'."""

    kind: Kind
    low: int
    high: int
    bits: int = 17
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """How a text becomes a row: fixed by training, carried by the weights file."""

    families: tuple[Family, ...]
    normaliser: Normaliser = field(default_factory=Normaliser)

    @property
    def columns(self) -> int:
        """The width of a row, all families side by side."""
        return sum(1 << family.bits for family in self.families)


@dataclass(frozen=True, slots=True)
class Rows:
    """One family's part of each row: row i owns `indices[starts[i]:starts[i + 1]]`, each worth `values[i]`."""

    indices: Ints
    starts: Ints
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """Normalised texts laid end to end. `text_of`, `word_of`: which text a character or a word is of."""

    texts: list[str]
    points: NDArray[np.uint32]
    text_of: Ints
    words: Hashes
    word_of: Ints


def read(texts: Sequence[str], normaliser: Normaliser) -> Reading:
    """Normalise, and split into characters and hashed words."""
    plain = [f" {normaliser(text)} " for text in texts]
    points = np.frombuffer("".join(plain).encode("utf-32-le", "replace"), dtype=np.uint32)
    text_of = np.repeat(np.arange(len(plain)), [len(text) for text in plain])
    words, places = _words(points)
    return Reading(plain, points, text_of, words, text_of[places])


def rows(reading: Reading, spec: FeatureSpec) -> list[Rows]:
    """A row a text, for each family in turn."""
    found, offset = [], 0
    for family in spec.families:
        found.append(_family_rows(reading, family, offset))
        offset += 1 << family.bits
    return found


def word_hash(word: str) -> int:
    """The number under which a word of a normalised text is known; 0 for what is not one word."""
    words, _ = _words(np.array([ord(char) for char in word], dtype=np.uint32))
    return int(words[0]) if len(words) == 1 else 0


def phrase_hash(phrase: str) -> int:
    """The number of one word, or of two in a row."""
    words, _ = _words(np.array([ord(char) for char in phrase], dtype=np.uint32))
    return int(words[0]) if len(words) == 1 else int(_joined(words[:1], words[1:2])[0]) if len(words) == 2 else 0


def pairs(reading: Reading) -> tuple[Hashes, Ints]:
    """Every two words in a row, and the text they are of."""
    return _gram_pairs(reading, 1)


def _classes() -> NDArray[np.uint8]:
    """Letters make words, and signs beyond ASCII (emoji) are words; everything else separates."""
    table = np.full(_FIRST_WIDE + 1, _SIGN, dtype=np.uint8)
    for code in range(_FIRST_WIDE):
        char = chr(code)
        if char.isalnum() or char in "'_":
            table[code] = _LETTER
        elif code < 0x80 or char.isspace():
            table[code] = _SPACE
    return table


_CLASSES = _classes()


def _words(points: NDArray[np.uint32]) -> tuple[Hashes, Ints]:
    """A hash for each word, and where the word starts."""
    classes = _CLASSES[np.minimum(points, _FIRST_WIDE)]
    letters = classes == _LETTER
    begins = letters.copy()
    begins[1:] &= ~letters[:-1]
    starts = np.flatnonzero(begins | (classes == _SIGN))
    if not len(starts):
        return np.empty(0, dtype=np.uint64), starts
    first = starts[0]
    places = np.arange(first, len(points)) - np.repeat(starts, np.diff(starts, append=len(points)))
    parts = np.where(classes[first:] == _SPACE, np.uint64(0), points[first:] * _POWERS[places % _LONGEST_WORD])
    return _mixed(np.add.reduceat(parts, starts - first)), starts


def _family_rows(reading: Reading, family: Family, offset: int) -> Rows:
    grams = {Kind.CHAR: _char_grams, Kind.WORD: _word_grams, Kind.SKIP: _skip_grams}[family.kind](reading, family)
    hashes, text_of = (np.concatenate(part) for part in zip(*grams, strict=True))
    # The text's number above the column's, so that one sort puts each text's columns together.
    keys = (text_of << family.bits) | (hashes >> np.uint64(64 - family.bits)).astype(np.int64)
    keys.sort()
    keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))] if len(keys) else keys
    starts = np.searchsorted(keys, np.arange(len(reading.texts) + 1) << family.bits)
    indices = (keys & ((1 << family.bits) - 1)) + offset
    return Rows(indices, starts, family.scale / np.sqrt(np.maximum(np.diff(starts), 1)))


Grams = Iterable[tuple[Hashes, Ints]]


def _char_grams(reading: Reading, family: Family) -> Grams:
    codes = reading.points.astype(np.uint64) * STEP
    hashes = codes
    for size in range(1, family.high + 1):
        if size > 1:
            hashes = hashes[:-1] * _MIX + codes[size - 1 :]
        if size >= family.low:
            text_of = reading.text_of[: len(hashes)]
            whole = text_of == reading.text_of[size - 1 :]
            yield _mixed(hashes[whole] + np.uint64(size)), text_of[whole]


def _word_grams(reading: Reading, family: Family) -> Grams:
    hashes = reading.words
    for size in range(1, family.high + 1):
        if size > 1:
            hashes = _joined(hashes[:-1], reading.words[size - 1 :])
        if size >= family.low:
            text_of = reading.word_of[: len(hashes)]
            whole = text_of == reading.word_of[size - 1 :]
            yield hashes[whole], text_of[whole]


def _skip_grams(reading: Reading, family: Family) -> Grams:
    return (_gram_pairs(reading, between + 1) for between in range(family.low, family.high + 1))


def _gram_pairs(reading: Reading, distance: int) -> tuple[Hashes, Ints]:
    text_of = reading.word_of[:-distance]
    whole = text_of == reading.word_of[distance:]
    return _joined(reading.words[:-distance], reading.words[distance:])[whole], text_of[whole]


def _joined(left: Hashes, right: Hashes) -> Hashes:
    return _mixed(left * STEP + right)


def _mixed(hashes: Hashes) -> Hashes:
    """Every bit of the outcome depends on every bit of the sum."""
    mixed = (hashes ^ (hashes >> FOLD)) * _MIX
    return (mixed ^ (mixed >> FOLD)) * STEP
