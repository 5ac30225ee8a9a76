"""Words around a number that say what it is, or what it is not: `SSN`, `call me at`, `order no.`, `not a phone`."""

import re
from functools import lru_cache

REACH = 60
"""How many characters before a finding are read; after it, fewer."""
REACH_AFTER = 40
WORDS = 6
"""How many of the nearest words before count; after it, fewer."""
WORDS_AFTER = 4
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_PIECE = re.compile(r"[^\W\d_]+(?:['’]t)?|\d[\d.,:/-]*")
_DIGIT = re.compile(r"\d")
_AFTER = re.compile(rf"[^\n.;!?\d]{{0,{REACH_AFTER}}}")


def words(*lines: str) -> frozenset[str]:
    """A vocabulary, written as running text."""
    return frozenset(word for line in lines for word in line.split())


_NUMBER_OF = words("id ids no num nr number numbers code identifier")
_HOLDERS = words("student employee member customer user patient subscriber client worker staff badge vendor supplier")
_NEGATIONS = words("not no never isn't isn’t wasn't wasn’t aren't aren’t non")
_BEFORE_NEGATED = words("a an the any real valid actual actually really your my")
_IS = words("is was are were being as equals means")


def words_before(text: str, start: int) -> list[str]:
    """The nearest words before `start`, nearest first, lower case; a blank line ends the search."""
    window = text[max(0, start - REACH) : start].rpartition("\n\n")[2]
    return [word.lower() for word in _WORD.findall(window)][: -WORDS - 1 : -1]


def speaks_for(
    text: str, start: int, vocabulary: frozenset[str], against: frozenset[str], end: int | None = None
) -> bool | None:
    """Whether the nearest telling word is of `vocabulary` (True) or of `against` (False); None where none is near.

    With `end` the words after the finding count too, where none before it tells: `… is my SSN`, `… (SSN)`.
    """
    told = _verdicts(vocabulary, against)
    verdict = _before(text, start, start if end is None else end, told)
    return _after(text, end, told) if verdict is None and end is not None else verdict


def _before(text: str, start: int, end: int, told: dict[str, bool]) -> bool | None:
    window = text[max(0, start - REACH) : start].rpartition("\n\n")[2]
    pieces = [piece.lower() for piece in _PIECE.findall(window)]
    own, taken, seen = _shape(text[start:end]), False, 0
    for at in range(len(pieces) - 1, -1, -1):
        if pieces[at][0].isdigit():
            taken = taken or _shape(pieces[at]) != own
            continue
        verdict = _verdict(pieces, at, told)
        if verdict is not None and (verdict or not taken):
            return verdict
        seen += 1
        if seen == WORDS:
            return None
    return None


def _verdict(pieces: list[str], at: int, told: dict[str, bool]) -> bool | None:
    """What one word says. A word against is spent on a number of its own: `order 8841 was paid with …`."""
    word = pieces[at]
    if word in _NUMBER_OF and at and pieces[at - 1] in _HOLDERS:
        return False
    if word in _NUMBER_OF and at and told.get(pieces[at - 1]):
        return None  # `taxpayer id`: the word before it tells
    verdict = told.get(word)
    return False if verdict and _negated(pieces, at, told) else verdict


def _negated(pieces: list[str], at: int, told: dict[str, bool]) -> bool:
    """`not a real phone`; the words of a compound (`social security number`) are stepped over."""
    before = at - 1
    while before >= 0 and at - before <= 4 and (pieces[before] in _BEFORE_NEGATED or told.get(pieces[before])):
        before -= 1
    return before >= 0 and before < at - 1 and pieces[before] in _NEGATIONS


def _after(text: str, end: int, told: dict[str, bool]) -> bool | None:
    """`… is my SSN`, `… (SSN)`; against only as `… is an order number`. A label before another number is that one's."""
    window = _AFTER.match(text, end)
    if window is None or _labels_next(text, window.end()):
        return None
    pieces = [piece.lower() for piece in _PIECE.findall(window.group())][:WORDS_AFTER]
    for at, word in enumerate(pieces):
        verdict = told.get(word)
        if verdict is False and pieces[0] in _IS and not _NEGATIONS.intersection(pieces[:at]):
            return False
        if verdict is True:
            return not _NEGATIONS.intersection(pieces[:at])
    return None


def _labels_next(text: str, at: int) -> bool:
    return at < len(text) and text[at].isdigit()


def _shape(number: str) -> str:
    """What numbers of one list have in common: `orders 219-09-9999, 219-09-9998`."""
    return _DIGIT.sub("0", number.partition(" ")[0].rstrip(".,:/-"))


@lru_cache(maxsize=64)
def _verdicts(vocabulary: frozenset[str], against: frozenset[str]) -> dict[str, bool]:
    return dict.fromkeys(against, False) | dict.fromkeys(vocabulary, True)
