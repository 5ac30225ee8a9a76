"""Compliance reports made and kept, and the pump that rolls the audit log up."""

import asyncio
from datetime import UTC, datetime

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.platform import pump
from core.contracts.audit import (
    CHANNEL,
    REPORT_BUILD,
    REPORT_FAIL,
    DocumentFormat,
    Failure,
    ReportBuilt,
    ReportFailure,
    ReportHead,
    ReportRef,
    ReportResult,
    Standard,
)
from core.contracts.platform import DomainEvent, PumpInput, PumpName, PumpResult, pump_activity
from core.domain import audit as rules
from core.errors import Conflict, NotFound, OpsError
from core.ports import PumpWatch, ReportPrinter, Transactions, Wakeups
from core.store import audit as store
from core.store import event as event_store
from core.tables.audit import ReportRow

AT_ONCE = 4
"""Reports made by one worker at a time: each keeps a connection until its page is drawn."""
COMPLETED, FAILED = "compliance.report.completed", "compliance.report.failed"


class AuditReports:
    """What the workflow audit.report asks for."""

    def __init__(self, database: Transactions, printer: ReportPrinter) -> None:
        self._database, self._printer, self._turn = database, printer, asyncio.Semaphore(AT_ONCE)

    @activity.defn(name=REPORT_BUILD)
    async def build(self, ref: ReportRef) -> ReportBuilt:
        """Count, print, keep. An expected failure ends the report; any other is tried again."""
        try:
            return await self._made(ref)
        except OpsError as error:
            raise ApplicationError(error.detail, type=error.code, non_retryable=True) from error

    @activity.defn(name=REPORT_FAIL)
    async def fail(self, failed: ReportFailure) -> None:
        """Say in the row why there will be no report."""
        ref, failure = failed.report, Failure(code=failed.code, message=failed.message)
        async with self._database.begin(ref.tenant_id) as session:
            row = await store.find_report(session, ref.report_id)
            if row and await store.fail_report(session, ref.report_id, failure):
                await event_store.append(session, ref.tenant_id, [_fact(FAILED, row, code=failure.code)])

    async def _made(self, ref: ReportRef) -> ReportBuilt:
        async with self._database.begin(ref.tenant_id) as session:
            waits = await store.begin_report(session, ref.report_id)
        if waits is None:
            return await self._finished(ref)
        async with self._turn, self._database.begin(ref.tenant_id) as session:
            row = await store.claim_report(session, ref.report_id)
            result = await _counted(session, row)
            html = await self._printer.html(ReportHead.model_validate(row), result)
            if await store.complete_report(session, row, result, {DocumentFormat.HTML: html}):
                await event_store.append(session, ref.tenant_id, [_fact(COMPLETED, row, events=result.totals.events)])
        return ReportBuilt(events=result.totals.events)

    async def _finished(self, ref: ReportRef) -> ReportBuilt:
        async with self._database.begin(ref.tenant_id) as session:
            row = await store.find_report(session, ref.report_id)
        if row is None:
            raise NotFound(f"There is no report {ref.report_id}.", code="report_not_found")
        if row.result is None:
            raise Conflict("The report has failed before: ask for a new one.", code="report_closed")
        return ReportBuilt(events=ReportResult.model_validate(row.result).totals.events)


class AuditRollup:
    """The pump `audit.rollup`: adds the log to the totals of each actor."""

    def __init__(self, database: Transactions, wakeups: Wakeups, watch: PumpWatch) -> None:
        self._database, self._wakeups, self._watch = database, wakeups, watch

    @activity.defn(name=pump_activity(PumpName.AUDIT_ROLLUP))
    async def roll_up(self, turn: PumpInput) -> PumpResult:
        """One turn."""
        return await pump(turn, self._wakeups, CHANNEL, self._step)

    async def _step(self) -> int:
        async with self._database.begin_all() as session:
            rows, lag = await store.roll_up(session, pump=PumpName.AUDIT_ROLLUP)
        self._watch.moved(PumpName.AUDIT_ROLLUP, rows, lag)
        return rows


async def _counted(session: AsyncSession, row: ReportRow) -> ReportResult:
    period, standard = store.Period(row.period_start, row.period_end), Standard(row.standard)
    controls, counted_at = rules.control_selections(standard), datetime.now(UTC)
    figures = await store.figures(session, period, [*controls, *rules.section_selections()])
    alerts = await store.alert_figures(session, period)
    details = await store.details(session, period, controls) if row.include_details else None
    return rules.assemble(standard, figures, alerts=alerts, details=details, counted_at=counted_at)


def _fact(what: str, report: ReportRow, *, events: int | None = None, code: str | None = None) -> DomainEvent:
    told = {"report_id": report.report_id, "standard": report.standard, "events": events, "code": code}
    return DomainEvent(
        event_type=what,
        source="audit",
        payload={name: value for name, value in told.items() if value is not None},
        correlation_id=report.correlation_id,
    )
