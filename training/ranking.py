"""The words of many texts, the commonest first: what is learned of words without labels starts here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers.features import FeatureSpec, Hashes, Ints, read

_LONGEST = 3000
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class RankedWords:
    """`words` and `counts` by rank; `ranks` and `text_of` for each word of the texts, in order."""

    words: Hashes
    counts: NDArray[np.int64]
    ranks: Ints
    text_of: Ints

    def known(self, least: int) -> int:
        """How many words stand in the texts that often."""
        return int((self.counts >= least).sum())


def ranked_words(texts: Sequence[str], spec: FeatureSpec) -> RankedWords:
    """Count the words of each text's beginning."""
    words, text_of = _words(texts, spec)
    distinct, inverse, counts = np.unique(words, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return RankedWords(distinct[order], counts[order], rank[inverse], text_of)


def _words(texts: Sequence[str], spec: FeatureSpec) -> tuple[Hashes, Ints]:
    words, text_of = [], []
    for start in range(0, len(texts), _AT_ONCE):
        reading = read([text[:_LONGEST] for text in texts[start : start + _AT_ONCE]], spec.normaliser)
        words.append(reading.words)
        text_of.append(reading.word_of + start)
    return np.concatenate(words), np.concatenate(text_of)
