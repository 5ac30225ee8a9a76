"""A report's figures as one flat table."""

import csv
import io
from collections.abc import Iterator

from core.contracts.compliance import ReportResult

COLUMNS = ("figure", "word", "count")


def as_csv(result: ReportResult) -> str:
    """RFC 4180, one figure a line. Every word is one of ours or a date, so no cell can be taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(result))
    return out.getvalue()


def _rows(result: ReportResult) -> Iterator[tuple[str, str, int]]:
    yield "checks", "total", result.total_checks
    yield "checks", "flagged", result.flagged_checks
    for figure in ("status", "risk", "entity"):
        counts: dict[str, int] = getattr(result, f"by_{figure}")
        for word, count in counts.items():
            yield figure, word, count
    for check_type, found in result.by_type.items():
        for word, count in found.model_dump().items():
            yield f"type.{check_type}", word, count
    for day in result.by_day:
        yield "day.checks", day.day.isoformat(), day.checks
        yield "day.flagged", day.day.isoformat(), day.flagged
