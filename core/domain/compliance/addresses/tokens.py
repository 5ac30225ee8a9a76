"""Cuts a text into the pieces that the address grammar reads."""

import re
from enum import Enum, auto
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?P<WORD>[^\W\d_]++(?!\d)(?:['’\-][^\W\d_]++)*+\.?)"
    r"|(?P<BREAK>\n[\s>?*|]*+)"
    r"|(?P<MIXED>[^\W\d_]++\d\w*+|[-$£€^+=/*.]\d\w*+|\d{1,3}(?:,\d{3})++|\d++[.:]\d[\w.:]*+)"
    r"|(?P<ORDINAL>\d{1,4}(?:st|nd|rd|th)\b)"
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
    END = auto()


_NAMES = {kind.name: kind for kind in Kind} | {"MIXED": Kind.OTHER, "ORDINAL": Kind.WORD}
_KINDS = {number: _NAMES[name] for name, number in _TOKEN.groupindex.items()}
_new = tuple.__new__  # a token is made for every word of a text: half the time of the named constructor


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


def tokenise(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """All tokens in order; white space inside a line separates and is left out. Offsets are those of the text."""
    tokens = []
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        kind, raw, (first, after) = _KINDS[match.lastindex or 0], match.group(), match.span()
        if kind is Kind.WORD:
            tokens.append(_word(raw, first))
        elif kind is Kind.NUMBER and not _HOUSE_NUMBER.fullmatch(raw):
            tokens.append(_new(Token, (Kind.OTHER, raw.lower(), first, after, False)))
        else:
            tokens.append(_new(Token, (kind, raw.lower(), first, after, False)))
    return tokens


def _word(raw: str, start: int) -> Token:
    if len(raw) > LONGEST_WORD:
        return _new(Token, (Kind.OTHER, "", start, start + len(raw), False))
    bare = raw.rstrip(".")
    return _new(Token, (Kind.WORD, bare.lower(), start, start + len(bare), not raw[0].islower()))
