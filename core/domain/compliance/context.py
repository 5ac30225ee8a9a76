"""Words before a number that say what it is: `SSN`, `call me at`, `order no.`"""

import re
from functools import lru_cache

REACH = 60
"""How many characters before a finding are read."""
WORDS = 6
"""How many of the nearest words there count."""
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)


def words(*lines: str) -> frozenset[str]:
    """A vocabulary, written as running text."""
    return frozenset(word for line in lines for word in line.split())


def words_before(text: str, start: int) -> list[str]:
    """The nearest words before `start`, nearest first, lower case; a blank line ends the search."""
    window = text[max(0, start - REACH) : start].rpartition("\n\n")[2]
    return [word.lower() for word in _WORD.findall(window)][: -WORDS - 1 : -1]


def speaks_for(text: str, start: int, vocabulary: frozenset[str], against: frozenset[str]) -> bool | None:
    """Whether the nearest telling word is of `vocabulary` (True) or of `against` (False); None where none is near."""
    told = _verdicts(vocabulary, against)
    return next((told[word] for word in words_before(text, start) if word in told), None)


@lru_cache(maxsize=64)
def _verdicts(vocabulary: frozenset[str], against: frozenset[str]) -> dict[str, bool]:
    return dict.fromkeys(against, False) | dict.fromkeys(vocabulary, True)
