"""Personal data written so that no pattern finds it: `ann (at) example dot com`, `five five five`, `5 5 5 0 1 4 3`."""

import re
from collections.abc import Iterator

from core.domain.compliance.context import words
from core.domain.compliance.folding import Folded

_DIGIT_WORDS = {
    word: str(value)
    for value, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
} | {"oh": "0", "hundred": "00"}
_FEWEST_WORDS, _FEWEST_DIGITS = 3, 7
_NUMBER_WORD = "|".join(_DIGIT_WORDS)
_SPELLED = re.compile(
    rf"\b(?:(?:double|triple)[ -])?(?:{_NUMBER_WORD}|\d{{1,5}})\b"
    rf"(?:[ ,.\-]{{1,3}}(?:(?:double|triple)[ -])?(?:{_NUMBER_WORD}|\d{{1,5}})\b){{2,40}}",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]{2,7}")
_SPELLED_PIECE = re.compile(rf"(?:(double|triple)[ -])?({_NUMBER_WORD}|\d{{1,5}})", re.IGNORECASE)
_REPEATS = {"": 1, "double": 2, "triple": 3}
_SPACED = re.compile(r"\d(?<![\w.,]\d)(?:[ \-_]\d){6,24}(?![\w]|[.,]\d)")

_AT = r"(?P<at>\s{0,2}[\[({<]\s?(?:at|@)\s?[\])}>]\s{0,2}|\s?@\s|\s@|%40|\sat\s)"
_DOT = r"(?:\s{0,2}[\[({<]\s?(?:dot|\.)\s?[\])}>]\s{0,2}|\sdot\s|\.)"
_MAIL = re.compile(
    rf"(?<![\w.+\-])(?P<name>[\w.+\-]{{1,64}}+(?:{_DOT}[\w+\-]{{1,64}}+)?){_AT}"
    rf"(?P<host>[a-z\d\-]{{1,63}}(?:{_DOT}[a-z\d\-]{{2,63}}){{0,3}}{_DOT}[a-z]{{2,18}}+)(?![\w\-])",
    re.IGNORECASE,
)
_ANY_DOT = re.compile(_DOT, re.IGNORECASE)
_SPOKEN_DOT = re.compile(r"dot|[\[({<]\s?\.", re.IGNORECASE)
_HINTS = ("dot", "%40", "@ ", " @", "(at", "[at", "{at", "<at", "[@", "(@", "( at", "[ at")
# "look at example dot com" names a site, not a mailbox
_NO_NAMES = words(
    "look looked looking visit visited go find found available is are was us me you it him her them site website",
    "online here there be live hosted sold buy shop page click read see more back start work works working not just",
    "everyone people team register registered sign up only and or but",
)


def undisguised(text: str) -> Folded | None:
    """The text with what is disguised written plainly, and the way back; None where nothing is. `text` is folded."""
    changes = sorted(_changes(text))
    if not changes:
        return None
    pieces: list[str] = []
    offsets: list[int] = []
    position = 0
    for start, end, plain in changes:
        if start < position:
            continue
        pieces += text[position:start], plain
        offsets += range(position, start)
        offsets += _spread(start, end, len(plain))
        position = end
    return Folded("".join([*pieces, text[position:]]), [*offsets, *range(position, len(text))])


def _spread(start: int, end: int, length: int) -> list[int]:
    """Places for the characters of a replacement, so that its first and last lead to the ends of what it replaces."""
    last = end - 1
    return [start + (last - start) * index // max(length - 1, 1) for index in range(length)]


def _changes(text: str) -> Iterator[tuple[int, int, str]]:
    lowered = text.lower()
    if any(hint in lowered for hint in _HINTS):
        yield from _mails(text)
    yield from ((found.start(), found.end(), re.sub(r"\D", "", found.group())) for found in _SPACED.finditer(text))
    if _spells(lowered):
        yield from _spelled(text)


def _spells(lowered: str) -> bool:
    """Two quick looks, the quicker one first: most texts hold no three words for digits."""
    if sum(lowered.count(word) for word in _DIGIT_WORDS) < _FEWEST_WORDS:
        return False
    return sum(word in _DIGIT_WORDS for word in _WORD.findall(lowered)) >= _FEWEST_WORDS


def _mails(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _MAIL.finditer(text):
        spoken = found["at"].strip().lower() == "at"
        if spoken and (found["name"].lower() in _NO_NAMES or not _SPOKEN_DOT.search(found["host"])):
            continue
        name, host = (_ANY_DOT.sub(".", found[part]) for part in ("name", "host"))
        yield found.start(), found.end(), f"{name}@{host}"


def _spelled(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _SPELLED.finditer(text):
        pieces = _SPELLED_PIECE.findall(found.group())
        digits = "".join(_DIGIT_WORDS.get(word.lower(), word) * _REPEATS[times.lower()] for times, word in pieces)
        spelled = sum(not word.isdigit() for _, word in pieces)
        if spelled >= _FEWEST_WORDS and len(digits) >= _FEWEST_DIGITS:
            yield found.start(), found.end(), digits
