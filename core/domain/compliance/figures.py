"""From counts a day to a report's figures, and from a period's name to its days."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from core.contracts.compliance import (
    CheckStatus,
    CheckType,
    DayCount,
    DayFigures,
    Figure,
    PiiEntity,
    PolicyFigures,
    ReportPeriod,
    ReportResult,
    ReportType,
    RiskLevel,
    TypeFigures,
)

FOUND = (CheckStatus.FLAGGED, CheckStatus.BLOCKED, CheckStatus.REVIEW)
_FIRST_MONTH_OF_QUARTER = (1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10)


def days_of(period: ReportPeriod, today: date) -> tuple[date, date]:
    """The first day of the calendar period that today lies in (a week begins on Monday: ISO 8601), and today."""
    first = {
        ReportPeriod.DAILY: today,
        ReportPeriod.WEEKLY: today - timedelta(days=today.weekday()),
        ReportPeriod.MONTHLY: today.replace(day=1),
        ReportPeriod.QUARTERLY: today.replace(month=_FIRST_MONTH_OF_QUARTER[today.month - 1], day=1),
        ReportPeriod.YEARLY: today.replace(month=1, day=1),
    }
    return first[period], today


def month_before(today: date) -> tuple[date, date]:
    """The first and the last day of the calendar month before the one that `today` lies in."""
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def summarise(report_type: ReportType, counts: Iterable[DayCount]) -> ReportResult:
    """A report's figures. `pii_summary` counts the checks that looked for personal data, and what those found."""
    counts = list(counts)
    of_pii = report_type is ReportType.PII_SUMMARY
    status, risk = (Figure.PII_STATUS, Figure.PII_RISK) if of_pii else (Figure.STATUS, Figure.RISK)
    types = [CheckType.PII] if of_pii else list(CheckType)
    by_day = _by_day(counts, of_pii=of_pii)
    return ReportResult(
        total_checks=sum(day.checks for day in by_day),
        flagged_checks=sum(day.flagged for day in by_day),
        by_status={word: count for word in CheckStatus if (count := _sums(counts, status)[word])},
        by_risk={word: count for word in RiskLevel if (count := _sums(counts, risk)[word])},
        by_type={check: found for check in types if (found := _of_type(counts, check)).checked},
        by_entity={word: count for word in PiiEntity if (count := _sums(counts, Figure.ENTITY)[word])},
        by_day=by_day,
        by_policy=_by_policy(counts) if report_type is ReportType.POLICY_EFFECTIVENESS else None,
    )


def _by_policy(counts: list[DayCount]) -> dict[str, PolicyFigures]:
    """By `name@version`, in the order of their names."""
    found: dict[str, PolicyFigures] = {}
    for word, count in _sums(counts, Figure.POLICY_STATUS).items():
        policy, _, status = word.rpartition(" ")
        figures = found.setdefault(policy, PolicyFigures())
        figures.by_status[CheckStatus(status)] = count
        figures.checks += count
        figures.acted += count if status in FOUND else 0
    for word, count in _sums(counts, Figure.POLICY_FLAGGED).items():
        policy, _, check = word.rpartition(" ")
        found[policy].by_type[CheckType(check)] = count
    return dict(sorted(found.items()))


def _sums(counts: list[DayCount], figure: Figure) -> Counter[str]:
    sums: Counter[str] = Counter()
    for one in counts:
        if one.figure is figure:
            sums[one.word] += one.count
    return sums


def _of_type(counts: list[DayCount], check: CheckType) -> TypeFigures:
    return TypeFigures(
        checked=_sums(counts, Figure.CHECKED)[check],
        flagged=_sums(counts, Figure.FLAGGED)[check],
        unavailable=_sums(counts, Figure.UNAVAILABLE)[check],
    )


def _by_day(counts: list[DayCount], *, of_pii: bool) -> list[DayFigures]:
    """Only days with checks, oldest first."""
    checks, flagged = Counter[date](), Counter[date]()
    for one in counts:
        if _counts_as_check(one, of_pii=of_pii):
            checks[one.day] += one.count
        if _counts_as_found(one, of_pii=of_pii):
            flagged[one.day] += one.count
    return [DayFigures(day=day, checks=checks[day], flagged=flagged[day]) for day in sorted(checks)]


def _counts_as_check(one: DayCount, *, of_pii: bool) -> bool:
    return one.figure is (Figure.PII_STATUS if of_pii else Figure.STATUS)


def _counts_as_found(one: DayCount, *, of_pii: bool) -> bool:
    if of_pii:
        return one.figure is Figure.FLAGGED and one.word == CheckType.PII
    return one.figure is Figure.STATUS and one.word in FOUND
