"""Examples as numbers: a sparse row for each text and for each of its segments, as the run time sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from core.adapters.classifiers.concepts import Concepts
from core.adapters.classifiers.features import FeatureSpec, read
from core.adapters.classifiers.injection import injection_rows, width
from core.adapters.classifiers.segments import outline, pieces, said, segments
from core.adapters.classifiers.word_classes import WordClasses
from training.linear import sparse
from training.prompt_injection.corpus import Example

_AT_ONCE = 2000
_LONGEST = 30_000
"""Characters of a text that training reads."""


@dataclass(frozen=True)
class Prepared:
    """Everything that fitting needs, text by text.

    `owner` says which text a segment is of; the columns from `wording` on are those of the word classes.
    """

    groups: NDArray[np.str_]
    shapes: NDArray[np.str_]
    labels: NDArray[np.int64]
    words: NDArray[np.int64]
    whole: csr_matrix
    parts: csr_matrix
    wording: int
    owner: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many segments each text has."""
        return np.bincount(self.owner, minlength=len(self.labels))


def prepare(examples: Sequence[Example], spec: FeatureSpec, concepts: Concepts, classes: WordClasses) -> Prepared:
    """Rows of all examples."""
    texts = [one.text[:_LONGEST] for one in examples]
    cuts = [segments(text) for text in texts]
    whole = [said(text, cut) for text, cut in zip(texts, cuts, strict=True)]
    found = [pieces(text, cut) for text, cut in zip(texts, cuts, strict=True)]
    return Prepared(
        groups=np.array([one.group for one in examples]),
        shapes=np.array([str(one.shape) for one in examples]),
        labels=np.array([one.label for one in examples], dtype=np.int64),
        words=np.array([len(text.split()) for text in whole], dtype=np.int64),
        whole=matrix([outline(text) for text in whole], spec, concepts, classes),
        parts=matrix([piece for one in found for piece in one], spec, concepts, classes),
        wording=width(spec, concepts, classes) - (1 << classes.bits),
        owner=np.repeat(np.arange(len(texts)), [len(one) for one in found]),
    )


def matrix(texts: Sequence[str], spec: FeatureSpec, concepts: Concepts, classes: WordClasses) -> csr_matrix:
    """One sparse row a text."""
    starts = range(0, len(texts), _AT_ONCE)
    return vstack([_matrix(texts[one : one + _AT_ONCE], spec, concepts, classes) for one in starts], format="csr")


def _matrix(texts: Sequence[str], spec: FeatureSpec, concepts: Concepts, classes: WordClasses) -> csr_matrix:
    found = injection_rows(read(texts, spec.normaliser), spec, concepts, classes)
    return sparse(found, (len(texts), width(spec, concepts, classes)))
