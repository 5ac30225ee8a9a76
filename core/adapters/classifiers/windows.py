"""Stretches of a text: windows that bound what is judged at once, and sentences that a finding can point at."""

import re
from dataclasses import dataclass

Stretch = tuple[int, int]

_SENTENCE_END = re.compile(r"[.!?…\n](?:(?<!\n)[\"')\]]*(\s+)|(?<=\n)\n*)")
"""A sign and the space after it, or lines' ends. All begin with one set of signs, so the letters are skipped in C."""
_BREAK = re.compile(r"\s\S*\Z")
_LONGEST_SENTENCE = 400


@dataclass(frozen=True, slots=True)
class Window:
    """Longer texts are judged in stretches of `size` characters, each sharing `overlap` with the one before."""

    size: int
    overlap: int = 0


def windows(text: str, window: Window) -> list[Stretch]:
    """Stretches that cover the text, cut between words where there are any near the cut."""
    if len(text) <= window.size:
        return [(0, len(text))]
    stretches, start = [], 0
    while len(text) - start > window.size:
        end = _cut(text, start + window.size - window.size // 4, start + window.size)
        stretches.append((start, end))
        start = end - window.overlap
    return [*stretches, (start, len(text))]


def sentences(text: str, start: int, end: int) -> list[Stretch]:
    """The sentences (or lines) between two places, without the space around them; endless ones are cut."""
    found, begin = [], start
    for match in _SENTENCE_END.finditer(text, start, end):
        found.append((begin, match.start(match.lastindex or 0)))
        begin = match.end()
    pieces = [piece for sentence in (*found, (begin, end)) for piece in _pieces(text, *sentence)]
    return [piece for piece in pieces if piece[0] < piece[1]]


def _pieces(text: str, start: int, end: int) -> list[Stretch]:
    cut = windows(text[start:end], Window(_LONGEST_SENTENCE))
    return [_stripped(text, start + first, start + last) for first, last in cut]


def _stripped(text: str, start: int, end: int) -> Stretch:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _cut(text: str, earliest: int, latest: int) -> int:
    found = _BREAK.search(text, earliest, latest)
    return found.start() + 1 if found else latest
