"""Postal addresses in running text: tokens, vocabulary, grammar, and the search below."""

import re
from collections.abc import Iterator

from core.contracts.compliance import PiiEntity, Span
from core.domain.compliance.addresses import vocabulary
from core.domain.compliance.addresses.grammar import Grammar, Reading
from core.domain.compliance.addresses.tokens import LONGEST_WORD, Token, tokenise

_FIGURE = re.compile(r"[0-9][0-9]*")
BEFORE_FIGURE, AFTER_FIGURE = 90, 110
"""Characters of an address that can stand before its first figure, and after any."""
_WORD_ENDS = re.compile(r"\w\W{1,8}\Z")
_LONGEST_PHRASE = max(map(len, vocabulary.ASKS_FOR_ADDRESS))
LEAST_SCORE = 0.4
"""A weaker reading is left out, so that the words it took can begin a better one."""


def find(text: str) -> list[Span]:
    """Postal addresses with scores, in order and without overlaps. `text` is folded already."""
    return [span for start, end in _near_figures(text) for span in _find(text, start, end)]


def _near_figures(text: str) -> list[tuple[int, int]]:
    """The stretches that an address can lie in, merged where they meet; each begins and ends between words."""
    stretches: list[tuple[int, int]] = []
    for figure in _FIGURE.finditer(text):
        start, end = _word_edge(text, figure.start() - BEFORE_FIGURE), figure.end() + AFTER_FIGURE
        if stretches and start <= stretches[-1][1]:
            start = stretches.pop()[0]
        stretches.append((start, min(end, len(text))))
    return stretches


def _word_edge(text: str, at: int) -> int:
    """The nearest white space at or before this place, looked for within a long word's reach; else the place itself."""
    if at <= 0:
        return 0
    for index in range(at, max(at - LONGEST_WORD, -1), -1):
        if text[index].isspace():
            return index
    return at


def _find(text: str, start: int, end: int) -> list[Span]:
    tokens = tokenise(text, start, end)
    return [_span(tokens, reading) for reading in _readings(text, tokens)]


def _readings(text: str, tokens: list[Token]) -> Iterator[Reading]:
    grammar = Grammar(tokens)

    def asked(start: int) -> bool:
        return _is_asked(text, start)

    after = 0
    for at in grammar.beginnings(asked):
        if at >= after:
            reading = grammar.address(at, asked=asked(tokens[at].start))
            if reading and reading.score >= LEAST_SCORE:
                yield reading
                after = reading.after


def _is_asked(text: str, start: int) -> bool:
    """Whether the words right before this place ask for an address: `lives at`."""
    ends = _WORD_ENDS.search(text, max(0, start - 9), start)
    if ends is None:
        return False
    before = text[max(0, ends.start() - _LONGEST_PHRASE - 1) : ends.start() + 1].lower()
    if not before.endswith(vocabulary.ASKS_FOR_ADDRESS):
        return False
    phrases = (phrase for phrase in vocabulary.ASKS_FOR_ADDRESS if before.endswith(phrase))
    return any(not before[: -len(phrase)][-1:].isalnum() for phrase in phrases)


def _span(tokens: list[Token], reading: Reading) -> Span:
    start, end = tokens[reading.first].start, tokens[reading.after - 1].end
    return Span(entity=PiiEntity.ADDRESS, start=start, end=end, score=round(reading.score, 2))
