"""Kinds of words, and the order they stand in, as one more family of features: "drop the rules" in any wording."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers.features import (
    STEP,
    Grams,
    Hashes,
    Ints,
    Reading,
    blank,
    high_bits,
    looked_up,
    word_hash,
)

_FARTHEST = 6
"""Words of a kind that stand farther apart than this have nothing to do with each other."""
_DISTANCES = np.array([1, 3])
"""Kinds stand side by side, near each other, or farther apart."""
_LONGEST = 3
_ROOM_FOR_KIND, _ROOM_FOR_DISTANCE = np.uint64(8), np.uint64(2)


@dataclass(frozen=True, slots=True)
class Concepts:
    """Which words are of which kind (numbers from 1), by the sorted hashes of the words; 2**bits columns."""

    hashes: Hashes
    kinds: NDArray[np.uint8]
    bits: int = 13
    scale: float = 1.0


NO_CONCEPTS = Concepts(np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint8))


def concepts_of(words: Mapping[str, int], *, bits: int, scale: float) -> Concepts:
    """From normalised words and the number of their kind."""
    known = {word_hash(word): kind for word, kind in words.items()}
    hashes = sorted(known.keys() - {0})
    kinds = np.array([known[one] for one in hashes], dtype=np.uint8)
    return Concepts(np.array(hashes, dtype=np.uint64), kinds, bits, scale)


def concept_grams(reading: Reading, concepts: Concepts) -> Grams:
    """The kinds in each text, and those that follow one another near by, with how far apart they stand."""
    found, kinds = _known(reading.words, concepts)
    text_of, apart = reading.word_of.take(found), found[1:] - found[:-1]
    linked = (apart <= _FARTHEST) & (text_of[1:] == text_of[:-1])
    after = (kinds[1:] << _ROOM_FOR_DISTANCE) | _DISTANCES.searchsorted(apart).astype(np.uint64)
    codes, whole = blank(_LONGEST, len(kinds))
    codes[0], whole[0] = kinds, True
    for row in range(1, _LONGEST):
        count = max(len(kinds) - row, 0)
        codes[row, :count] = _chained(row + 1, kinds, after, count)
        whole[row, :count] = np.logical_and.reduce([linked[step : step + count] for step in range(row)])
    return Grams(high_bits(codes * STEP, concepts.bits), text_of, whole, concepts.bits, concepts.scale)


def _known(words: Hashes, concepts: Concepts) -> tuple[Ints, Hashes]:
    """Where the words of a kind stand, and their kinds."""
    if not len(concepts.hashes):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64)
    places, is_known = looked_up(words, concepts.hashes)
    return is_known.nonzero()[0], concepts.kinds.take(places[is_known]).astype(np.uint64)


def _chained(size: int, kinds: Hashes, after: Hashes, count: int) -> Hashes:
    """`size` kinds in a row as one number: the first kind, and of each further one the kind and how far it stands."""
    codes = (np.uint64(size) << _ROOM_FOR_KIND) | kinds[:count]
    for step in range(size - 1):
        codes = (codes << (_ROOM_FOR_KIND + _ROOM_FOR_DISTANCE)) | after[step : step + count]
    return codes
