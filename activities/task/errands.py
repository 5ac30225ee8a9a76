"""The built-in types that other services carry out: notifications, batches of checks, replays, reports."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, JsonValue
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.task.handlers import Job, PermanentTaskError, ended_badly
from core.contracts import audit, compliance, event, notification
from core.contracts.event import replay as replays
from core.contracts.platform import AuditEntry
from core.contracts.task import AuditReportPayload, ComplianceReportPayload, HandOver, ReportPayload
from core.domain.compliance.figures import days_of
from core.domain.compliance.policies import choose
from core.errors import OpsError
from core.ports import NotificationDesk
from core.store import audit as audit_store
from core.store import compliance as compliance_store
from core.store.event import replay as replay_store
from core.store.notification import messages


def _hand_over(workflow_type: str, workflow_id: str, queue: str, payload: BaseModel) -> HandOver:
    wanted = payload.model_dump(mode="json", exclude_defaults=True)
    return HandOver(workflow_type=workflow_type, workflow_id=workflow_id, queue=queue, payload=wanted)


class SendNotification:
    """`notification.send`: one message, as the notification front door takes it."""

    def __init__(self, desk: NotificationDesk) -> None:
        self._desk = desk

    async def open(self, session: AsyncSession, job: Job[notification.Send]) -> HandOver:
        notification_id = job.named("notif")
        if await messages.find(session, notification_id, user_id=None) is None:
            try:
                await self._desk.accept(
                    session,
                    job.payload,
                    notification_id=notification_id,
                    tenant_id=job.tenant_id,
                    requested_by=job.owner_id,
                    correlation_id=job.correlation_id,
                )
            except OpsError as error:
                raise PermanentTaskError(error.code, error.detail) from error
        return _hand_over(
            notification.NOTIFICATION_SEND,
            notification.notification_send_id(notification_id),
            notification.QUEUE,
            notification.SendWork(tenant_id=job.tenant_id, notification_id=notification_id),
        )

    async def outcome(self, session: AsyncSession, job: Job[notification.Send]) -> JsonValue:
        notification_id = job.named("notif")
        row = await messages.find(session, notification_id, user_id=None)
        arrived = (notification.NotificationStatus.DELIVERED, notification.NotificationStatus.PARTIALLY_DELIVERED)
        if row is None or row.status not in arrived:
            raise ended_badly("notification", row.status if row else None)
        channels = (await messages.channels_of(session, [notification_id])).get(notification_id, [])
        told: JsonValue = {channel.channel: channel.status for channel in channels}
        return {"notification_id": notification_id, "status": row.status, "channels": told}

    async def stop(self, session: AsyncSession, job: Job[notification.Send]) -> None:
        """Its own workflow has done so."""


class CheckBatch:
    """`compliance.batch_check`: many texts, as the compliance front door takes them; always answered as counts."""

    async def open(self, session: AsyncSession, job: Job[compliance.BatchRequest]) -> HandOver:
        wanted, batch_id = job.payload, job.named("cbatch")
        heads = await compliance_store.policy_heads(session)
        policy = choose(heads, named=wanted.policy, caller=job.owner_id, category=wanted.category)
        if policy is None or wanted.content_type not in compliance.BATCH_CONTENT:
            raise PermanentTaskError("bad_payload", "There is no such policy, or no detector reads such content.")
        new = compliance.NewBatch(
            batch_id=batch_id,
            tenant_id=job.tenant_id,
            checked_by=job.owner_id,
            check_types=wanted.check_types,
            policy=policy.name,
            policy_version=policy.version,
            correlation_id=wanted.correlation_id or job.correlation_id,
        )
        await compliance_store.open_batch(session, new, wanted.items)
        return _hand_over(
            compliance.BATCH_RUN,
            compliance.batch_run_id(batch_id),
            compliance.QUEUE,
            compliance.BatchInput(tenant_id=job.tenant_id, batch_id=batch_id),
        )

    async def outcome(self, session: AsyncSession, job: Job[compliance.BatchRequest]) -> JsonValue:
        row = await compliance_store.batch_of(session, job.named("cbatch"), checked_by=None)
        if row is None or row.status != compliance.BatchStatus.COMPLETED:
            raise ended_badly("batch", row.status if row else None)
        counts: JsonValue = dict(row.by_status)
        return {"batch_id": row.batch_id, "total": row.total, "failed": row.failed, "by_status": counts}

    async def stop(self, session: AsyncSession, job: Job[compliance.BatchRequest]) -> None:
        await compliance_store.cancel_batch(session, job.named("cbatch"))


class ReplayEvents:
    """`event.replay`: events of the past into another stream, as the event front door takes it."""

    async def open(self, session: AsyncSession, job: Job[replays.ReplayRequest]) -> HandOver:
        replay_id = job.named("replay")
        if await replay_store.get(session, replay_id) is None:
            asked = replay_store.Asked(job.tenant_id, job.owner_id, job.correlation_id)
            await replay_store.create(session, job.payload, asked, replay_id=replay_id)
            await _log(session, job, "event.replay_started", "replay", replay_id)
        return _hand_over(
            replays.EVENT_REPLAY,
            replays.event_replay_id(replay_id),
            event.QUEUE,
            replays.ReplayRef(tenant_id=job.tenant_id, replay_id=replay_id),
        )

    async def outcome(self, session: AsyncSession, job: Job[replays.ReplayRequest]) -> JsonValue:
        row = await replay_store.get(session, job.named("replay"))
        if row is None or row.status != replays.ReplayStatus.COMPLETED:
            raise ended_badly("replay", row.status if row else None)
        return {"replay_id": row.replay_id, "copied": row.copied, "skipped": row.skipped}

    async def stop(self, session: AsyncSession, job: Job[replays.ReplayRequest]) -> None:
        """Its own workflow has done so."""


class MakeReport:
    """`report`: one of the audit or of the compliance service."""

    async def open(self, session: AsyncSession, job: Job[ReportPayload]) -> HandOver:
        wanted, report_id = job.payload.root, job.named("report")
        if isinstance(wanted, AuditReportPayload):
            return await _audit_report(session, job, wanted, report_id)
        return await _compliance_report(session, job, wanted, report_id)

    async def outcome(self, session: AsyncSession, job: Job[ReportPayload]) -> JsonValue:
        status = await _report_status(session, job)
        if status != audit.ReportStatus.COMPLETED.value:
            raise ended_badly("report", status)
        return {"report_id": job.named("report"), "report": job.payload.root.report}

    async def stop(self, session: AsyncSession, job: Job[ReportPayload]) -> None:
        """Its own workflow has done so."""


async def _report_status(session: AsyncSession, job: Job[ReportPayload]) -> str | None:
    report_id = job.named("report")
    if isinstance(job.payload.root, AuditReportPayload):
        made = await audit_store.find_report(session, report_id)
        return made.status if made else None
    found = await compliance_store.report_of(session, report_id, requested_by=None)
    return found.status if found else None


async def _audit_report(
    session: AsyncSession, job: Job[ReportPayload], wanted: AuditReportPayload, report_id: str
) -> HandOver:
    asked = audit.CreateReport.model_validate(wanted.model_dump(exclude={"report"}))
    if await audit_store.find_report(session, report_id) is None:
        await audit_store.add_report(
            session,
            job.tenant_id,
            report_id,
            asked,
            requested_by=job.owner_id,
            correlation_id=job.correlation_id,
        )
        await _log(session, job, "compliance.report.requested", "compliance_report", report_id)
    ref = audit.ReportRef(tenant_id=job.tenant_id, report_id=report_id)
    return _hand_over(audit.REPORT_RUN, audit.report_run_id(report_id), audit.QUEUE, ref)


async def _compliance_report(
    session: AsyncSession, job: Job[ReportPayload], wanted: ComplianceReportPayload, report_id: str
) -> HandOver:
    first, last = wanted.first_day, wanted.last_day
    if wanted.period is not None:
        first, last = days_of(wanted.period, datetime.now(UTC).date())
    if first is None or last is None:
        raise PermanentTaskError("bad_payload", "Give either period, or both from and to.")
    new = compliance.NewReport(
        report_id=report_id,
        tenant_id=job.tenant_id,
        report_type=wanted.report_type,
        period=wanted.period,
        first_day=first,
        last_day=last,
        include_details=wanted.include_details,
        requested_by=job.owner_id,
        only_of=None,
        correlation_id=wanted.correlation_id or job.correlation_id,
    )
    await compliance_store.open_report(session, new)
    ref = compliance.ReportInput(tenant_id=job.tenant_id, report_id=report_id)
    return _hand_over(compliance.REPORT_RUN, compliance.report_run_id(report_id), compliance.QUEUE, ref)


async def _log(session: AsyncSession, job: Job[Any], event_type: str, resource_type: str, resource_id: str) -> None:
    """The audit entry that the other service's own front door would write."""
    entry = AuditEntry(
        event_type=event_type,
        actor_id=job.owner_id,
        action="create",
        resource_type=resource_type,
        resource_id=resource_id,
        category="data_access",
        metadata={"task_id": job.task_id},
        correlation_id=job.correlation_id,
    )
    await audit_store.append_entries(session, job.tenant_id, [entry])
