"""Postal addresses in running text: tokens, vocabulary, grammar, and the search below."""

import re
from collections.abc import Iterator

from core.contracts.compliance import PiiEntity, Span
from core.domain.compliance.addresses import vocabulary
from core.domain.compliance.addresses.grammar import Grammar, Reading
from core.domain.compliance.addresses.tokens import Token, tokenise

_DIGIT = re.compile(r"\d")
_PHRASES = "|".join(sorted(map(re.escape, vocabulary.ASKS_FOR_ADDRESS), key=len, reverse=True))
_ASKING = re.compile(rf"(?<!\w)(?:{_PHRASES})\W{{1,8}}+(?=\w)", re.IGNORECASE)
LEAST_SCORE = 0.4
"""A weaker reading is left out, so that the words it took can begin a better one."""


def find(text: str) -> list[Span]:
    """Postal addresses with scores, in order and without overlaps. `text` is folded already."""
    if not _DIGIT.search(text):
        return []
    tokens = tokenise(text)
    return [_span(tokens, reading) for reading in _readings(text, tokens)]


def _readings(text: str, tokens: list[Token]) -> Iterator[Reading]:
    grammar, asked = Grammar(tokens), {match.end() for match in _ASKING.finditer(text)}
    at = 0
    while at < len(tokens):
        reading = grammar.address(at, asked=tokens[at].start in asked)
        if reading and reading.score >= LEAST_SCORE:
            yield reading
            at = reading.after
        else:
            at += 1


def _span(tokens: list[Token], reading: Reading) -> Span:
    start, end = tokens[reading.first].start, tokens[reading.after - 1].end
    return Span(entity=PiiEntity.ADDRESS, start=start, end=end, score=round(reading.score, 2))
