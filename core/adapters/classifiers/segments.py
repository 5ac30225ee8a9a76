"""Where an attack hides in a text: its sentences and lines, what it says in code, its beginning and its end."""

from core.adapters.classifiers.normalise import decoded
from core.adapters.classifiers.windows import Stretch, sentences

_SHORTEST = 25
"""Shorter sentences are read together with the next one."""
_MOST_WHOLE = 3000
_FROM_END = 800


def segments(text: str) -> list[Stretch]:
    """Sentences or lines, none very short, each where it first stands; the whole text where it is no more than space.

    Said fifty times, an attack would look like a long text that says much the same all over.
    """
    found: list[Stretch] = []
    begin = -1
    for start, end in sentences(text, 0, len(text)):
        begin = start if begin < 0 else begin
        if end - begin >= _SHORTEST:
            found.append((begin, end))
            begin = -1
    if begin >= 0:
        found.append((begin, len(text.rstrip())))
    first = {" ".join(text[start:end].lower().split()): (start, end) for start, end in reversed(found)}
    return list(reversed(first.values())) or [(0, len(text))]


def said(text: str, stretches: list[Stretch]) -> str:
    """The text without what it repeats."""
    return "\n".join(text[start:end] for start, end in stretches)


def pieces(text: str, stretches: list[Stretch]) -> list[str]:
    """The segments, then whatever the text holds in base64 or hexadecimal."""
    return [*(text[start:end] for start, end in stretches), *decoded(text)]


def outline(text: str) -> str:
    """The text as a whole; of a long one its beginning and end."""
    if len(text) <= _MOST_WHOLE:
        return text
    return f"{text[: _MOST_WHOLE - _FROM_END]}\n{text[-_FROM_END:]}"
