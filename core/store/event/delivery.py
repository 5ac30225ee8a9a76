"""Deliveries of every webhook: matched from the log, claimed under a lease, loaded for one try, recorded, listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.event import CHANNEL
from core.contracts.event.webhook import DeliveryKind, DeliveryRef, DeliveryStatus, NewDelivery
from core.ids import new_id, new_ids
from core.store import platform
from core.store.platform import direct
from core.tables.event import AttemptRow, DeliveryRow

TABLE = "event.deliveries"
LATEST_ATTEMPTS = 20
OPEN = (DeliveryStatus.PENDING.value, DeliveryStatus.RETRYING.value)

_LISTENERS = text(
    "SELECT count(*) FROM event.subscriptions WHERE status = 'active' GROUP BY tenant_id, stream "
    "ORDER BY count(*) DESC LIMIT 1"
)
_MATCHED = text(
    """
    SELECT e.event_id, e.tenant_id, e.event_type, s.subscription_id, s.webhook_url
    FROM event.events e
    JOIN event.subscriptions s ON s.tenant_id = e.tenant_id AND s.stream = e.stream
    WHERE (e.xid, e.seq) > (:xid, :seq) AND (e.xid, e.seq) <= (:last_xid, :last_seq)
      AND s.status = 'active' AND e.xid > s.xid
      AND EXISTS (SELECT FROM unnest(s.event_types) AS t (pattern) WHERE t.pattern IN ('*', e.event_type)
                  OR (right(t.pattern, 2) = '.*' AND starts_with(e.event_type, left(t.pattern, -1))))
    ORDER BY e.xid, e.seq
    """
)
_CLAIM = text(
    """
    WITH waiting AS (
      SELECT s.subscription_id FROM event.subscriptions s
      WHERE s.status = 'active' AND s.subscription_id <> ALL(:busy) AND s.subscription_id IN (
        SELECT subscription_id FROM event.deliveries WHERE status = 'pending' AND kind = 'subscription')
      ORDER BY random()
    ), picked AS (
      SELECT d.delivery_id FROM waiting w CROSS JOIN LATERAL (
        SELECT x.delivery_id FROM event.deliveries x
        WHERE x.subscription_id = w.subscription_id AND x.status = 'pending' AND x.kind = 'subscription'
          AND (x.leased_until IS NULL OR x.leased_until < clock_timestamp())
        ORDER BY x.delivery_id LIMIT :each FOR UPDATE SKIP LOCKED) d
      LIMIT :slots
    )
    UPDATE event.deliveries d SET leased_until = clock_timestamp() + :lease
    FROM picked p WHERE d.delivery_id = p.delivery_id RETURNING d.delivery_id
    """
)
_LOAD = text(
    """
    SELECT d.delivery_id, d.tenant_id, d.kind, d.subscription_id, d.reference, d.event_id, d.event_type, d.status,
      d.attempts, d.round, d.error, d.body, d.created_at, COALESCE(s.webhook_url, d.url) AS url,
      s.status AS subscription_status, d.kind = 'notification' AND EXISTS (
        SELECT FROM notification.notifications n JOIN notification.recipients r USING (tenant_id, user_id)
        WHERE n.notification_id = d.reference AND r.preferences @> '{"webhook": false}') AS opted_out,
      s.secret, CASE WHEN s.old_secret_until > clock_timestamp() THEN s.old_secret END AS old_secret,
      e.source, e.payload, e.category, e.stream, e.correlation_id, e.causation_id, e.occurred_at
    FROM event.deliveries d
    LEFT JOIN event.subscriptions s ON s.subscription_id = d.subscription_id
    LEFT JOIN event.events e ON e.event_id = d.event_id
    WHERE d.delivery_id = ANY(:ids)
    """
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one attempt changes: the delivery's row, and a line in its log of attempts."""

    tenant_id: str
    delivery_id: str
    attempt: int
    status: str
    latency_ms: int
    attempted_at: datetime
    status_code: int | None = None
    error: str | None = None
    response: str | None = None
    next_attempt_at: datetime | None = None


async def add_delivery(session: AsyncSession, new: NewDelivery) -> DeliveryRef:
    """Keep a notification's message until it is delivered: hand the answer to `webhook.deliver` (see the contract)."""
    ref = DeliveryRef(tenant_id=new.tenant_id, delivery_id=new_id("dlv"))
    row = DeliveryRow(
        **ref.model_dump(),
        kind=DeliveryKind.NOTIFICATION.value,
        reference=new.reference,
        event_type=new.event_type,
        url=new.url,
        body=new.body,
        status=DeliveryStatus.PENDING.value,
        attempts=0,
        round=0,
        created_at=datetime.now(UTC),
    )
    session.add(row)
    await session.flush()
    return ref


