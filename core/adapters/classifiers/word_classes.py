"""The parts that words play, and their order, as one more family of features: what "write a poem" is to any order.

A word's class is learned without labels from its neighbours (training/prompt_injection/neighbours.py), so that a
verb first in a sentence is known for an order even where the verb itself was never seen in one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers.features import FOLD, STEP, Grams, Hashes, Ints, Reading, high_bits, looked_up, together

UNKNOWN, FIRST_CLASS = 0, 1
MOST_CLASSES = 239
"""Numbers from here on say how a text begins and ends."""
_LETTER, _DIGIT, _SIGN = range(240, 243)
_ENDS = {"?": 250, "!": 251, ":": 252, ".": 253}
_NO_END = 254
_LONGEST = 3
_APART = np.uint64(8)
"""What lies between the codes of two ways."""
_MIX = np.uint64(0x100000001B3)


@dataclass(frozen=True, slots=True)
class WordClasses:
    """Which words are of which class (numbers from 1), by the sorted hashes of the words; 2**bits columns.

    There are several ways to sort words into classes, one a row: what one way tears apart, another leaves together.
    """

    hashes: Hashes
    classes: NDArray[np.uint8]
    bits: int = 16


NO_CLASSES = WordClasses(np.empty(0, dtype=np.uint64), np.empty((1, 0), dtype=np.uint8))


def class_grams(reading: Reading, known: WordClasses) -> Grams:
    """Classes, and two and three in a row, a text's beginning and end among them."""
    classes, text_of = _in_order(reading, known)
    ways, units = classes.shape
    codes, whole = np.zeros((ways, _LONGEST, units), dtype=np.uint64), np.zeros((_LONGEST, units), dtype=np.bool_)
    numbers = classes + np.uint64(1)
    for row in range(_LONGEST):
        count = max(units - row, 0)
        codes[:, row, :count] = _codes(numbers, row + 1, count)
        whole[row, :count] = together(text_of, row)
    spread = (codes ^ (codes >> FOLD)) * STEP
    return Grams(high_bits((spread ^ (spread >> FOLD)) * STEP, known.bits), text_of, whole, known.bits)


def _in_order(reading: Reading, known: WordClasses) -> tuple[Hashes, Ints]:
    """Every text as how it begins, its words' classes, and how it ends; one row for each way."""
    texts = np.arange(len(reading.texts))
    words = np.bincount(reading.word_of, minlength=len(texts))
    lasts = np.cumsum(words + 2) - 1
    classes = np.empty((len(known.classes), len(reading.words) + 2 * len(texts)), dtype=np.uint64)
    classes[:, np.arange(len(reading.words)) + 2 * reading.word_of + 1] = _classes_of(reading.words, known)
    classes[:, lasts - words - 1], classes[:, lasts] = zip(*map(_edges, reading.texts), strict=True)
    return classes, np.repeat(texts, words + 2)


def _edges(text: str) -> tuple[int, int]:
    text = text.strip()
    begins = _LETTER if text[:1].isalpha() else _DIGIT if text[:1].isdigit() else _SIGN
    return begins, _ENDS.get(text[-1:], _NO_END)


def _classes_of(words: Hashes, known: WordClasses) -> NDArray[np.uint8]:
    if not len(known.hashes):
        return np.full((len(known.classes), len(words)), UNKNOWN, dtype=np.uint8)
    places, is_known = looked_up(words, known.hashes)
    classes = known.classes.take(places, axis=1)
    classes[:, ~is_known] = UNKNOWN
    return classes


def _codes(numbers: Hashes, size: int, count: int) -> Hashes:
    """`size` classes in a row as one number, for each way."""
    codes = (np.arange(len(numbers), dtype=np.uint64) * _APART + np.uint64(size))[:, None]
    for place in range(size):
        codes = codes * _MIX + numbers[:, place : place + count]
    return codes
