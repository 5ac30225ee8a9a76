"""A report on compliance checks as one HTML page, in the same dress as the audit log's."""

from collections.abc import Iterable, Iterator

from markupsafe import Markup

from core.adapters.charts import Chart, ChartKind, Point, draw
from core.adapters.report_page import PAGES
from core.contracts.compliance import NewReport, ReportResult, ReportType

TITLES = {
    ReportType.PII_SUMMARY: "Personal data in checked texts",
    ReportType.MODERATION_SUMMARY: "Moderation of checked texts",
}


class CheckReportPage:
    """Prints reports with Jinja2 and Altair."""

    async def html(self, report: NewReport, result: ReportResult) -> str:
        """The whole page."""
        titled = list(_charts(result))
        # our own drawing process made the SVG and escapes the labels in it, so it goes into the page as it is
        drawn = [Markup(svg) for svg in await draw([chart for _, chart in titled])] if titled else []
        charts = [(title, svg) for (title, _), svg in zip(titled, drawn, strict=True)]
        page = PAGES.get_template("compliance.html")
        return page.render(title=TITLES[report.report_type], report=report, result=result, charts=charts)


def _charts(result: ReportResult) -> Iterator[tuple[str, Chart]]:
    if not result.total_checks:
        return
    clean = [Point(day.day.isoformat(), day.checks - day.flagged, "without findings") for day in result.by_day]
    found = [Point(day.day.isoformat(), day.flagged, "with findings") for day in result.by_day]
    yield "Checks by day", Chart(kind=ChartKind.DAYS, points=[*clean, *found], unit="checks")
    yield "Checks by status", _bars(result.by_status.items())
    yield "Checks by risk", _bars(result.by_risk.items())
    if result.by_entity:
        yield "Checks by kind of personal data", _bars(result.by_entity.items())


def _bars(counts: Iterable[tuple[str, int]]) -> Chart:
    return Chart(kind=ChartKind.BARS, points=[Point(word, count) for word, count in counts], unit="checks")
