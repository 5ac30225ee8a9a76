"""Classes of words, learned without labels: words that stand between the same common words play the same part."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans

from core.adapters.classifiers.features import FeatureSpec, Ints, read
from core.adapters.classifiers.word_classes import FIRST_CLASS, WordClasses

_COMMONEST = 118
"""So many words are each a class of its own, and tell of the others by standing beside them."""
_LEARNED = 120
_KNOWN = 15_000
_LEAST = 5
"""Of a word that stands in fewer places nothing is known."""
_LONGEST = 3000
_AT_ONCE = 2000
_ROUNDS = 60


def word_classes(texts: Sequence[str], spec: FeatureSpec) -> WordClasses:
    """Learn them."""
    words, text_of = _words(texts, spec)
    distinct, inverse, counts = np.unique(words, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    known = min(_KNOWN, int((counts >= _LEAST).sum()))
    common = min(_COMMONEST, known)
    beside = _beside(rank[inverse], text_of, common, known)[common:]
    classes = np.append(np.arange(common), common + _grouped(beside)) + FIRST_CLASS
    hashes = distinct[order][:known]
    sorted_by = np.argsort(hashes)
    return WordClasses(hashes[sorted_by], classes[sorted_by].astype(np.uint8))


def _words(texts: Sequence[str], spec: FeatureSpec) -> tuple[NDArray[np.uint64], Ints]:
    words, text_of = [], []
    for start in range(0, len(texts), _AT_ONCE):
        reading = read([text[:_LONGEST] for text in texts[start : start + _AT_ONCE]], spec.normaliser)
        words.append(reading.words)
        text_of.append(reading.word_of + start)
    return np.concatenate(words), np.concatenate(text_of)


def _beside(ranks: Ints, text_of: Ints, common: int, known: int) -> NDArray[np.float64]:
    """For each known word, the roots of how often each common one, another, or an end is on its left and right."""
    told, same = np.minimum(ranks, common), text_of[1:] == text_of[:-1]
    left, right = np.full((2, len(ranks)), common + 1)
    left[1:], right[:-1] = np.where(same, told[:-1], common + 1), np.where(same, told[1:], common + 1)
    seen = ranks < known
    counts = [
        csr_matrix((np.ones(seen.sum()), (ranks[seen], side[seen])), shape=(known, common + 2)).toarray()
        for side in (left, right)
    ]
    return np.hstack([np.sqrt(count / count.sum(axis=1, keepdims=True)) for count in counts])


def _grouped(beside: NDArray[np.float64]) -> Ints:
    groups = min(_LEARNED, len(beside))
    if not groups:
        return np.empty(0, dtype=np.int64)
    return np.asarray(KMeans(groups, n_init=1, random_state=0, max_iter=_ROUNDS).fit(beside).labels_, dtype=np.int64)
