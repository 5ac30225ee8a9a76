"""From counted reviews to statistics and reports."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

from core.contracts.compliance.detection import CheckType
from core.contracts.compliance.reports import ReviewDay, ReviewFigures
from core.contracts.compliance.reviews import DetectorFigures, ReviewDecision, ReviewFigure, ReviewStats
from core.domain.compliance.reviews import precision, quantile

Days: TypeAlias = Mapping[tuple[date, ReviewFigure, str], int]
_OF_DETECTORS = {
    ReviewFigure.CONFIRMED: "confirmed",
    ReviewFigure.FALSE_POSITIVE: "false_positives",
    ReviewFigure.MISSED: "missed",
    ReviewFigure.CLEARED: "cleared",
}


def statistics(days: Days, *, waiting: int, overdue: int, first_day: date | None, last_day: date | None) -> ReviewStats:
    """What the front door answers."""
    decided = _words(days, ReviewFigure.DECIDED)
    return ReviewStats(
        first_day=first_day,
        last_day=last_day,
        waiting=waiting,
        overdue=overdue,
        opened=_total(days, ReviewFigure.OPENED),
        decided=decided.total(),
        approved=decided[ReviewDecision.APPROVED],
        rejected=decided[ReviewDecision.REJECTED],
        late=_total(days, ReviewFigure.LATE),
        escalated=_total(days, ReviewFigure.ESCALATED),
        median_minutes=_minutes(days, 0.5),
        detectors=_detectors(days),
    )


def review_figures(days: Days, *, waiting: int, overdue: int) -> ReviewFigures:
    """What a `review_sla` report tells."""
    decided, late = _words(days, ReviewFigure.DECIDED), _total(days, ReviewFigure.LATE)
    return ReviewFigures(
        opened=_total(days, ReviewFigure.OPENED),
        decided=decided.total(),
        in_time=decided.total() - late,
        late=late,
        waiting=waiting,
        overdue=overdue,
        escalated=_total(days, ReviewFigure.ESCALATED),
        median_minutes=_minutes(days, 0.5),
        slowest_tenth_minutes=_minutes(days, 0.9),
        by_decision=dict(sorted(decided.items())),
        by_day=_by_day(days),
    )


def reviewed_by_policy(days: Days) -> dict[str, tuple[int, int]]:
    """By `name@version`: how many of its checks were decided on, and how many of those were rejected."""
    words = _words(days, ReviewFigure.POLICY)
    policies = sorted({word.rpartition(" ")[0] for word in words})
    rejected = {policy: words[f"{policy} {ReviewDecision.REJECTED.value}"] for policy in policies}
    approved = {policy: words[f"{policy} {ReviewDecision.APPROVED.value}"] for policy in policies}
    return {policy: (approved[policy] + rejected[policy], rejected[policy]) for policy in policies}


def _words(days: Days, figure: ReviewFigure) -> Counter[str]:
    words: Counter[str] = Counter()
    for (_, its_figure, word), count in days.items():
        if its_figure is figure:
            words[word] += count
    return words


def _total(days: Days, figure: ReviewFigure) -> int:
    return _words(days, figure).total()


def _minutes(days: Days, share: float) -> float | None:
    counts = {int(word): count for word, count in _words(days, ReviewFigure.SECONDS).items()}
    seconds = quantile(counts, share)
    return None if seconds is None else round(seconds / 60, 2)


def _by_day(days: Days) -> list[ReviewDay]:
    """Only days on which something happened, oldest first."""
    found: dict[date, ReviewDay] = {}
    names = {ReviewFigure.OPENED: "opened", ReviewFigure.DECIDED: "decided", ReviewFigure.LATE: "late"}
    for (day, figure, _), count in days.items():
        if name := names.get(figure):
            one = found.setdefault(day, ReviewDay(day=day))
            setattr(one, name, getattr(one, name) + count)
    return [found[day] for day in sorted(found)]


def detector_word(check_type: CheckType, detector: str | None, version: str | None) -> str:
    """What a detector is counted under: type, name, version."""
    return f"{check_type.value} {detector or '-'} {version or '-'}"


def _detectors(days: Days) -> list[DetectorFigures]:
    found: dict[str, DetectorFigures] = {}
    for figure, name in _OF_DETECTORS.items():
        for word, count in _words(days, figure).items():
            setattr(found.setdefault(word, _detector(word)), name, count)
    for one in found.values():
        one.precision = precision(one.confirmed, one.false_positives)
    return [found[word] for word in sorted(found)]


def _detector(word: str) -> DetectorFigures:
    check_type, _, rest = word.partition(" ")
    detector, _, version = rest.rpartition(" ")
    return DetectorFigures(check_type=CheckType(check_type), detector=detector, detector_version=version)
