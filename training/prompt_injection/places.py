"""Where in a document something hides: at its start, in its middle or at its end, and now and then in base64."""

import base64
import random
import re

BETWEEN = ("\n", " ", "\n\n")
_BREAK = re.compile(r"(?<=[.!?])\s+|\n+")
_ENCODED = 0.03
"""Of the hidden instructions, so many are in base64."""


def with_hidden(document: str, hidden: str, chance: random.Random) -> str:
    """The document with this in it."""
    if chance.random() < _ENCODED:
        hidden = base64.b64encode(hidden.encode()).decode()
    place = _place(document, chance)
    parts = [part for part in (document[:place].rstrip(), hidden, document[place:]) if part]
    return chance.choice(BETWEEN).join(parts)


def _place(document: str, chance: random.Random) -> int:
    drawn = chance.random()
    if drawn < 2 / 3:
        return 0 if drawn < 1 / 3 else len(document)
    return chance.choice([match.end() for match in _BREAK.finditer(document)] or [len(document) // 2])
