"""A report put together from what was counted, and its figures as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime

from core.contracts.audit import (
    AlertFigures,
    Control,
    Count,
    Details,
    Figures,
    ListedEvent,
    ReportResult,
    Section,
    Selected,
    Standard,
)
from core.domain.audit.standards import FRAMEWORKS, SECTIONS

# A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection); the last four are of full width.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
Row = tuple[str, str, str, object]


def assemble(
    standard: Standard, figures: Figures, *, alerts: AlertFigures, details: Details | None, counted_at: datetime
) -> ReportResult:
    """The whole report. A control without any event in the log is one without evidence."""
    shared = figures.model_dump(exclude={"selected", "selected_actors", "selected_types"})
    return ReportResult(
        title=FRAMEWORKS[standard].title,
        counted_at=counted_at,
        controls=list(_controls(standard, figures)),
        sections=list(_sections(figures)),
        alerts=alerts,
        details=details,
        **shared,
    )


def _controls(standard: Standard, figures: Figures) -> Iterator[Control]:
    for wanted in FRAMEWORKS[standard].requirements:
        found = figures.selected.get(wanted.reference, Selected())
        yield Control(
            reference=wanted.reference, title=wanted.title, has_evidence=found.events > 0, **found.model_dump()
        )


def _sections(figures: Figures) -> Iterator[Section]:
    for key, title, _ in SECTIONS:
        yield Section(
            key=key,
            title=title,
            top_actors=figures.selected_actors.get(key, []),
            by_type=figures.selected_types.get(key, []),
            **figures.selected.get(key, Selected()).model_dump(),
        )


def figures_csv(result: ReportResult) -> str:
    """Every figure of a report, one a line: section, item, measure, value."""
    return _csv(("section", "item", "measure", "value"), _figure_rows(result))


def events_csv(details: Details) -> str:
    """The listed events, one a line."""
    columns = tuple(ListedEvent.model_fields)
    lines = (event.model_dump(mode="json") for event in details.events)
    return _csv(columns, (tuple(line[column] for column in columns) for line in lines))


def _figure_rows(result: ReportResult) -> Iterator[Row]:
    for measure, value in result.totals.model_dump().items():
        yield "totals", "", measure, value
    for control in result.controls:
        yield from _selected_rows("control", control.reference, control)
    for section in result.sections:
        yield from _selected_rows("section", section.key, section)
        yield from ((section.key, actor.actor_id, "events", actor.events) for actor in section.top_actors)
    yield from _alert_rows(result.alerts)
    for name in ("by_category", "by_severity", "by_outcome", "by_type"):
        yield from _count_rows(name, getattr(result, name))
    for day in result.by_day:
        for measure in ("events", "failures", "grave"):
            yield "by_day", day.day.isoformat(), measure, getattr(day, measure)
    yield from (("top_actors", actor.actor_id, "events", actor.events) for actor in result.top_actors)


def _selected_rows(section: str, item: str, found: Selected) -> Iterator[Row]:
    yield section, item, "events", found.events
    yield section, item, "failures", found.failures
    yield section, item, "actors", found.actors
    yield section, item, "last_activity", found.last_activity.isoformat() if found.last_activity else ""


def _alert_rows(alerts: AlertFigures) -> Iterator[Row]:
    for measure, value in alerts.model_dump(exclude={"by_severity", "by_type"}).items():
        yield "alerts", "", measure, "" if value is None else value
    yield from _count_rows("alerts_by_severity", alerts.by_severity)
    yield from _count_rows("alerts_by_type", alerts.by_type)


def _count_rows(section: str, counts: Iterable[Count]) -> Iterator[Row]:
    return ((section, count.name, "events", count.events) for count in counts)


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
