"""The pumps over the event log, and the guard of outgoing webhooks."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import func
from sqlmodel import col, select
from temporalio.testing import ActivityEnvironment

from activities.event import Delays, Deliveries, Dispatcher, Rollup
from activities.event.dispatch import Ports
from core.adapters.webhook import HttpWebhookSender
from core.contracts.event.webhook import NewDelivery, Subscribe, WebhookTry
from core.contracts.platform import DomainEvent, Intent, PumpInput, PumpName
from core.db import Database
from core.ports import WebhookMessage, WebhookReply
from core.settings import Settings
from core.store import event as log
from core.store import platform
from core.store.event import delivery as deliveries
from core.store.event import subscription as subscriptions
from core.tables.event import DeliveryRow, RollupRow, SubscriptionRow
from core.telemetry import PumpMetrics
from tests.conftest import eventually

EVENTS = "/api/v1/events"
FACT = DomainEvent(event_type="task.completed", source="task")


async def _counted(database: Database, tenant: str) -> int:
    """What the roll-up has counted for the tenant, moved on by one step."""
    await Rollup(database, database, PumpMetrics()).step()
    async with database.begin(tenant) as session:
        total = select(func.coalesce(func.sum(col(RollupRow.total)), 0)).where(col(RollupRow.published_by) == "")
        return int((await session.exec(total)).one())


async def test_a_late_commit_is_not_skipped(database: Database, tenant: str) -> None:
    async with database.begin(tenant) as slow:
        await log.append(slow, tenant, [FACT])
        async with database.begin(tenant) as quick:
            await log.append(quick, tenant, [FACT])
        for _ in range(3):
            assert await _counted(database, tenant) == 0  # the quick one waits, so that the slow one is not passed

    async def both() -> bool:
        return await _counted(database, tenant) == 2

    await eventually(both)


async def test_a_transaction_rolled_back_holds_nobody_up(database: Database, tenant: str) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.begin(tenant) as broken:
            await log.append(broken, tenant, [FACT])
            raise ZeroDivisionError
    async with database.begin(tenant) as session:
        await log.append(session, tenant, [FACT])

    async def one() -> bool:
        return await _counted(database, tenant) == 1

    await eventually(one)


async def test_statistics_are_exact_while_the_pump_counts(
    event: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    rollup, batch = Rollup(database, database, PumpMetrics()), {"events": [{"event_type": "user.login"}] * 50}
    seen: list[int] = []

    async def publish() -> None:
        for _ in range(8):
            assert (await event.post(f"{EVENTS}/batch", json=batch)).status_code == 201

    async def read() -> None:
        for _ in range(20):
            seen.append((await event.get(f"{EVENTS}/statistics")).json()["total_events"])

    async def count() -> None:
        for _ in range(10):
            await rollup.step()

    await asyncio.gather(publish(), publish(), read(), count())
    assert seen == sorted(seen)
    assert all(total % 50 == 0 for total in seen)
    assert (await event.get(f"{EVENTS}/statistics")).json()["by_type"] == {"user.login": 800}


def _waiting(delivery_id: str, tenant: str, of: SubscriptionRow) -> DeliveryRow:
    return DeliveryRow(
        delivery_id=delivery_id, tenant_id=tenant, kind="subscription", subscription_id=of.subscription_id,
        event_type="user.signup", url=of.webhook_url, status="pending", attempts=0, round=0, body={},
        created_at=datetime.now(UTC),
    )  # fmt: skip


async def test_a_lease_that_ran_out_is_claimed_again(database: Database, tenant: str) -> None:
    async with database.begin(tenant) as session:
        wanted = Subscribe(event_types=["nothing"], webhook_url="https://example.com/")
        made = await subscriptions.create(session, tenant, wanted, by="user_123", secret=b"sealed")
        row = _waiting(f"dlv_{tenant}", tenant, made)
        row.leased_until = datetime.now(UTC) + timedelta(hours=1)
        session.add(row)

    async def claim() -> list[str]:
        async with database.begin_all() as session:
            return await deliveries.claim(session, slots=100, each=8, busy=[], lease=timedelta(hours=1))

    assert row.delivery_id not in await claim()
    async with database.begin(tenant) as session:
        row.leased_until = datetime.now(UTC) - timedelta(seconds=1)
        session.add(row)
    assert row.delivery_id in await claim()
    assert row.delivery_id not in await claim()
    async with database.begin(tenant) as session:  # leave nothing for the suite's dispatcher
        await subscriptions.delete(session, made)


async def test_many_subscriptions_make_a_step_of_the_pump_shorter(database: Database, tenant: str) -> None:
    async with database.begin(tenant) as session:
        for _ in range(5):
            wanted = Subscribe(event_types=["nothing"], webhook_url="https://example.com/")
            await subscriptions.create(session, tenant, wanted, by="user_123", secret=b"sealed")
        assert await deliveries.fitting(session, events=2000, deliveries=12) == 2
        assert await deliveries.fitting(session, events=2000, deliveries=1) == 1
        assert await deliveries.fitting(session, events=3, deliveries=1000) == 3


@pytest.mark.parametrize("status", ["pending", "retrying"])
async def test_what_waits_for_a_subscription_ends_with_it(database: Database, tenant: str, status: str) -> None:
    async with database.begin(tenant) as session:
        wanted = Subscribe(event_types=["nothing"], webhook_url="https://example.com/")
        made = await subscriptions.create(session, tenant, wanted, by="user_123", secret=b"sealed")
        row = _waiting(f"dlv_{tenant}", tenant, made)
        row.status, row.next_attempt_at = status, datetime.now(UTC) + timedelta(hours=12)
        session.add(row)
        await session.flush()
        await subscriptions.delete(session, made)
        await session.refresh(row)
    assert (row.status, row.error) == ("cancelled", "subscription_deleted")
    assert row.next_attempt_at is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:9/",
        "http://[::ffff:127.0.0.1]:9/",
        "http://0.0.0.0:9/",
        "http://2130706433/",
        "http://0x7f.1/",
    ],
)
async def test_a_webhook_does_not_reach_into_the_network(settings: Settings, url: str) -> None:
    sender = HttpWebhookSender(secret_key=settings.secret_key, allow_private=False)
    reply = await sender.send(WebhookMessage(tenant_id="t", webhook_id="dlv_1", url=url, body="{}"))
    await sender.close()
    assert (reply.error, reply.status_code) == ("address_not_allowed", None)


@pytest.mark.parametrize("host", ["xn--", "xn--a", "xn--zzzz99"])
async def test_a_host_that_is_no_punycode_is_a_bad_address(settings: Settings, host: str) -> None:
    sender = HttpWebhookSender(secret_key=settings.secret_key, allow_private=True)
    reply = await sender.send(WebhookMessage(tenant_id="t", webhook_id="dlv_1", url=f"http://{host}/", body="{}"))
    await sender.close()
    assert (reply.error, reply.status_code) == ("bad_address", None)


class Breaking:
    """A sender with a fault of ours for one address; it delivers to every other."""

    async def send(self, message: WebhookMessage) -> WebhookReply:
        if message.url.endswith("/breaks"):
            raise ZeroDivisionError
        return WebhookReply(1, status_code=204)


class NoKeeper:
    """Temporal is away."""

    async def keep(self, intents: Sequence[Intent]) -> list[str]:
        return []


async def test_a_try_that_breaks_holds_no_other_up(database: Database, tenant: str) -> None:
    ids = {}
    async with database.begin(tenant) as session:
        for path in ("breaks", "works"):
            wanted = Subscribe(event_types=["nothing"], webhook_url=f"https://example.com/{path}")
            made = await subscriptions.create(session, tenant, wanted, by="user_123", secret=b"sealed")
            ids[path] = f"dlv_{path}_{tenant}"
            session.add(_waiting(ids[path], tenant, made))
    machine = Deliveries(database, Breaking(), longest_retry_after=1)
    ports = Ports(database, database, NoKeeper(), PumpMetrics())
    dispatcher = Dispatcher(ports, machine, first=Delays(1, 1, 1))
    turn = PumpInput(name=PumpName.WEBHOOK_DISPATCH, queue="event", turn_seconds=1)
    await ActivityEnvironment().run(dispatcher.dispatch, turn)
    async with database.begin(tenant) as session:
        found = {row["delivery_id"]: row["status"] for row in await deliveries.load(session, list(ids.values()))}
    assert found == {ids["breaks"]: "pending", ids["works"]: "delivered"}


async def test_tries_beside_one_that_breaks_are_recorded(database: Database, tenant: str) -> None:
    refs = []
    async with database.begin(tenant) as session:
        for path in ("breaks", "works"):
            url = f"https://example.com/{path}"
            new = NewDelivery(tenant_id=tenant, reference="notif_1", event_type="notification.sent", url=url, body={})
            refs.append(await log.add_delivery(session, new))
    machine = Deliveries(database, Breaking(), longest_retry_after=1)
    with pytest.raises(ZeroDivisionError):
        await machine.attempt([WebhookTry(**ref.model_dump(), transient_delay=1, throttled_delay=1) for ref in refs])
    async with database.begin(tenant) as session:
        found = {
            row["delivery_id"]: row["status"] for row in await deliveries.load(session, [r.delivery_id for r in refs])
        }
    assert found == {refs[0].delivery_id: "pending", refs[1].delivery_id: "delivered"}


async def test_a_redirect_is_not_followed(settings: Settings) -> None:
    hits: list[bytes] = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hits.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(redirect, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    sender = HttpWebhookSender(secret_key=settings.secret_key, allow_private=True)
    reply = await sender.send(WebhookMessage(tenant_id="t", webhook_id="dlv_1", url=url, body="{}"))
    await sender.close()
    server.close()
    assert (reply.status_code, reply.error, len(hits)) == (302, "http_302", 1)


async def test_a_secret_sealed_under_another_key_is_told(settings: Settings) -> None:
    sender = HttpWebhookSender(secret_key=settings.secret_key, allow_private=True)
    message = WebhookMessage(
        tenant_id="t", webhook_id="dlv_1", url="http://127.0.0.1:9/", body="{}", secrets=[b"x" * 60]
    )
    reply = await sender.send(message)
    await sender.close()
    assert reply.error == "secret_unreadable"


async def test_the_pump_keeps_its_place(database: Database) -> None:
    async with database.begin_all() as session:
        place = await platform.claim_cursor(session, PumpName.EVENT_ROLLUP.value)
        assert place is not None
        async with database.begin_all() as other:
            assert await platform.claim_cursor(other, PumpName.EVENT_ROLLUP.value) is None
