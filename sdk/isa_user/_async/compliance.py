"""The compliance service: checks, batches, policies, reports."""

from collections.abc import Sequence
from datetime import date
from typing import Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._constants import WAIT_WITHIN
from isa_user._models.base import Moment
from isa_user._models.compliance import (
    Check,
    CheckBatch,
    CheckedItem,
    CheckStatus,
    CheckType,
    ComplianceReport,
    ComplianceReportType,
    ContentItem,
    PiiEntity,
    Policy,
    ReportPeriod,
    RiskLevel,
)
from isa_user._request import Request, path

ROOT = "/api/v1/compliance"


class ComplianceClient(BaseClient):
    """Checks texts for personal data, toxicity, prompt injection, adult content and spam."""

    async def check(
        self,
        *,
        content: str,
        content_type: str | None = None,
        check_types: Sequence[CheckType] | None = None,
        policy: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> Check:
        """Check one text of at most 100 KiB; all types when `check_types` is left out.

        `status` is passed, flagged, blocked, review, or incomplete when a detector asked for could not judge.
        """
        body = {"content": content, "content_type": content_type, "check_types": check_types, "policy": policy}
        return await self._call(Request(method="POST", path=f"{ROOT}/check", body=body), Check, options)

    async def check_batch(
        self,
        items: Sequence[ContentItem],
        *,
        content_type: str | None = None,
        check_types: Sequence[CheckType] | None = None,
        policy: str | None = None,
        wait: float | None = None,
        **options: Unpack[WriteOptions],
    ) -> CheckBatch:
        """Check up to 1,000 texts. The answer is `finished` when that took less than `wait` seconds (10 if left out).

        If it is not, `wait_for_batch` waits for the rest. `wait` may be up to 30, and comes on top of the time-out.
        """
        if wait is not None:
            options.setdefault("timeout", self._timeout + wait)
        body = {
            "items": items,
            "content_type": content_type,
            "check_types": check_types,
            "policy": policy,
            "wait": wait,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/batch-check", body=body), CheckBatch, options)

    async def get_batch(
        self, batch_id: str, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> CheckBatch:
        """How far a batch is, with a page of its results."""
        query = {"limit": limit, "cursor": cursor}
        request = Request(method="GET", path=path(ROOT + "/batches/{}", batch_id), query=query)
        return await self._call(request, CheckBatch, options)

    def batch_items(
        self, batch_id: str, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> Paged[CheckedItem]:
        """A batch's results in the order of the request."""
        query = {"limit": limit, "cursor": cursor}
        request = Request(method="GET", path=path(ROOT + "/batches/{}", batch_id), query=query)
        return self._pages(request, CheckedItem, options)

    async def cancel_batch(self, batch_id: str, **options: Unpack[WriteOptions]) -> CheckBatch:
        """Give up what waits and delete its texts; what is checked stays. `Conflict` (`batch_finished`) at its end."""
        request = Request(method="POST", path=path(ROOT + "/batches/{}/cancel", batch_id))
        return await self._call(request, CheckBatch, options)

    async def wait_for_batch(
        self, batch_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]
    ) -> CheckBatch:
        """The batch once it has ended. `TimedOut` after `within` seconds."""
        return await self._wait(
            lambda: self.get_batch(batch_id, **options), done=lambda batch: batch.finished, within=within
        )

    def list_checks(
        self,
        *,
        status: CheckStatus | None = None,
        risk_level: RiskLevel | None = None,
        check_type: CheckType | None = None,
        entity: PiiEntity | None = None,
        policy: str | None = None,
        checked_by: str | None = None,
        batch_id: str | None = None,
        from_date: Moment | None = None,
        to_date: Moment | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[Check]:
        """Past checks, newest first, without spans and redactions; `to_date` is exclusive. Texts are not kept."""
        query = {
            "status": status,
            "risk_level": risk_level,
            "check_type": check_type,
            "entity": entity,
            "policy": policy,
            "checked_by": checked_by,
            "batch_id": batch_id,
            "from": from_date,
            "to": to_date,
            "limit": limit,
            "cursor": cursor,
        }
        return self._pages(Request(method="GET", path=f"{ROOT}/checks", query=query), Check, options)

    async def get_check(self, check_id: str, **options: Unpack[ReadOptions]) -> Check:
        """One past check."""
        return await self._call(Request(method="GET", path=path(ROOT + "/checks/{}", check_id)), Check, options)

    def list_policies(self, **options: Unpack[ReadOptions]) -> Paged[Policy]:
        """The policies that a check may name."""
        return self._pages(Request(method="GET", path=f"{ROOT}/policies"), Policy, options)

    async def get_policy(self, name: str, **options: Unpack[ReadOptions]) -> Policy:
        """One policy with its rules."""
        return await self._call(Request(method="GET", path=path(ROOT + "/policies/{}", name)), Policy, options)

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
