"""Readable text taken out of structured content, each character with its place in the original."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from core.contracts.compliance import DetectorResult, Passage, Span
from core.domain.compliance.spans import apart

SEPARATOR = "\n\n"


class ContentFault(ValueError):
    """Content that is not what its type says. `code` is stable, the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Place(NamedTuple):
    """A stretch of the original content, and what holds it. Offsets count code points; `end` is exclusive."""

    path: str
    start: int
    end: int


def _offsets() -> "array[int]":
    return array("I")


@dataclass(slots=True)
class Part:
    """One text. `path` says where it stood: "" (all of it), "comment", "attribute", `$.users[0].email`.

    `starts[i]` and `ends[i]` are the original offsets of character i; a character that was put in between has no
    length there.
    """

    path: str
    text: str = ""
    starts: "array[int]" = field(default_factory=_offsets)
    ends: "array[int]" = field(default_factory=_offsets)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The same stretch in the original content. `start` < `end`."""
        return self.starts[start], self.ends[end - 1]


class Builder:
    """Puts a part together."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._pieces: list[str] = []
        self._starts, self._ends = _offsets(), _offsets()

    def copy(self, text: str, at: int) -> None:
        """Text that stands in the original as it is."""
        self._pieces.append(text)
        self._starts.extend(range(at, at + len(text)))
        self._ends.extend(range(at + 1, at + 1 + len(text)))

    def replace(self, text: str, start: int, end: int) -> None:
        """Text that stands in the original in another form: `&amp;`, `\\u0040`. Each character gets the whole form."""
        self._pieces.append(text)
        self._starts.extend([start] * len(text))
        self._ends.extend([end] * len(text))

    def between(self, text: str, at: int) -> None:
        """Text that does not stand in the original: a line break for a block, a key before a value."""
        self.replace(text, at, at)

    def part(self) -> Part:
        """What was put together so far."""
        return Part(self.path, "".join(self._pieces), self._starts, self._ends)


class Extracted:
    """All parts as one text for the detectors, and the way back for what they find.

    Usage: `found = inspect([extracted.text])`, then `extracted.located(result)` for each result, then the policy with
    the original content: its offsets, its redaction.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = list(parts)
        self.text = SEPARATOR.join(part.text for part in self.parts)
        self._begins: list[int] = []
        position = 0
        for part in self.parts:
            self._begins.append(position)
            position += len(part.text) + len(SEPARATOR)

    def places(self, start: int, end: int, *, whole: bool = True) -> list[Place]:
        """Where a stretch of `text` stands in the original; one place for each part that it touches. `whole`: of JSON a
        key with its value; else each by itself, so that replacing them leaves what stands between."""
        found = []
        first = max(bisect_right(self._begins, start) - 1, 0)
        for part, begin in zip(self.parts[first:], self._begins[first:], strict=True):
            if begin >= end:
                break
            low, high = max(start - begin, 0), min(end - begin, len(part.text))
            if low < high:
                found += _places(part, low, high, whole=whole or not part.path.startswith("$"))
        return found

    def located(self, result: DetectorResult) -> DetectorResult:
        """The same result with spans and passages in offsets of the original content, in its order, with paths.

        What is read in one go may stand around something else: of `a<!-- 202-555-0143 -->@b.com` the address is in two
        pieces, for no span of the original overlaps another.
        """
        spans = None if result.spans is None else apart(self._spans(result.spans))
        passages = None if result.passages is None else list(self._passages(result.passages))
        return result.model_copy(update={"spans": spans, "passages": passages, "redacted": None})

    def _spans(self, spans: Iterable[Span]) -> Iterable[Span]:
        for span in spans:
            for path, start, end in self.places(span.start, span.end, whole=False):
                yield span.model_copy(update={"start": start, "end": end, "path": path or None})

    def _passages(self, passages: Iterable[Passage]) -> Iterable[Passage]:
        for passage in passages:
            for path, start, end in self.places(passage.start, passage.end):
                yield passage.model_copy(update={"start": start, "end": end, "path": path or None})


def _places(part: Part, low: int, high: int, *, whole: bool) -> list[Place]:
    stretches = [(low, high)] if whole else _between_marks(part, low, high)
    places = [Place(part.path, *part.original(*stretch)) for stretch in stretches]
    return [place for place in places if place.start < place.end]


def _between_marks(part: Part, low: int, high: int) -> list[tuple[int, int]]:
    """The stretches that stand in the original, without what was put in between."""
    put_in = [index for index in range(low, high) if part.starts[index] == part.ends[index]]
    edges = [low, *(edge for index in put_in for edge in (index, index + 1)), high]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]
