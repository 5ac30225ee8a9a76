"""From rows to what the notification front door answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.unit import State
from core.contracts.notification import (
    Attempt,
    Batch,
    BatchStatus,
    ChannelError,
    ChannelState,
    InAppNotification,
    Notification,
    PushSubscription,
    Recipient,
    notification_batch_id,
)
from core.domain.notification import counts, progress
from core.tables.notification import AttemptRow, ChannelRow, NotificationRow
from core.temporal import workflow_url


def _links(state: State, workflow_id: str) -> dict[str, str]:
    return {"workflow_id": workflow_id, "workflow_url": workflow_url(state.settings, workflow_id)}


def notification(
    state: State,
    row: NotificationRow,
    channels: Sequence[ChannelRow],
    *,
    log: Sequence[AttemptRow] = (),
    subject: str | None = None,
    body: str | None = None,
) -> Notification:
    """A notification with its channels; with its text and every attempt where they are given."""
    return Notification.model_validate(
        {
            **row.model_dump(),
            **_links(state, row.workflow_id),
            "channels": [_channel(c, [a for a in log if a.channel == c.channel]) for c in channels],
            "subject": subject,
            "body": body,
        }
    )


def _channel(row: ChannelRow, log: Sequence[AttemptRow]) -> ChannelState:
    attempts = [Attempt.model_validate({**a.model_dump(), "error": _error(a)}) for a in log]
    return ChannelState.model_validate({**row.model_dump(), "error": _error(row), "attempt_log": attempts})


def _error(row: ChannelRow | AttemptRow) -> ChannelError | None:
    if row.error_code is None:
        return None
    told = {"code": row.error_code, "message": row.error_message or "", "failure_class": row.failure_class}
    return ChannelError.model_validate(told)


def batch(state: State, row: Mapping[Any, Any], found: Mapping[str, int]) -> Batch:
    """A batch and how far it is."""
    counted = counts(found, total=row["total"], status=BatchStatus(row["status"]))
    return Batch.model_validate(
        {
            **row,
            **_links(state, notification_batch_id(row["batch_id"])),
            "counts": counted,
            "progress": progress(counted, row["total"]),
        }
    )


def recipient(row: Mapping[Any, Any]) -> Recipient:
    """Where a user is reached."""
    return Recipient.model_validate(dict(row))


def push_subscription(row: Mapping[Any, Any]) -> PushSubscription:
    """A device, without its token."""
    return PushSubscription.model_validate(dict(row))


def in_app(row: Mapping[Any, Any]) -> InAppNotification:
    """A message in the centre."""
    return InAppNotification.model_validate({**row, "read": row["read_at"] is not None})
