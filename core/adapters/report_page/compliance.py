"""A report on compliance checks as an HTML page, in the same dress as the audit log's, and as a PDF."""

from collections.abc import Sequence

from markupsafe import Markup

from core.adapters.aside import ask
from core.adapters.charts import draw
from core.adapters.report_page import PAGES, pdf
from core.adapters.report_page.sheet import Sheet, sheet_of
from core.contracts.compliance import NewReport, ReportResult
from core.ports import Printed


class CheckReportPage:
    """Prints reports: charts by Altair, the page by Jinja2, the PDF by Typst."""

    async def print(self, report: NewReport, result: ReportResult) -> Printed:
        """Both forms, from the same sheet and the same drawings."""
        sheet = sheet_of(report, result)
        drawings = await draw([titled.chart for titled in sheet.charts])
        return Printed(_html(sheet, drawings), await ask(pdf.MODULE, pdf.packed(sheet, drawings)))


def _html(sheet: Sheet, drawings: Sequence[str]) -> str:
    # our own drawing process made the SVG and escapes the labels in it, so it goes into the page as it is
    charts = [(titled.title, Markup(svg)) for titled, svg in zip(sheet.charts, drawings, strict=True)]
    return PAGES.get_template("compliance.html").render(sheet=sheet, charts=charts)
