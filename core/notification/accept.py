"""Accepts messages in the caller's transaction: what is sent is found and rendered, the rows and the intent written."""

from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.notification import (
    NOTIFICATION_BATCH,
    NOTIFICATION_SEND,
    QUEUE,
    TEMPORAL_PRIORITY,
    BatchStatus,
    BatchWork,
    Channel,
    Content,
    Format,
    Message,
    NotificationStatus,
    Priority,
    Send,
    SendBatch,
    SendWork,
    Template,
    notification_batch_id,
    notification_send_id,
)
from core.contracts.platform import Intent, Service
from core.domain.notification import find_built_in
from core.errors import FieldError, Invalid
from core.ids import new_id
from core.notification.compose import compose
from core.store.notification import batches, messages, templates
from core.tables.notification import BatchRow, ChannelRow, NotificationRow


@dataclass(frozen=True, slots=True)
class Sender:
    """On whose behalf something is sent."""

    tenant_id: str
    user_id: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A notification as it was written, and the intent that starts it."""

    row: NotificationRow
    channels: list[ChannelRow]
    content: Content
    intent: Intent


@dataclass(frozen=True, slots=True)
class _Written:
    """What goes out, by which channels, and what it was made of."""

    content: Content
    channels: list[Channel]
    template: Template | None


async def find_template(session: AsyncSession, id_or_name: str, *, version: int | None = None) -> Template | None:
    """A tenant's own template, else a built-in one; in its newest version, or in the one asked for."""
    if own := await templates.find(session, id_or_name, version=version):
        return own
    built_in = find_built_in(id_or_name)
    return built_in if built_in and version in (None, built_in.version) else None


async def accept(
    session: AsyncSession, sender: Sender, wanted: Send, *, notification_id: str | None = None
) -> Accepted:
    """Write one notification. Invalid where its template or variables are wrong; then nothing is written."""
    written = await _write(session, wanted)
    content_id = await messages.add_content(session, sender.tenant_id, written.content)
    notification_id = notification_id or new_id("notif")
    row = NotificationRow(
        notification_id=notification_id,
        tenant_id=sender.tenant_id,
        user_id=wanted.user_id,
        status=NotificationStatus.QUEUED.value,
        priority=(wanted.priority or Priority.NORMAL).value,
        template_id=written.template.template_id if written.template else None,
        template_version=written.template.version if written.template else None,
        content_id=content_id,
        workflow_id=notification_send_id(notification_id),
        requested_by=sender.user_id,
        correlation_id=wanted.correlation_id or sender.correlation_id,
    )
    channels = await messages.add(session, row, written.channels)
    return Accepted(row, channels, written.content, _send_intent(row))


async def accept_batch(session: AsyncSession, sender: Sender, wanted: SendBatch) -> tuple[BatchRow, Intent]:
    """Write a batch with its recipients' ids; its workflow makes their notifications."""
    written = await _write(session, wanted)
    content_id = await messages.add_content(session, sender.tenant_id, written.content)
    row = BatchRow(
        batch_id=new_id("batch"),
        tenant_id=sender.tenant_id,
        status=BatchStatus.QUEUED.value,
        template_id=written.template.template_id if written.template else None,
        template_version=written.template.version if written.template else None,
        content_id=content_id,
        channels=[channel.value for channel in written.channels],
        priority=(wanted.priority or Priority.NORMAL).value,
        user_ids=wanted.user_ids,
        total=len(wanted.user_ids),
        requested_by=sender.user_id,
        correlation_id=wanted.correlation_id or sender.correlation_id,
    )
    await batches.add(session, row)
    return row, _batch_intent(row)


async def _write(session: AsyncSession, wanted: Message) -> _Written:
    variables = wanted.variables or {}
    if wanted.template_id is None:
        content = await compose(
            subject=wanted.subject, body=wanted.body or "", html=False, variables=variables, declared=None
        )
        return _Written(content, wanted.channels or [], None)
    template = await find_template(session, wanted.template_id)
    if template is None:
        found = [FieldError("template_id", "there is no such template", "template_not_found")]
        detail = f"There is no template {wanted.template_id}: create it first, or name one that GET …/templates lists."
        raise Invalid(detail, code="template_not_found", errors=found)
    content = await compose(
        subject=template.subject,
        body=template.body,
        html=template.format is Format.HTML,
        variables=variables,
        declared=template.variables,
    )
    return _Written(content, wanted.channels or [template.type], template)


def _send_intent(row: NotificationRow) -> Intent:
    work = SendWork(tenant_id=row.tenant_id, notification_id=row.notification_id)
    return Intent(
        intent_id=new_id("intent"),
        tenant_id=row.tenant_id,
        workflow_id=row.workflow_id,
        workflow_type=NOTIFICATION_SEND,
        queue=QUEUE,
        payload=work.model_dump(mode="json", exclude_defaults=True),
        service=Service.NOTIFICATION,
        user_id=row.user_id,
        correlation_id=row.correlation_id,
        summary=f"Notification {row.notification_id}",
        priority=TEMPORAL_PRIORITY[Priority(row.priority)],
    )


def _batch_intent(row: BatchRow) -> Intent:
    work = BatchWork(tenant_id=row.tenant_id, batch_id=row.batch_id, total=row.total)
    return Intent(
        intent_id=new_id("intent"),
        tenant_id=row.tenant_id,
        workflow_id=notification_batch_id(row.batch_id),
        workflow_type=NOTIFICATION_BATCH,
        queue=QUEUE,
        payload=work.model_dump(mode="json"),
        service=Service.NOTIFICATION,
        user_id=row.requested_by,
        correlation_id=row.correlation_id,
        summary=f"Batch {row.batch_id} to {row.total} recipients",
        priority=TEMPORAL_PRIORITY[Priority(row.priority)],
    )
