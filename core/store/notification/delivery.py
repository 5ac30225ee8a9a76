"""Tries of channels: claimed, loaded with what they need, recorded. Whoever calls holds the notifications' lock."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Row, RowMapping, text
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.event.webhook import DeliveryStatus, FailureClass, WebhookOutcome
from core.contracts.notification import Channel, ChannelStatus, NotificationStatus, Outcome, Waiting

_SUPPRESS = text(
    """
    UPDATE notification.channels c
    SET status = 'suppressed', error_code = 'opted_out', error_message = 'The recipient opted out of this channel.',
      next_attempt_at = NULL, finished_at = clock_timestamp()
    FROM notification.notifications n JOIN notification.recipients r USING (tenant_id, user_id)
    WHERE n.notification_id = ANY(:ids) AND c.notification_id = n.notification_id
      AND c.status IN ('pending', 'retrying') AND r.preferences @> jsonb_build_object(c.channel, false)
    """
)
_PUT_IN_INBOX = text(
    """
    WITH put AS (
      UPDATE notification.channels SET status = 'delivered', attempts = 1, provider = 'in_app',
        finished_at = clock_timestamp()
      WHERE notification_id = ANY(:ids) AND channel = 'in_app' AND status = 'pending'
      RETURNING notification_id, tenant_id
    ), boxed AS (
      INSERT INTO notification.inbox (notification_id, tenant_id, user_id, content_id)
      SELECT n.notification_id, n.tenant_id, n.user_id, n.content_id
      FROM put JOIN notification.notifications n USING (notification_id)
      ON CONFLICT DO NOTHING
    )
    INSERT INTO notification.attempts (notification_id, channel, attempt, tenant_id, outcome, provider)
    SELECT notification_id, 'in_app', 1, tenant_id, 'accepted', 'in_app' FROM put
    """
)
# `sending` under another claim: that process died before it could say how the try ended.
_TELL_INTERRUPTED = text(
    """
    INSERT INTO notification.attempts
      (notification_id, channel, attempt, tenant_id, outcome, failure_class, error_code, error_message)
    SELECT c.notification_id, c.channel, c.attempts, c.tenant_id, 'unknown', 'transient', 'interrupted',
      'The process ended before it could tell how this try went.'
    FROM notification.channels c JOIN notification.notifications n USING (notification_id)
    WHERE c.notification_id = ANY(:ids) AND c.channel = ANY(:channels) AND c.status = 'sending'
      AND c.claim <> :claim AND n.workflow_id = :workflow_id
    ON CONFLICT DO NOTHING
    """
)
_CLAIM = text(
    """
    UPDATE notification.channels c
    SET status = 'sending', attempts = c.attempts + 1, claim = :claim, next_attempt_at = NULL
    FROM notification.notifications n
    WHERE c.notification_id = ANY(:ids) AND c.channel = ANY(:channels) AND c.status = ANY(:statuses)
      AND n.notification_id = c.notification_id AND n.workflow_id = :workflow_id
      AND (c.status <> 'sending' OR c.claim <> :claim)
    RETURNING c.notification_id, c.channel
    """
)
_LOAD = text(
    """
    SELECT c.notification_id, c.channel, c.attempts, c.delivery_id, n.tenant_id, n.user_id, n.priority,
      n.correlation_id, n.created_at, t.subject, t.body, t.html, r.email, r.phone, r.webhook_url,
      r.user_id IS NOT NULL AS known
    FROM unnest(CAST(:ids AS text[]), CAST(:channels AS text[])) AS w (notification_id, channel)
    JOIN notification.channels c USING (notification_id, channel)
    JOIN notification.notifications n USING (notification_id)
    JOIN notification.contents t USING (content_id)
    LEFT JOIN notification.recipients r ON r.tenant_id = n.tenant_id AND r.user_id = n.user_id
    ORDER BY c.notification_id, c.place
    """
)
_RECORD = text(
    """
    WITH given AS (
      SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS g (
        notification_id text, channel text, status text, outcome text, at timestamptz, provider text,
        provider_message_id text, failure_class text, error_code text, error_message text, delivery_id text,
        next_attempt_at timestamptz)
    ), moved AS (
      UPDATE notification.channels c
      SET status = g.status, provider = g.provider, failure_class = g.failure_class, error_code = g.error_code,
        provider_message_id = g.provider_message_id, error_message = g.error_message,
        delivery_id = COALESCE(g.delivery_id, c.delivery_id), next_attempt_at = g.next_attempt_at,
        finished_at = CASE WHEN g.status <> 'retrying' THEN g.at END, claim = NULL
      FROM given g
      WHERE c.notification_id = g.notification_id AND c.channel = g.channel
        AND c.status = 'sending' AND c.claim = :claim
      RETURNING c.notification_id, c.channel, c.attempts, c.tenant_id
    )
    INSERT INTO notification.attempts (notification_id, channel, attempt, tenant_id, at, outcome, provider,
      provider_message_id, failure_class, error_code, error_message)
    SELECT m.notification_id, m.channel, m.attempts, m.tenant_id, g.at, g.outcome, g.provider, g.provider_message_id,
      g.failure_class, g.error_code, g.error_message
    FROM moved m JOIN given g USING (notification_id, channel)
    """
)
_KEEP_DELIVERY = text(
    "UPDATE notification.channels SET delivery_id = :delivery_id "
    "WHERE notification_id = :notification_id AND channel = 'webhook'"
)
_CONCLUDE = text(
    """
    WITH ended AS (
      UPDATE notification.channels c
      SET status = :status, failure_class = :failure_class, error_code = :error, error_message = :message,
        attempts = CASE WHEN :status = 'suppressed' THEN c.attempts ELSE GREATEST(c.attempts + 1,
          (SELECT d.attempts FROM event.deliveries d WHERE d.delivery_id = c.delivery_id)::int) END,
        provider_message_id = CASE WHEN :status = 'delivered' THEN c.delivery_id END,
        next_attempt_at = NULL, finished_at = clock_timestamp()
      WHERE notification_id = :notification_id AND channel = 'webhook' AND status = 'retrying'
      RETURNING *
    )
    INSERT INTO notification.attempts (notification_id, channel, attempt, tenant_id, outcome, provider,
      provider_message_id, failure_class, error_code, error_message)
    SELECT notification_id, channel, attempts, tenant_id,
      CASE WHEN status = 'delivered' THEN 'accepted' ELSE 'failed' END, provider, provider_message_id, failure_class,
      error_code, error_message FROM ended WHERE status <> 'suppressed'
    """
)
_HAND_OVER = text(
    """
    UPDATE notification.notifications n SET workflow_id = w.workflow_id
    FROM unnest(CAST(:ids AS text[]), CAST(:workflow_ids AS text[])) AS w (id, workflow_id)
    WHERE n.notification_id = w.id RETURNING n.notification_id, n.user_id, n.correlation_id, n.priority
    """
)
_WAITING = text(
    """
    SELECT notification_id, channel, failure_class, next_attempt_at, delivery_id, error_message
    FROM notification.channels WHERE notification_id = ANY(:ids) AND status = 'retrying'
    ORDER BY notification_id, place
    """
)
_STANDS = text(
    """
    SELECT n.status, (SELECT c.error_code FROM notification.channels c WHERE c.notification_id = n.notification_id
      AND c.status = 'failed' ORDER BY c.place LIMIT 1) AS error
    FROM notification.notifications n WHERE n.notification_id = :id
    """
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who tries: one attempt of one activity of the workflow that the notification belongs to."""

    workflow_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one try."""

    notification_id: str
    channel: Channel
    status: ChannelStatus
    outcome: Outcome
    at: datetime
    provider: str | None = None
    provider_message_id: str | None = None
    failure_class: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    delivery_id: str | None = None
    next_attempt_at: datetime | None = None
    dead_tokens: Sequence[str] = ()


async def prepare(session: AsyncSession, ids: Sequence[str]) -> None:
    """Drop what recipients do not want, and put what belongs there into their in-app centres."""
    connection = await session.connection()
    await connection.execute(_SUPPRESS, {"ids": list(ids)})
    await connection.execute(_PUT_IN_INBOX, {"ids": list(ids)})


async def claim(
    session: AsyncSession,
    ids: Sequence[str],
    *,
    channels: Sequence[Channel],
    statuses: Sequence[ChannelStatus],
    by: Claim,
) -> Sequence[RowMapping]:
    """Take these channels in hand where they stand at one of `statuses`; each with what a try needs."""
    connection = await session.connection()
    given: dict[str, Any] = {
        "ids": list(ids),
        "channels": [channel.value for channel in channels],
        "claim": by.token,
        "workflow_id": by.workflow_id,
    }
    if ChannelStatus.SENDING in statuses:
        await connection.execute(_TELL_INTERRUPTED, given)
    claimed = (await connection.execute(_CLAIM, given | {"statuses": [status.value for status in statuses]})).all()
    wanted = {"ids": [row.notification_id for row in claimed], "channels": [row.channel for row in claimed]}
    return (await connection.execute(_LOAD, wanted)).mappings().all()


async def keep_delivery(session: AsyncSession, notification_id: str, delivery_id: str) -> None:
    """Remember by which webhook delivery this channel goes."""
    given = {"notification_id": notification_id, "delivery_id": delivery_id}
    await (await session.connection()).execute(_KEEP_DELIVERY, given)


async def record(session: AsyncSession, made: Sequence[Tried], *, by: Claim) -> None:
    """Log tries and move their channels on, unless another process has taken them in hand since."""
    rows = [{k: v for k, v in asdict(tried).items() if k != "dead_tokens"} for tried in made]
    await (await session.connection()).execute(_RECORD, {"rows": to_json(rows).decode(), "claim": by.token})


async def conclude(
    session: AsyncSession,
    notification_id: str,
    *,
    status: ChannelStatus,
    failure_class: str | None,
    error: str | None,
    message: str | None,
) -> None:
    """How the delivery of a webhook ended, after its retries."""
    given = {"notification_id": notification_id, "status": status.value, "failure_class": failure_class}
    await (await session.connection()).execute(_CONCLUDE, given | {"error": error, "message": message})


async def hand_over(session: AsyncSession, workflows: dict[str, str]) -> dict[str, Row[Any]]:
    """From now on each notification belongs to the workflow named beside it; whose it is, by its id."""
    given = {"ids": list(workflows), "workflow_ids": list(workflows.values())}
    moved = await (await session.connection()).execute(_HAND_OVER, given)
    return {row.notification_id: row for row in moved}


async def waiting_of(session: AsyncSession, ids: Sequence[str], *, now: datetime) -> list[tuple[str, Waiting]]:
    """The channels of these notifications that wait for another try, by notification."""
    rows = (await (await session.connection()).execute(_WAITING, {"ids": list(ids)})).mappings()
    return [(row["notification_id"], _waiting(row, now)) for row in rows]


async def waiting(
    session: AsyncSession, notification_id: str, channels: Sequence[Channel], *, now: datetime
) -> list[Waiting]:
    """Which of these channels wait for another try."""
    return [wait for _, wait in await waiting_of(session, [notification_id], now=now) if wait.channel in channels]


def _waiting(row: RowMapping, now: datetime) -> Waiting:
    failure, retry_in = FailureClass(row["failure_class"]), max(0.0, (row["next_attempt_at"] - now).total_seconds())
    webhook = None
    if row["delivery_id"]:
        webhook = WebhookOutcome(
            delivery_id=row["delivery_id"],
            status=DeliveryStatus.RETRYING,
            failure=failure,
            error=row["error_message"],
            retry_in=retry_in,
        )
    return Waiting(channel=row["channel"], failure=failure, retry_in=retry_in, webhook=webhook)


async def stands(session: AsyncSession, notification_id: str) -> tuple[NotificationStatus, str | None]:
    """A notification's status, and the code of its first failed channel."""
    row = (await (await session.connection()).execute(_STANDS, {"id": notification_id})).one()
    return NotificationStatus(row.status), row.error
