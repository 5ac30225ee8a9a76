"""Classes of words, learned without labels: words that stand between the same common words play the same part."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans

from core.adapters.classifiers.features import FeatureSpec, Ints
from core.adapters.classifiers.word_classes import FIRST_CLASS, WordClasses
from training.ranking import ranked_words

_COMMONEST = 118
"""So many words are each a class of its own, and tell of the others by standing beside them."""
_LEARNED = (120, 90, 60)
"""How many classes the other words are sorted into, one way after the other."""
_KNOWN = 15_000
_LEAST = 5
"""Of a word that stands in fewer places nothing is known."""
_ROUNDS = 60


def word_classes(texts: Sequence[str], spec: FeatureSpec) -> WordClasses:
    """Learn them."""
    found = ranked_words(texts, spec)
    known = min(_KNOWN, found.known(_LEAST))
    common = min(_COMMONEST, known)
    beside = _beside(found.ranks, found.text_of, common, known)[common:]
    ways = [np.append(np.arange(common), common + _grouped(beside, most, seed)) for seed, most in enumerate(_LEARNED)]
    order = np.argsort(found.words[:known])
    return WordClasses(found.words[order], (np.array(ways)[:, order] + FIRST_CLASS).astype(np.uint8))


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


def _grouped(beside: NDArray[np.float64], most: int, seed: int) -> Ints:
    groups = min(most, len(beside))
    if not groups:
        return np.empty(0, dtype=np.int64)
    return np.asarray(KMeans(groups, n_init=1, random_state=seed, max_iter=_ROUNDS).fit(beside).labels_, dtype=np.int64)
