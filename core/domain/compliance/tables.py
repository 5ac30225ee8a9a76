"""A report's figures as one flat table."""

import csv
import io
from collections.abc import Iterator

from core.contracts.compliance import PolicyFigures, ReportResult, ReviewFigures

COLUMNS = ("figure", "word", "count")


def as_csv(result: ReportResult) -> str:
    """RFC 4180, one figure a line. A cell begins with a word of ours or a date, so none can be taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(result))
    return out.getvalue()


def _rows(result: ReportResult) -> Iterator[tuple[str, str, float]]:
    yield "checks", "total", result.total_checks
    yield "checks", "flagged", result.flagged_checks
    for figure in ("status", "risk", "entity"):
        counts: dict[str, int] = getattr(result, f"by_{figure}")
        for word, count in counts.items():
            yield figure, word, count
    for check_type, found in result.by_type.items():
        for word, count in found.model_dump().items():
            yield f"type.{check_type}", word, count
    for name, policy in (result.by_policy or {}).items():
        yield from _policy_rows(name, policy)
    if result.reviews:
        yield from _review_rows(result.reviews)
    for day in result.by_day:
        yield "day.checks", day.day.isoformat(), day.checks
        yield "day.flagged", day.day.isoformat(), day.flagged


def _policy_rows(name: str, policy: PolicyFigures) -> Iterator[tuple[str, str, int]]:
    for word in ("checks", "acted", "reviewed", "upheld"):
        if (count := getattr(policy, word)) is not None:
            yield f"policy.{name}", word, count
    for status, count in policy.by_status.items():
        yield f"policy.{name}.status", status, count
    for check_type, count in policy.by_type.items():
        yield f"policy.{name}.flagged", check_type, count


def _review_rows(found: ReviewFigures) -> Iterator[tuple[str, str, float]]:
    for word in ("opened", "decided", "in_time", "late", "waiting", "overdue", "escalated"):
        yield "reviews", word, getattr(found, word)
    for word in ("median_minutes", "slowest_tenth_minutes"):
        if (value := getattr(found, word)) is not None:
            yield "reviews", word, value
    for word, count in found.by_decision.items():
        yield "reviews.decision", word, count
    for day in found.by_day:
        for word in ("opened", "decided", "late"):
            yield f"reviews.day.{word}", day.day.isoformat(), getattr(day, word)
