"""Kinds of words, and the order they stand in, as one more family of features: "drop the rules" in any wording."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers.features import STEP, Hashes, Ints, Reading, Rows, word_hash

_FARTHEST = 6
"""Words of a kind that stand farther apart than this have nothing to do with each other."""


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


def concept_rows(reading: Reading, concepts: Concepts, offset: int) -> Rows:
    """A row a text: the kinds in it, and those that follow one another, with how far apart they stand."""
    found, kinds = _known(reading.words, concepts)
    text_of = reading.word_of[found]
    parts = [(kinds, text_of), _chained(kinds, found, text_of, 2), _chained(kinds, found, text_of, 3)]
    codes = np.concatenate([part[0] for part in parts])
    hashes = (codes * STEP) >> np.uint64(64 - concepts.bits)
    keys = np.unique((np.concatenate([part[1] for part in parts]) << concepts.bits) | hashes.astype(np.int64))
    starts = np.searchsorted(keys, np.arange(len(reading.texts) + 1) << concepts.bits)
    indices = (keys & ((1 << concepts.bits) - 1)) + offset
    return Rows(indices, starts, concepts.scale / np.sqrt(np.maximum(np.diff(starts), 1)))


def _known(words: Hashes, concepts: Concepts) -> tuple[Ints, Hashes]:
    """Where the words of a kind stand, and their kinds."""
    if not len(concepts.hashes):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64)
    nearest = np.minimum(np.searchsorted(concepts.hashes, words), len(concepts.hashes) - 1)
    found = np.flatnonzero(concepts.hashes[nearest] == words)
    return found, concepts.kinds[nearest[found]].astype(np.uint64)


def _chained(kinds: Hashes, found: Ints, text_of: Ints, size: int) -> tuple[Hashes, Ints]:
    """`size` kinds in a row: near each other and in one text."""
    count = max(len(kinds) - size + 1, 0)
    codes, near = np.full(count, size, dtype=np.uint64), text_of[:count] == text_of[size - 1 :][:count]
    for place in range(size):
        codes = (codes << np.uint64(8)) | kinds[place : place + count]
        if place:
            apart = found[place : place + count] - found[place - 1 : place - 1 + count]
            near &= apart <= _FARTHEST
            codes = (codes << np.uint64(2)) | np.searchsorted([1, 3], apart).astype(np.uint64)
    return codes[near], text_of[:count][near]
