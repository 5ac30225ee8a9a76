"""Texts as rows of hashed n-grams, many texts at once in numpy. Training reads the very same rows.

Each family of n-grams has columns of its own. In a row every distinct n-gram counts once, and each family's values
are scale / sqrt(how many): a family weighs the same in every text, however long the text is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate

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

    @property
    def kinds(self) -> int:
        """How many kinds of n-grams it has, by size or by how far apart they stand."""
        return self.high - self.low + 1


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
    """A row a text, family after family: family f of text i owns `indices[starts[n]:starts[n + 1]]`, n being
    i * families + f, each worth `values[i, f]`."""

    indices: Ints
    starts: Ints
    values: NDArray[np.float64]

    @property
    def bounds(self) -> Ints:
        """Where each text's indices start, all families together, and where the last one's end."""
        return self.starts[:: self.values.shape[1]]


@dataclass(frozen=True, slots=True)
class Grams:
    """What one family finds in the texts, each as often as it is there.

    `columns` are hashes of `bits` bits for each unit of the texts (the last axis; `text_of` says whose it is). `whole`
    says, for the last axes of `columns`, which of them stand in one text; what is said of the others does not count.
    """

    columns: Hashes
    text_of: Ints
    whole: NDArray[np.bool_]
    bits: int
    scale: float = 1.0

    def keys(self, offset: int, width: int, beyond: int) -> Ints:
        """The text's number above the column's, so that one sort puts each text's columns together; what does not
        count lies `beyond` them all."""
        return np.where(self.whole, self.columns.view(np.int64) + ((self.text_of << width) + offset), beyond).ravel()


@dataclass(frozen=True, slots=True)
class Reading:
    """Normalised texts laid end to end. `text_of`, `word_of`: which text a character or a word is of.

    `pairs`: each word with the next, even where that is of the next text.
    """

    texts: list[str]
    points: NDArray[np.uint32]
    text_of: Ints
    words: Hashes
    word_of: Ints
    pairs: Hashes


def read(texts: Sequence[str], normaliser: Normaliser) -> Reading:
    """Normalise, and split into characters and hashed words."""
    plain = [f" {text} " for text in normaliser.each(texts)]
    points = np.frombuffer("".join(plain).encode("utf-32-le", "replace"), dtype=np.uint32)
    text_of = np.arange(len(plain)).repeat([len(text) for text in plain])
    words, places = _words(points)
    return Reading(plain, points, text_of, words, text_of.take(places), _joined(words[:-1], words[1:]))


def rows(reading: Reading, spec: FeatureSpec) -> Rows:
    """A row a text, by the families of the specification."""
    return gathered(reading, grams(reading, spec))


def grams(reading: Reading, spec: FeatureSpec) -> list[Grams]:
    """What each family finds."""
    finders = {Kind.CHAR: _char_grams, Kind.WORD: _word_grams, Kind.SKIP: _skip_grams}
    return [finders[family.kind](reading, family) for family in spec.families]


def gathered(reading: Reading, families: Sequence[Grams]) -> Rows:
    """Every distinct n-gram of a text once, the families' columns side by side in their order."""
    *offsets, columns = accumulate((1 << family.bits for family in families), initial=0)
    width = columns.bit_length()
    beyond = len(reading.texts) << width
    keys = np.concatenate([one.keys(offset, width, beyond) for one, offset in zip(families, offsets, strict=True)])
    keys.sort()
    distinct = np.empty(len(keys), dtype=np.bool_)
    distinct[:1], distinct[1:] = True, keys[1:] != keys[:-1]
    keys = keys[distinct]
    firsts = np.add.outer(np.arange(len(reading.texts) + 1) << width, offsets).ravel()
    starts = keys.searchsorted(firsts[: len(firsts) - len(families) + 1])
    counts = (starts[1:] - starts[:-1]).reshape(-1, len(families))
    scales = np.array([family.scale for family in families])
    return Rows(keys[: starts[-1]] & ((1 << width) - 1), starts, scales / np.sqrt(np.maximum(counts, 1)))


def word_hash(word: str) -> int:
    """The number under which a word of a normalised text is known; 0 for what is not one word."""
    words, _ = _words(np.array([ord(char) for char in word], dtype=np.uint32))
    return int(words[0]) if len(words) == 1 else 0