async def fitting(session: AsyncSession, *, events: int, deliveries: int) -> int:
    """How many events, of so many at most, make no more deliveries than that, whoever listens to them; one at least."""
    listeners = (await (await session.connection()).execute(_LISTENERS)).scalar() or 1
    return max(1, min(events, deliveries // listeners))


async def match(session: AsyncSession, start: tuple[int, int], end: tuple[int, int]) -> int:
    """Make a delivery of every event in (start, end] for every active subscription that means it; how many."""
    places = {"xid": start[0], "seq": start[1], "last_xid": end[0], "last_seq": end[1]}
    found = (await (await session.connection()).execute(_MATCHED, places)).all()
    now, ids = datetime.now(UTC), [new_id("dlv") for _ in found] if len(found) > 2000 else new_ids("dlv", len(found))
    columns = ("delivery_id", "tenant_id", "kind", "subscription_id", "event_id", "event_type", "url", "status")
    rows = [
        (
            delivery_id,
            m.tenant_id,
            "subscription",
            m.subscription_id,
            m.event_id,
            m.event_type,
            m.webhook_url,
            "pending",
            now,
        )
        for delivery_id, m in zip(ids, found, strict=True)
    ]
    if rows:
        await direct.insert_rows(session, TABLE, (*columns, "created_at"), rows)
    return len(rows)


async def claim(session: AsyncSession, *, slots: int, each: int, busy: Sequence[str], lease: timedelta) -> list[str]:
    """Take up to `slots` waiting deliveries, at most `each` of a subscription, for as long as the lease lasts."""
    given = {"slots": slots, "each": each, "busy": list(busy), "lease": lease}
    return list((await (await session.connection()).execute(_CLAIM, given)).scalars())


async def load(session: AsyncSession, ids: Sequence[str]) -> Sequence[RowMapping]:
    """Everything one try needs, the sealed secrets included."""
    return (await (await session.connection()).execute(_LOAD, {"ids": list(ids)})).mappings().all()


async def record(session: AsyncSession, done: Sequence[Recorded]) -> None:
    """Log attempts and move their deliveries on; one that was cancelled or delivered meanwhile stays so."""
    connection = await session.connection()
    logged = insert(AttemptRow).on_conflict_do_nothing()
    await connection.execute(logged, [_attempt(one) for one in done])
    table = DeliveryRow.__table__  # type: ignore[attr-defined]
    statement = (
        update(table)
        .where(table.c.delivery_id == bindparam("id"), text("status IN ('pending', 'retrying')"))
        .values(
            status=bindparam("new_status"),
            attempts=bindparam("new_attempts"),
            status_code=bindparam("new_code"),
            error=bindparam("new_error"),
            next_attempt_at=bindparam("new_next"),
            finished_at=bindparam("new_finish"),
            leased_until=None,
        )
    )
    await connection.execute(statement, [_moved(one) for one in done])


def _attempt(one: Recorded) -> dict[str, Any]:
    names = ("tenant_id", "delivery_id", "attempt", "status", "latency_ms", "attempted_at", "status_code", "error")
    return {name: getattr(one, name) for name in (*names, "response")}


def _moved(one: Recorded) -> dict[str, Any]:
    return {
        "id": one.delivery_id,
        "new_status": one.status,
        "new_attempts": one.attempt,
        "new_code": one.status_code,
        "new_error": one.error,
        "new_next": one.next_attempt_at,
        "new_finish": None if one.status in OPEN else one.attempted_at,
    }


async def close(session: AsyncSession, delivery_id: str, status: DeliveryStatus, error: str) -> bool:
    """End an open delivery without another try; False if it had ended already."""
    statement = (
        update(DeliveryRow)
        .where(col(DeliveryRow.delivery_id) == delivery_id, col(DeliveryRow.status).in_(OPEN))
        .values(status=status.value, error=error, finished_at=func.now(), leased_until=None, next_attempt_at=None)
    )
    return bool((await session.exec(statement)).rowcount)


async def queue_again(session: AsyncSession, delivery_id: str, *, new_round: bool) -> None:
    """Put a delivery back in front of the pump; a new round may have a workflow of its own again."""
    statement = (
        update(DeliveryRow)
        .where(col(DeliveryRow.delivery_id) == delivery_id)
        .values(
            status=DeliveryStatus.PENDING.value,
            round=DeliveryRow.round + int(new_round),
            leased_until=None,
            next_attempt_at=None,
            finished_at=None,
        )
    )
    await session.exec(statement)
    await direct.notify(session, CHANNEL)


async def get_delivery(session: AsyncSession, subscription_id: str, delivery_id: str) -> DeliveryRow | None:
    """One delivery of a subscription, locked until the transaction ends."""
    query = select(DeliveryRow).where(
        col(DeliveryRow.delivery_id) == delivery_id, col(DeliveryRow.subscription_id) == subscription_id
    )
    return (await session.exec(platform.locked(query))).first()


async def list_deliveries(
    session: AsyncSession, subscription_id: str, *, status: str | None, after: Sequence[Any] | None, limit: int
) -> Sequence[DeliveryRow]:
    """A subscription's deliveries, newest first."""
    order = [col(DeliveryRow.delivery_id)]
    query = select(DeliveryRow).where(col(DeliveryRow.subscription_id) == subscription_id)
    if status is not None:
        query = query.where(col(DeliveryRow.status) == status)
    if after is not None:
        query = query.where(platform.before(order, after))
    return (await session.exec(query.order_by(order[0].desc()).limit(limit))).all()


async def attempts_of(session: AsyncSession, ids: Sequence[str]) -> dict[str, list[AttemptRow]]:
    """The latest attempts of these deliveries, newest first."""
    place = func.row_number().over(partition_by=col(AttemptRow.delivery_id), order_by=col(AttemptRow.attempt).desc())
    ranked = select(AttemptRow.delivery_id, AttemptRow.attempt, place.label("place")).where(
        col(AttemptRow.delivery_id).in_(ids)
    )
    latest = ranked.subquery()
    query = (
        select(AttemptRow)
        .join(
            latest,
            (col(AttemptRow.delivery_id) == latest.c.delivery_id) & (col(AttemptRow.attempt) == latest.c.attempt),
        )
        .where(latest.c.place <= LATEST_ATTEMPTS)
        .order_by(col(AttemptRow.attempt).desc())
    )
    found: dict[str, list[AttemptRow]] = {}
    for row in (await session.exec(query)).all():
        found.setdefault(row.delivery_id, []).append(row)
    return found
