"""Figures of quality: how well scores tell two classes apart, and how well found spans match the true ones.

The one place where these are computed: `./ops compliance score`, the training and the bench call it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

ALLOWED_FALSE_POSITIVES = 0.01
"""The rate of false positives at which recall is told: what a busy product can bear."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures in [0, 1] over labelled rows. None where the rows cannot tell: there are none of one of the classes."""

    rows: int
    positives: int
    auc: float | None
    average_precision: float | None
    f1: float | None
    macro_f1: float | None
    accuracy: float | None
    recall_at_1_percent: float | None
    false_positive_rate: float | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class _Step:
    """How many positives and negatives score at least this much."""

    hits: int
    false: int


def quality(labels: Sequence[int], scores: Sequence[float], flagged: Sequence[bool]) -> Quality:
    """All figures. `scores` rank the rows; `flagged` is what the shipped threshold made of them."""
    positives = sum(map(bool, labels))
    negatives = len(labels) - positives
    steps = list(_steps(labels, scores))
    hits = sum(1 for label, flag in zip(labels, flagged, strict=True) if label and flag)
    false = sum(1 for label, flag in zip(labels, flagged, strict=True) if flag and not label)
    of_positives, of_negatives = _f1(hits, false, positives - hits), _f1(negatives - false, positives - hits, false)
    return Quality(
        rows=len(labels),
        positives=positives,
        auc=auc(labels, scores),
        average_precision=_average_precision(steps, positives),
        f1=of_positives if positives else None,
        macro_f1=(of_positives + of_negatives) / 2 if labels else None,
        accuracy=_ratio(hits + negatives - false, len(labels)),
        recall_at_1_percent=_recall_at(steps, positives, negatives),
        false_positive_rate=_ratio(false, negatives),
        precision=_ratio(hits, hits + false),
        recall=_ratio(hits, positives),
    )


def auc(labels: Sequence[int], scores: Sequence[float]) -> float | None:
    """The chance that a positive scores above a negative, ties counting half (Mann-Whitney U)."""
    area, before = 0.0, _Step(0, 0)
    for step in _steps(labels, scores):
        area += (step.false - before.false) * (step.hits + before.hits) / 2
        before = step
    return _ratio(area, before.hits * before.false)


def average_precision(labels: Sequence[int], scores: Sequence[float]) -> float | None:
    """The area under precision over recall as a sum of steps, without interpolation."""
    return _average_precision(list(_steps(labels, scores)), sum(map(bool, labels)))


def recall_at(
    labels: Sequence[int], scores: Sequence[float], false_positives: float = ALLOWED_FALSE_POSITIVES
) -> float | None:
    """The best recall of a threshold that lets no more than this share of the negatives be flagged."""
    positives = sum(map(bool, labels))
    return _recall_at(list(_steps(labels, scores)), positives, len(labels) - positives, false_positives)


def _steps(labels: Sequence[int], scores: Sequence[float]) -> Iterator[_Step]:
    hits = false = 0
    ranked = sorted(zip(scores, labels, strict=True), key=lambda pair: -pair[0])
    for _, rows in groupby(ranked, key=lambda pair: pair[0]):
        for _, label in rows:
            hits, false = (hits + 1, false) if label else (hits, false + 1)
        yield _Step(hits, false)


def _average_precision(steps: Sequence[_Step], positives: int) -> float | None:
    total, hits = 0.0, 0
    for step in steps:
        total += (step.hits - hits) * step.hits / (step.hits + step.false)
        hits = step.hits
    return _ratio(total, positives)


def _recall_at(
    steps: Sequence[_Step], positives: int, negatives: int, false_positives: float = ALLOWED_FALSE_POSITIVES
) -> float | None:
    if not negatives:
        return None
    return _ratio(max((step.hits for step in steps if step.false / negatives <= false_positives), default=0), positives)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _f1(hits: int, false: int, missed: int) -> float:
    return 2 * hits / (2 * hits + false + missed) if hits else 0.0


@dataclass(slots=True)
class SpanCounts:
    """Spans of one kind over many texts: `right` of the `found` overlap a true one, `met` of the `true` a found one."""

    true: int = 0
    found: int = 0
    right: int = 0
    met: int = 0

    @property
    def precision(self) -> float | None:
        """The share of what was found that is true."""
        return _ratio(self.right, self.found)

    @property
    def recall(self) -> float | None:
        """The share of what is true that was found."""
        return _ratio(self.met, self.true)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None where there is neither a true nor a found span."""
        if not self.true and not self.found:
            return None
        precision, recall = self.precision or 0.0, self.recall or 0.0
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


Places = Iterable[tuple[str, int, int]]
"""Spans as kind, start and (exclusive) end."""


@dataclass(slots=True)
class SpanQuality:
    """Counts for each kind. A found span is right if it overlaps a true one of its kind, however little."""

    kinds: dict[str, SpanCounts] = field(default_factory=dict)

    def add(self, true: Places, found: Places) -> None:
        """Count the spans of one text."""
        trues, founds = _by_kind(true), _by_kind(found)
        for kind in trues.keys() | founds.keys():
            counts = self.kinds.setdefault(kind, SpanCounts())
            wanted, given = trues.get(kind, []), founds.get(kind, [])
            counts.true += len(wanted)
            counts.found += len(given)
            counts.right += sum(_overlaps(span, wanted) for span in given)
            counts.met += sum(_overlaps(span, given) for span in wanted)

    def total(self, kinds: Iterable[str] | None = None) -> SpanCounts:
        """All kinds (or these) as one."""
        chosen: Mapping[str, SpanCounts] = self.kinds
        every = [chosen[kind] for kind in (self.kinds if kinds is None else kinds) if kind in chosen]
        return SpanCounts(*(sum(getattr(one, name) for one in every) for name in ("true", "found", "right", "met")))


def _by_kind(places: Places) -> dict[str, list[tuple[int, int]]]:
    kinds: dict[str, list[tuple[int, int]]] = {}
    for kind, start, end in places:
        kinds.setdefault(kind, []).append((start, end))
    return kinds


def _overlaps(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)
