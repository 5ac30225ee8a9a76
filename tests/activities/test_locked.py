"""Who waits for a row sees what the one before made of it, even where the same transaction has read it already."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from core.db import Database
from core.ids import new_id
from core.store.audit import lock_alert
from core.store.compliance import lock_policy
from core.store.event import delivery, replay, subscription
from core.store.notification import messages
from core.tables.audit import AlertRow
from core.tables.compliance import PolicyRow
from core.tables.event import DeliveryRow, ReplayRow, SubscriptionRow
from core.tables.notification import ContentRow, NotificationRow

NOW = datetime.now(UTC)
Lock = Callable[[AsyncSession, str], Awaitable[Any]]
Made = tuple[list[SQLModel], Lock]


def _alert(tenant: str, key: str) -> Made:
    words: dict[str, Any] = {
        "alert_type": "theft",
        "severity": "high",
        "status": "open",
        "description": "gone",
        "created_by": "bob",
    }
    return [AlertRow(alert_id=key, tenant_id=tenant, details={}, created_at=NOW, updated_at=NOW, **words)], lock_alert


def _policy(tenant: str, key: str) -> Made:
    return [PolicyRow(tenant_id=tenant, name=key, version=1, created_by="bob", created_at=NOW)], lock_policy


def _replay(tenant: str, key: str) -> Made:
    words: dict[str, Any] = {
        "status": "pending",
        "source_stream": "main",
        "target_stream": "copy",
        "requested_by": "bob",
    }
    times: dict[str, Any] = {"from_timestamp": NOW, "to_timestamp": NOW, "created_at": NOW}
    row = ReplayRow(replay_id=key, tenant_id=tenant, event_types=["*"], copied=0, skipped=0, **words, **times)
    return [row], lambda session, one: replay.get(session, one, lock=True)


def _subscription(tenant: str, key: str) -> Made:
    words: dict[str, Any] = {
        "status": "active",
        "stream": "main",
        "delivery_type": "webhook",
        "webhook_url": "x",
        "created_by": "bob",
    }
    times: dict[str, Any] = {"created_at": NOW, "updated_at": NOW}
    row = SubscriptionRow(subscription_id=key, tenant_id=tenant, event_types=["*"], secret=b"", **words, **times)
    return [row], lambda session, one: subscription.get(session, one, lock=True)


def _delivery(tenant: str, key: str) -> Made:
    words: dict[str, Any] = {
        "kind": "subscription",
        "subscription_id": key,
        "event_type": "a.b",
        "url": "x",
        "status": "failed",
    }
    row = DeliveryRow(delivery_id=key, tenant_id=tenant, attempts=0, round=0, created_at=NOW, **words)
    return [row], lambda session, one: delivery.get_delivery(session, one, one)


def _notification(tenant: str, key: str) -> Made:
    words: dict[str, Any] = {
        "user_id": "bob",
        "status": "pending",
        "priority": "normal",
        "requested_by": "bob",
        "correlation_id": "c",
    }
    content = ContentRow(content_id=key, tenant_id=tenant, body="hello")
    row = NotificationRow(notification_id=key, tenant_id=tenant, content_id=key, workflow_id=key, **words)
    return [content, row], lambda session, one: messages.find(session, one, user_id=None, lock=True)


@pytest.mark.parametrize(
    ("make", "column", "value"),
    [
        (_alert, "status", "resolved"),
        (_policy, "version", 2),
        (_replay, "status", "cancelled"),
        (_subscription, "status", "paused"),
        (_delivery, "status", "delivered"),
        (_notification, "status", "cancelled"),
    ],
)
async def test_a_row_that_is_locked_shows_what_others_made_of_it(
    database: Database, tenant: str, make: Callable[[str, str], Made], column: str, value: object
) -> None:
    key = new_id("test")
    rows, lock = make(tenant, key)
    async with database.begin(tenant) as session:
        for row in rows:
            session.add(row)
            await session.flush()
    table = type(rows[-1]).__table__  # type: ignore[attr-defined]
    change = f"UPDATE {table} SET {column} = :value WHERE tenant_id = :tenant"
    async with database.begin(tenant) as session:
        read = await session.get(type(rows[-1]), _identity(rows[-1]))  # kept by the session, as a caller's would be
        assert read is not None
        async with database.begin(tenant) as other:
            await (await other.connection()).execute(text(change), {"value": value, "tenant": tenant})
        assert getattr(await lock(session, key), column) == value


def _identity(row: SQLModel) -> tuple[Any, ...]:
    columns = type(row).__table__.primary_key  # type: ignore[attr-defined]
    return tuple(getattr(row, column.name) for column in columns)
