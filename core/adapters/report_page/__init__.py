"""A compliance report as one HTML page that needs nothing from outside: style and charts are in it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core.adapters.charts import Chart, ChartKind, Point, draw
from core.contracts.audit import Count, ReportHead, ReportResult
from core.store.platform.mentions import in_page

CHARTED_TYPES = 12
PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
PAGES.globals["person"] = lambda user_id: Markup(in_page(user_id))  # escaped there


class ReportPage:
    """Prints reports with Jinja2 and Altair."""

    async def html(self, report: ReportHead, result: ReportResult) -> str:
        """The whole page."""
        titled = list(_charts(report, result))
        # our own drawing process made the SVG and escapes the labels in it, so it goes into the page as it is
        drawn = [Markup(svg) for svg in await draw([chart for _, chart in titled])]
        charts = [(title, svg) for (title, _), svg in zip(titled, drawn, strict=True)]
        page = PAGES.get_template("page.html")
        return page.render(report=report, result=result, charts=charts, moment=_moment, duration=_duration)


def _charts(report: ReportHead, result: ReportResult) -> Iterator[tuple[str, Chart]]:
    if not result.totals.events:
        return
    # the axis spans the period, whatever days have events
    edges = [Point(at.date().isoformat(), 0, "succeeded") for at in (report.period_start, report.period_end)]
    succeeded = [Point(day.day.isoformat(), day.events - day.failures, "succeeded") for day in result.by_day]
    failed = [Point(day.day.isoformat(), day.failures, "failed or denied") for day in result.by_day]
    yield "Events by day", Chart(kind=ChartKind.DAYS, points=[*edges, *succeeded, *failed])
    yield "Events by category", _bars(result.by_category)
    yield "Events by severity", _bars(result.by_severity)
    yield "Most frequent event types", _bars(result.by_type[:CHARTED_TYPES])
    if result.alerts.opened:
        yield "Security alerts opened, by severity", _bars(result.alerts.by_severity)


def _bars(counts: Sequence[Count]) -> Chart:
    return Chart(kind=ChartKind.BARS, points=[Point(count.name, count.events) for count in counts])


def _moment(value: datetime | None) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S UTC") if value else "none"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "none"
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s"
