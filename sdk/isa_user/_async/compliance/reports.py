"""Reports on checks."""

from datetime import date
from typing import Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._async.compliance.checks import ROOT
from isa_user._constants import WAIT_WITHIN
from isa_user._models.compliance import ComplianceReport, ComplianceReportType, ReportPeriod
from isa_user._request import Request, path


class Reports(BaseClient):
    """Reports over days."""

    async def create_report(
        self,
        *,
        report_type: ComplianceReportType,
        period: ReportPeriod | None = None,
        first_day: date | str | None = None,
        last_day: date | str | None = None,
        include_details: bool | None = None,
        **options: Unpack[WriteOptions],
    ) -> ComplianceReport:
        """Start a report over the running `period`, or from `first_day` to `last_day` (UTC, both included)."""
        body = {
            "report_type": report_type,
            "period": period,
            "from": first_day,
            "to": last_day,
            "include_details": include_details,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/reports", body=body), ComplianceReport, options)

    def list_reports(
        self, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> Paged[ComplianceReport]:
        """Reports, newest first."""
        query = {"limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=f"{ROOT}/reports", query=query), ComplianceReport, options)

    async def get_report(self, report_id: str, **options: Unpack[ReadOptions]) -> ComplianceReport:
        """One report, finished or not."""
        request = Request(method="GET", path=path(ROOT + "/reports/{}", report_id))
        return await self._call(request, ComplianceReport, options)

    async def report_html(self, report_id: str, **options: Unpack[ReadOptions]) -> str:
        """A completed report as one page with charts. `Conflict` (`report_not_ready`) while it is being made."""
        return await self._text(Request(method="GET", path=path(ROOT + "/reports/{}/html", report_id)), options)

    async def report_pdf(self, report_id: str, **options: Unpack[ReadOptions]) -> bytes:
        """A completed report as a PDF."""
        return await self._bytes(Request(method="GET", path=path(ROOT + "/reports/{}/pdf", report_id)), options)

    async def report_csv(self, report_id: str, **options: Unpack[ReadOptions]) -> str:
        """A completed report's figures as CSV."""
        return await self._text(Request(method="GET", path=path(ROOT + "/reports/{}/csv", report_id)), options)

    async def wait_for_report(
        self, report_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]
    ) -> ComplianceReport:
        """The report once it has ended. `TimedOut` after `within` seconds."""
        return await self._wait(
            lambda: self.get_report(report_id, **options), done=lambda report: report.finished, within=within
        )
