"""Longer texts put together from pieces: ordinary ones, and the same kind with something sexual set into them."""

import re

import numpy as np
from numpy.typing import NDArray

from training.nsfw.material import Pieces

Chance = np.random.Generator
Numbers = NDArray[np.int64]
_TAG = re.compile(r"[\[({][^\])}]{1,12}[\])}]|/?r/\w+|\b[a-z]4[a-z]\b", re.IGNORECASE)
"""Marks that only titles have; a title that stands elsewhere goes without."""
MOST_PARTS = 60
"""Most texts are much shorter: the number of parts is drawn evenly on a scale of doublings."""


def in_context(pieces: Pieces, how_many: int, chance: Chance) -> Pieces:
    """Sexual pieces set into ordinary ones of every kind, so that no kind of text speaks for or against."""
    wanted, plain = (
        np.flatnonzero(pieces.sure & (pieces.labels == 1)),
        np.flatnonzero(pieces.sure & (pieces.labels == 0)),
    )
    texts = [
        _inserted(_drawn(pieces, wanted, 1 + int(chance.random() < 0.4), chance), pieces.texts[number], chance)
        for number in chance.choice(plain, how_many)
    ]
    return Pieces.of("in_context", texts, 1)


def long_texts(pieces: Pieces, how_many: int, chance: Chance) -> Pieces:
    """Half of them ordinary pieces in a row, half with sexual pieces among them."""
    wanted, plain = (
        np.flatnonzero(pieces.sure & (pieces.labels == 1)),
        np.flatnonzero(pieces.sure & (pieces.labels == 0)),
    )
    texts, labels = [], np.arange(how_many) % 2
    for label in labels:
        parts = [pieces.texts[number] for number in chance.choice(plain, int(MOST_PARTS ** chance.random()))]
        if label:
            parts += [_drawn(pieces, wanted, 1, chance) for _ in range(int(chance.integers(1, 4)))]
        texts.append(" ".join(parts[number] for number in chance.permutation(len(parts))))
    return Pieces.of("long_texts", texts, labels.astype(np.int64))


def _drawn(pieces: Pieces, among: Numbers, count: int, chance: Chance) -> str:
    return " ".join(_TAG.sub(" ", pieces.texts[number]) for number in chance.choice(among, count))


def _inserted(text: str, into: str, chance: Chance) -> str:
    """Between two words of the other text."""
    words = into.split(" ")
    place = int(chance.integers(0, len(words) + 1))
    return " ".join([*words[:place], text, *words[place:]])