def phrase_hash(phrase: str) -> int:
    """The number of one word, or of two in a row."""
    words, _ = _words(np.array([ord(char) for char in phrase], dtype=np.uint32))
    return int(words[0]) if len(words) == 1 else int(_joined(words[:1], words[1:2])[0]) if len(words) == 2 else 0


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
    classes = _CLASSES.take(np.minimum(points, _FIRST_WIDE))
    letters, begins = classes == _LETTER, classes == _SIGN
    begins[:1] |= letters[:1]
    begins[1:] |= letters[1:] > letters[:-1]
    starts = begins.nonzero()[0]
    if not len(starts):
        return np.empty(0, dtype=np.uint64), starts
    first, ends = starts[0], np.full_like(starts, len(points))
    ends[:-1] = starts[1:]
    places = np.arange(first, len(points)) - starts.repeat(ends - starts)
    parts = _POWERS.take(places & (_LONGEST_WORD - 1)) * points[first:]
    parts[classes[first:] == _SPACE] = 0
    return _mixed(np.add.reduceat(parts, starts - first)), starts


def _char_grams(reading: Reading, family: Family) -> Grams:
    codes = reading.points.astype(np.uint64) * STEP
    hashes, whole = blank(family.kinds, len(codes))
    so_far = codes
    for size in range(1, family.high + 1):
        if size > 1:
            so_far = so_far[:-1] * _MIX + codes[size - 1 :]
        if size >= family.low:
            hashes[size - family.low, : len(so_far)] = so_far + np.uint64(size)
            whole[size - family.low, : len(so_far)] = together(reading.text_of, size - 1)
    return Grams(high_bits(_mixed(hashes), family.bits), reading.text_of, whole, family.bits, family.scale)


def _word_grams(reading: Reading, family: Family) -> Grams:
    hashes, whole = blank(family.kinds, len(reading.words))
    so_far = reading.words
    for size in range(1, family.high + 1):
        if size > 1:
            so_far = reading.pairs if size == 2 else _joined(so_far[:-1], reading.words[size - 1 :])
        if size >= family.low:
            hashes[size - family.low, : len(so_far)] = so_far
            whole[size - family.low, : len(so_far)] = together(reading.word_of, size - 1)
    return Grams(high_bits(hashes, family.bits), reading.word_of, whole, family.bits, family.scale)


def _skip_grams(reading: Reading, family: Family) -> Grams:
    hashes, whole = blank(family.kinds, len(reading.words))
    for row, between in enumerate(range(family.low, family.high + 1)):
        left = reading.words[: -between - 1]
        hashes[row, : len(left)] = left * STEP + reading.words[between + 1 :]
        whole[row, : len(left)] = together(reading.word_of, between + 1)
    return Grams(high_bits(_mixed(hashes), family.bits), reading.word_of, whole, family.bits, family.scale)


def looked_up(words: Hashes, known: Hashes) -> tuple[Ints, NDArray[np.bool_]]:
    """For each word its place among the sorted hashes that are known (there must be some), and whether it is there."""
    places = np.minimum(known.searchsorted(words), len(known) - 1)
    return places, known.take(places) == words


def blank(kinds: int, units: int) -> tuple[Hashes, NDArray[np.bool_]]:
    """Room for n-grams of some kinds that begin at each unit, and that none of them is there."""
    shape = (kinds, units)
    return np.zeros(shape, dtype=np.uint64), np.zeros(shape, dtype=np.bool_)


def together(text_of: Ints, distance: int) -> NDArray[np.bool_]:
    """Which units are of one text with the one so far behind them."""
    whole: NDArray[np.bool_] = text_of[: max(len(text_of) - distance, 0)] == text_of[distance:]
    return whole


def high_bits(hashes: Hashes, bits: int) -> Hashes:
    """The bits that a hash is known by in a table of 2**bits columns."""
    return hashes >> np.uint64(64 - bits)


def _joined(left: Hashes, right: Hashes) -> Hashes:
    return _mixed(left * STEP + right)


def _mixed(hashes: Hashes) -> Hashes:
    """Every bit of the outcome depends on every bit of the sum."""
    folded = (hashes ^ (hashes >> FOLD)) * _MIX
    return (folded ^ (folded >> FOLD)) * STEP
