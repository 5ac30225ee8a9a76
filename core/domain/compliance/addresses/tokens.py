"""Cuts a text into the pieces that the address grammar reads."""

import re
from enum import Enum, auto
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?P<BREAK>\n[\s>?*|]*+)"
    r"|(?P<MIXED>[^\W\d_]++\d\w*+|[-$£€^+=/*.]\d\w*+|\d{1,3}(?:,\d{3})++|\d++[.:]\d[\w.:]*+)"
    r"|(?P<WORD>\d{1,4}(?:st|nd|rd|th)\b|[^\W\d_][^\W\d_'’\-]*+(?:['’\-][^\W\d_]++)*+\.?)"
    r"|(?P<NUMBER>\d[\w]*+(?:[-/]\d+\w?)*+)"
    r"|(?P<COMMA>,)"
    r"|(?P<HASH>\#|№)"
    r"|(?P<OTHER>[^\s\w]|_)",
    re.IGNORECASE,
)
_HOUSE_NUMBER = re.compile(r"\d{1,6}[a-z]?(?:[-/]\d{1,5}[a-z]?)?", re.IGNORECASE)
LONGEST_WORD = 40


class Kind(Enum):
    """What a token is to the grammar."""

    WORD = auto()
    NUMBER = auto()
    COMMA = auto()
    HASH = auto()
    BREAK = auto()
    OTHER = auto()


_KINDS = {kind.name: kind for kind in Kind} | {"MIXED": Kind.OTHER}


class Token(NamedTuple):
    """One piece, without its full stop. `word` is lower case; `capital` is also true of scripts without case."""

    kind: Kind
    word: str
    start: int
    end: int
    capital: bool = False

    @property
    def proper(self) -> bool:
        """Not a word in small letters."""
        return self.capital or self.kind is not Kind.WORD


def tokenise(text: str) -> list[Token]:
    """All tokens in order; white space inside a line separates and is left out."""
    return [_token(match) for match in _TOKEN.finditer(text)]


def _token(match: re.Match[str]) -> Token:
    kind, raw = _KINDS[match.lastgroup or "OTHER"], match.group()
    if kind is Kind.NUMBER and not _HOUSE_NUMBER.fullmatch(raw):
        kind = Kind.OTHER
    if kind is not Kind.WORD:
        return Token(kind, raw.lower(), match.start(), match.end())
    if len(raw) > LONGEST_WORD:
        return Token(Kind.OTHER, "", match.start(), match.end())
    bare = raw.rstrip(".")
    return Token(kind, bare.lower(), match.start(), match.start() + len(bare), not raw[0].islower())
