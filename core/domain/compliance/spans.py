"""What to do with findings in a text: settle overlaps, name the kinds."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

from core.contracts.compliance import PiiEntity, Span


def resolve_overlaps(text: str, spans: Iterable[Span]) -> list[Span]:
    """Keep the best of the spans that overlap (higher score, then longer, then earlier), in the order of the text.

    A number that loses is dropped: what the winner leaves of it means nothing. Of an address the rest is kept, because
    a street without its postcode is still where somebody lives.
    """
    settled: list[tuple[int, int]] = []
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (-s.score, s.start - s.end, s.start, s.entity)):
        for start, end in _free_parts(text, span, settled):
            insort(settled, (start, end))
            whole = (start, end) == (span.start, span.end)
            kept.append(span if whole else span.model_copy(update={"start": start, "end": end}))
    return sorted(kept, key=lambda s: s.start)


def _free_parts(text: str, span: Span, settled: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    taken = _overlapping(span, settled)
    if not taken:
        return [(span.start, span.end)]
    if span.entity is not PiiEntity.ADDRESS:
        return []
    edges = [span.start, *(edge for pair in taken for edge in pair), span.end]
    return [part for gap in zip(edges[::2], edges[1::2], strict=True) if (part := _trimmed(text, *gap))]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    worded = [index for index in range(start, end) if text[index].isalnum()]
    return (worded[0], worded[-1] + 1) if worded else None


def _overlapping(span: Span, settled: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    first = bisect_right(settled, span.start, key=lambda pair: pair[1])
    last = bisect_left(settled, span.end, key=lambda pair: pair[0])
    return settled[first:last]


def apart(spans: Iterable[Span]) -> list[Span]:
    """Findings that lie inside or across each other, as stretches that do not, in the order of the text.

    Nothing that was covered is left bare: the inner one stays whole, the outer one is in pieces around it. Of two in
    the very same place one stays.
    """
    found: list[Span] = []
    around: list[Span] = []
    at = 0
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        at = _tell(found, around, at, until=span.start)
        around.append(span)
    _tell(found, around, at, until=max((span.end for span in around), default=0))
    return found


def _tell(found: list[Span], around: list[Span], at: int, *, until: int) -> int:
    """Add what the findings around us cover from `at` up to `until`, innermost first; where we are then."""
    while around and at < until:
        span = around[-1]
        start, end = max(at, span.start), min(span.end, until)
        if start < end:
            whole = (start, end) == (span.start, span.end)
            found.append(span if whole else span.model_copy(update={"start": start, "end": end}))
            at = end
        if span.end > until:
            break
        around.pop()
    return max(at, until)


def kinds(spans: Sequence[Span]) -> list[PiiEntity]:
    """Each kind once, in the order of first appearance."""
    return list(dict.fromkeys(span.entity for span in spans))
