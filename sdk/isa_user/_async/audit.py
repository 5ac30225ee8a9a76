"""The audit service: the log, security alerts, compliance reports."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, CallOptions, ReadOptions, WriteOptions
from isa_user._constants import WAIT_WITHIN
from isa_user._models.audit import (
    Alert,
    AlertStatus,
    AuditEvent,
    AuditReport,
    NewAuditEvent,
    Outcome,
    Severity,
    Standard,
    UserSummary,
)
from isa_user._models.base import BatchAccepted, Moment
from isa_user._request import Request, path

ROOT = "/api/v1/audit"


class AuditClient(BaseClient):
    """Writes and reads the audit log, handles security alerts, makes compliance reports."""

    async def log_event(
        self,
        *,
        event_type: str,
        category: str | None = None,
        severity: Severity | None = None,
        outcome: Outcome | None = None,
        actor_id: str | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
        action: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        causation_id: str | None = None,
        occurred_at: Moment | None = None,
        **options: Unpack[WriteOptions],
    ) -> AuditEvent:
        """Log one event; when this returns it is committed.

        Left out, `actor_id` is the token's subject, `severity` info, `occurred_at` now. `metadata` may hold 32 KiB.
        """
        body = {
            "event_type": event_type,
            "category": category,
            "severity": severity,
            "outcome": outcome,
            "actor_id": actor_id,
            "resource_type": resource_type,
            "resource_id": resource_id,
            "action": action,
            "metadata": metadata,
            "causation_id": causation_id,
            "occurred_at": occurred_at,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/events", body=body), AuditEvent, options)

    async def log_events(self, events: Sequence[NewAuditEvent], **options: Unpack[WriteOptions]) -> BatchAccepted:
        """Log 1 to 1,000 events, all or none. A `ValidationError` names the items at fault: `events[3].event_type`."""
        request = Request(method="POST", path=f"{ROOT}/events/batch", body={"events": events})
        return await self._call(request, BatchAccepted, options)

    def query_events(
        self,
        *,
        event_type: str | Sequence[str] | None = None,
        category: str | None = None,
        severity: Severity | Sequence[Severity] | None = None,
        outcome: Outcome | None = None,
        actor_id: str | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
        action: str | None = None,
        correlation_id: str | None = None,
        from_date: Moment | None = None,
        to_date: Moment | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Paged[AuditEvent]:
        """Events that match all filters, newest first; `user.*` takes every type that begins so.

        `limit` is the size of a page, 1,000 at most. Here `correlation_id` is a filter.
        """
        body = {
            "event_type": event_type,
            "category": category,
            "severity": severity,
            "outcome": outcome,
            "actor_id": actor_id,
            "resource_type": resource_type,
            "resource_id": resource_id,
            "action": action,
            "correlation_id": correlation_id,
            "from_date": from_date,
            "to_date": to_date,
            "limit": limit,
            "cursor": cursor,
        }
        return self._pages(Request(method="POST", path=f"{ROOT}/events/query", body=body), AuditEvent, options)

    async def get_event(self, event_id: str, **options: Unpack[ReadOptions]) -> AuditEvent:
        """One event of the log."""
        request = Request(method="GET", path=path(ROOT + "/events/{}", event_id))
        return await self._call(request, AuditEvent, options)

    async def user_summary(self, user_id: str, **options: Unpack[ReadOptions]) -> UserSummary:
        """What one user did. `PermissionDenied` when a user asks for another."""
        request = Request(method="GET", path=path(ROOT + "/users/{}/summary", user_id))
        return await self._call(request, UserSummary, options)

    async def create_alert(
        self,
        *,
        alert_type: str,
        severity: Severity,
        description: str,
        user_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **options: Unpack[WriteOptions],
    ) -> Alert:
        """Open a security alert."""
        body = {
            "alert_type": alert_type,
            "severity": severity,
            "description": description,
            "user_id": user_id,
            "metadata": metadata,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/security/alerts", body=body), Alert, options)

    def list_alerts(
        self,
        *,
        status: AlertStatus | None = None,
        severity: Severity | None = None,
        alert_type: str | None = None,
        user_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[Alert]:
        """Security alerts, newest first."""
        query = {
            "status": status,
            "severity": severity,
            "alert_type": alert_type,
            "user_id": user_id,
            "limit": limit,
            "cursor": cursor,
        }
        return self._pages(Request(method="GET", path=f"{ROOT}/security/alerts", query=query), Alert, options)

    async def get_alert(self, alert_id: str, **options: Unpack[ReadOptions]) -> Alert:
        """One security alert."""
        request = Request(method="GET", path=path(ROOT + "/security/alerts/{}", alert_id))
        return await self._call(request, Alert, options)

    async def update_alert(
        self, alert_id: str, *, status: AlertStatus, note: str | None = None, **options: Unpack[ReadOptions]
    ) -> Alert:
        """Move an alert: open → investigating → resolved or false_positive. `Conflict` when it is closed already."""
        request = Request(
            method="PATCH", path=path(ROOT + "/security/alerts/{}", alert_id), body={"status": status, "note": note}
        )
        return await self._call(request, Alert, options)

    async def create_report(
        self,
        *,
        standard: Standard,
        period_start: Moment,
        period_end: Moment,
        include_details: bool | None = None,
        **options: Unpack[WriteOptions],
    ) -> AuditReport:
        """Start a compliance report over a period, both ends included; `wait_for_report` waits until it is made."""
        body = {
            "standard": standard,
            "period_start": period_start,
            "period_end": period_end,
            "include_details": include_details,
        }
        request = Request(method="POST", path=f"{ROOT}/compliance/reports", body=body)
        return await self._call(request, AuditReport, options)

    def list_reports(
        self, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> Paged[AuditReport]:
        """Compliance reports, newest first."""
        query = {"limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=f"{ROOT}/compliance/reports", query=query), AuditReport, options)

    async def get_report(self, report_id: str, **options: Unpack[ReadOptions]) -> AuditReport:
        """One compliance report, finished or not."""
        request = Request(method="GET", path=path(ROOT + "/compliance/reports/{}", report_id))
        return await self._call(request, AuditReport, options)

    async def report_html(self, report_id: str, **options: Unpack[ReadOptions]) -> str:
        """A completed report as one page with charts. `Conflict` (`report_not_ready`) while it is being made."""
        return await self._text(
            Request(method="GET", path=path(ROOT + "/compliance/reports/{}/html", report_id)), options
        )

    async def report_csv(
        self, report_id: str, *, part: Literal["figures", "events"] | None = None, **options: Unpack[ReadOptions]
    ) -> str:
        """A completed report's figures as CSV, or the events behind it when it was made with details."""
        request = Request(method="GET", path=path(ROOT + "/compliance/reports/{}/csv", report_id), query={"part": part})
        return await self._text(request, options)

    async def wait_for_report(
        self, report_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]
    ) -> AuditReport:
        """The report once it has ended, well or not: look at `status`. `TimedOut` after `within` seconds."""
        return await self._wait(
            lambda: self.get_report(report_id, **options), done=lambda report: report.finished, within=within
        )
