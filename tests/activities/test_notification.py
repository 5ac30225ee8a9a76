"""The delivery machine on real Postgres: nothing is sent twice, what died is told, what waits is handed over."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from sqlalchemy import RowMapping
from temporalio.testing import ActivityEnvironment

from activities.event import Deliveries
from activities.notification import BatchActivities, Machine, SendActivities
from core.adapters.webhook import HttpWebhookSender
from core.contracts.event.webhook import FailureClass
from core.contracts.notification import (
    TEMPORAL_PRIORITY,
    BatchEnd,
    BatchStatus,
    Channel,
    ChannelStatus,
    ChunkDone,
    ChunkWork,
    Delivered,
    DeliverWork,
    NotificationStatus,
    Outcome,
    Platform,
    Priority,
    Send,
    SendBatch,
    notification_batch_id,
    notification_send_id,
)
from core.contracts.platform import Intent
from core.db import Database
from core.domain.notification import overall
from core.notification.accept import Sender, accept, accept_batch
from core.ports import DeliveryFailure, MessageChannel, OutgoingMessage, Receipt
from core.settings import Settings
from core.store.event import delivery as webhooks
from core.store.notification import batches, messages, recipients
from core.tables.notification import AttemptRow, ChannelRow, NotificationRow
from deploy.processes import free_port

LONGEST = 3600.0


@dataclass
class Provider:
    """A provider that does what it is told, message by message, then takes everything."""

    provider: str = "fake"
    sent: list[OutgoingMessage] = field(default_factory=list)
    plan: list[Exception] = field(default_factory=list)
    dead: Sequence[str] = ()
    gate: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: OutgoingMessage) -> Receipt:
        self.sent.append(message)
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.plan:
            raise self.plan.pop(0)
        return Receipt(f"receipt {len(self.sent)}", self.dead)

    def users(self) -> list[str]:
        return [address for message in self.sent for address in message.addresses]


@dataclass
class Keeper:
    """Knows of intents, and keeps none: what is left is the reconciler's."""

    intents: list[Intent] = field(default_factory=list)

    async def keep(self, intents: Sequence[Intent]) -> list[str]:
        self.intents += intents
        return []


def transient() -> DeliveryFailure:
    return DeliveryFailure("provider_unavailable", FailureClass.TRANSIENT, "away")


def throttled(retry_after: float | None = None) -> DeliveryFailure:
    return DeliveryFailure("throttled", FailureClass.THROTTLED, "slow down", retry_after=retry_after)


def permanent() -> DeliveryFailure:
    return DeliveryFailure("bad_address", FailureClass.PERMANENT, "no such user")


class Bench:
    """One tenant, one provider for mail and one for push, and the activities around them."""

    def __init__(self, database: Database, settings: Settings, tenant: str, webhook: HttpWebhookSender) -> None:
        self.database, self.tenant = database, tenant
        self.mail, self.push, self.keeper = Provider(), Provider("fake push"), Keeper()
        found: dict[Channel, MessageChannel] = {Channel.EMAIL: self.mail, Channel.PUSH: self.push}
        machine = Machine(database, found, Deliveries(database, webhook, longest_retry_after=LONGEST))
        self.sends = SendActivities(database, machine, longest_retry_after=LONGEST)
        self.batches = BatchActivities(database, machine, self.keeper, longest_retry_after=LONGEST)

    async def reach(self, user_id: str, **addresses: str) -> None:
        async with self.database.begin(self.tenant) as session:
            await recipients.put(session, self.tenant, user_id, addresses=addresses, preferences={})

    async def accept(self, *channels: Channel, user_id: str = "u") -> str:
        wanted = Send(user_id=user_id, template_id="welcome", channels=list(channels))
        async with self.database.begin(self.tenant) as session:
            accepted = await accept(session, Sender(self.tenant, "admin", "corr"), wanted)
            return accepted.row.notification_id

    async def accept_batch(self, users: list[str], *channels: Channel, priority: Priority | None = None) -> str:
        wanted = SendBatch(user_ids=users, template_id="welcome", channels=list(channels), priority=priority)
        async with self.database.begin(self.tenant) as session:
            row, _ = await accept_batch(session, Sender(self.tenant, "admin", "corr"), wanted)
            return row.batch_id

    async def deliver(self, notification_id: str, *channels: Channel, attempt: int = 1, **changed: Any) -> Delivered:
        work = {"transient_delay": 5.0, "throttled_delay": 10.0, **changed}
        wanted = DeliverWork(tenant_id=self.tenant, notification_id=notification_id, channels=list(channels), **work)
        environment = _environment(notification_send_id(notification_id), attempt)
        done: Delivered = await environment.run(self.sends.deliver, wanted)
        return done

    async def chunk(self, batch_id: str, count: int, *, attempt: int = 1) -> ChunkDone:
        wanted = ChunkWork(
            tenant_id=self.tenant, batch_id=batch_id, start=0, count=count, transient_delay=5, throttled_delay=10
        )
        environment = _environment(notification_batch_id(batch_id), attempt)
        done: ChunkDone = await environment.run(self.batches.chunk, wanted)
        return done

    async def cancel_batch(self, batch_id: str) -> None:
        """As the front door does."""
        async with self.database.begin(self.tenant) as session:
            assert await batches.close(session, self.tenant, batch_id, BatchStatus.CANCELLED)
            await batches.stop(session, self.tenant, batch_id, overall)

    async def delivery(self, notification_id: str) -> RowMapping:
        """The webhook of a notification, as the machine that delivers webhooks has it."""
        channel = await self.channel(notification_id)
        async with self.database.begin(self.tenant) as session:
            (found,) = await webhooks.load(session, [channel.delivery_id or ""])
            return found

    async def channel(self, notification_id: str) -> ChannelRow:
        async with self.database.begin(self.tenant) as session:
            return (await messages.channels_of(session, [notification_id]))[notification_id][0]

    async def log(self, notification_id: str) -> Sequence[AttemptRow]:
        async with self.database.begin(self.tenant) as session:
            return await messages.attempts_of(session, notification_id)

    async def rows(self, batch_id: str) -> Sequence[NotificationRow]:
        wanted = messages.NotificationFilter(batch_id=batch_id)
        async with self.database.begin(self.tenant) as session:
            return await messages.list_before(session, wanted, after=None, limit=1000)


def _environment(workflow_id: str, attempt: int) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, workflow_id=workflow_id, attempt=attempt)
    return environment


@pytest.fixture
async def bench(database: Database, settings: Settings, tenant: str) -> AsyncIterator[Bench]:
    webhook = HttpWebhookSender(secret_key=settings.secret_key, allow_private=True)
    yield Bench(database, settings, tenant, webhook)
    await webhook.close()


# ---- one notification


async def test_what_a_provider_took_is_sent(bench: Bench) -> None:
    await bench.reach("u", email="u@example.com")
    sent = await bench.accept(Channel.EMAIL)
    assert (await bench.deliver(sent)).status is NotificationStatus.DELIVERED
    (message,) = bench.mail.sent
    assert (message.addresses, message.message_id, message.correlation_id) == (
        ["u@example.com"],
        f"{sent}.email",
        "corr",
    )
    row = await bench.channel(sent)
    assert (row.status, row.provider, row.provider_message_id) == (ChannelStatus.SENT, "fake", "receipt 1")


async def test_an_activity_that_runs_again_sends_nothing_twice(bench: Bench) -> None:
    await bench.reach("u", email="u@example.com")
    sent = await bench.accept(Channel.EMAIL, Channel.IN_APP)
    first, second = [await bench.deliver(sent, attempt=attempt) for attempt in (1, 2)]
    assert first == second
    assert len(bench.mail.sent) == 1
    assert len(await bench.log(sent)) == 2


async def test_a_process_that_dies_while_sending_leaves_a_trace_and_the_next_sends(bench: Bench) -> None:
    await bench.reach("u", email="u@example.com")
    sent = await bench.accept(Channel.EMAIL)
    bench.mail.plan = [ZeroDivisionError()]  # a fault of ours ends the attempt as a crash would: nothing is recorded
    with pytest.raises(ZeroDivisionError):
        await bench.deliver(sent)
    assert (await bench.channel(sent)).status == ChannelStatus.SENDING
    assert (await bench.deliver(sent, attempt=2)).status is NotificationStatus.DELIVERED
    log = [(row.attempt, row.outcome, row.error_code) for row in await bench.log(sent)]
    assert log == [(1, Outcome.UNKNOWN, "interrupted"), (2, Outcome.ACCEPTED, None)]


async def test_a_late_writer_changes_nothing(bench: Bench) -> None:
    await bench.reach("u", email="u@example.com")
    sent = await bench.accept(Channel.EMAIL)
    bench.mail.gate, bench.mail.plan = asyncio.Event(), [permanent()]
    slow = asyncio.ensure_future(bench.deliver(sent))
    await bench.mail.asked.wait()
    gate, bench.mail.gate = bench.mail.gate, None
    bench.mail.plan = []
    await bench.deliver(sent, attempt=2)
    bench.mail.plan = [permanent()]
    gate.set()
    assert (await slow).status is NotificationStatus.DELIVERED
    assert (await bench.channel(sent)).status == ChannelStatus.SENT


async def test_a_cancelled_activity_still_records_what_it_handed_over(bench: Bench) -> None:
    await bench.reach("u", email="u@example.com")
    sent = await bench.accept(Channel.EMAIL)
    bench.mail.gate = asyncio.Event()
    running = asyncio.ensure_future(bench.deliver(sent))
    await bench.mail.asked.wait()
    running.cancel()
    await asyncio.sleep(0)
    bench.mail.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await bench.channel(sent)).status == ChannelStatus.SENT


async def test_two_activities_at_once_send_once(bench: Bench) -> None:
    await bench.reach("u", email="u@example.com")
    sent = await bench.accept(Channel.EMAIL)
    await asyncio.gather(bench.deliver(sent), bench.deliver(sent))
    assert len(bench.mail.sent) == 1


@pytest.mark.parametrize(
    ("failure", "status", "retry_in"),
    [
        (transient(), ChannelStatus.RETRYING, 5),
        (throttled(), ChannelStatus.RETRYING, 10),
        (throttled(77), ChannelStatus.RETRYING, 77),
        (throttled(10 * LONGEST), ChannelStatus.RETRYING, LONGEST),
        (permanent(), ChannelStatus.FAILED, None),
    ],
    ids=["transient", "throttled", "retry-after", "an absurd retry-after", "permanent"],
)
async def test_the_class_of_a_failure_says_what_follows(
    bench: Bench, failure: DeliveryFailure, status: ChannelStatus, retry_in: float | None
) -> None:
    await bench.reach("u", email="u@example.com")
    sent = await bench.accept(Channel.EMAIL)
    bench.mail.plan = [failure]
    done = await bench.deliver(sent)
    row = await bench.channel(sent)
    assert (row.status, row.error_code, row.failure_class) == (status, failure.code, failure.failure_class)
    waits = [wait.retry_in for wait in done.waiting]
    assert waits == ([] if retry_in is None else [pytest.approx(retry_in, abs=2)])


async def test_the_last_try_of_a_schedule_fails_for_good(bench: Bench) -> None:
    await bench.reach("u", email="u@example.com")
    sent = await bench.accept(Channel.EMAIL)
    bench.mail.plan = [transient(), transient()]
    await bench.deliver(sent)
    done = await bench.deliver(sent, Channel.EMAIL, attempt=2, transient_delay=None)
    assert (done.status, done.error, done.waiting) == (NotificationStatus.FAILED, "provider_unavailable", [])


async def test_a_recipient_of_whom_nothing_is_known_fails(bench: Bench) -> None:
    sent = await bench.accept(Channel.EMAIL)
    assert (await bench.deliver(sent)).error == "recipient_unknown"


async def test_a_recipient_without_that_address_fails(bench: Bench) -> None:
    await bench.reach("u", phone="+14155552671")
    sent = await bench.accept(Channel.EMAIL)
    assert (await bench.deliver(sent)).error == "no_address"


async def test_a_cancelled_channel_is_not_tried(bench: Bench, tenant: str) -> None:
    await bench.reach("u", email="u@example.com")
    sent = await bench.accept(Channel.EMAIL)
    bench.mail.plan = [transient()]
    await bench.deliver(sent)
    async with bench.database.begin(tenant) as session:
        await messages.lock(session, [sent])
        await messages.stop(session, [sent])
        await messages.settle(session, tenant, [sent], overall)
    done = await bench.deliver(sent, Channel.EMAIL, attempt=2)
    assert (done.status, len(bench.mail.sent)) == (NotificationStatus.CANCELLED, 1)


async def test_push_goes_to_every_device_and_forgets_the_dead(bench: Bench, tenant: str) -> None:
    async with bench.database.begin(tenant) as session:
        for token in ("a", "b"):
            await recipients.subscribe(session, tenant, "u", device_id=token, token=token, platform=Platform.IOS)
    bench.push.dead = ["b"]
    assert (await bench.deliver(await bench.accept(Channel.PUSH))).status is NotificationStatus.DELIVERED
    await bench.deliver(await bench.accept(Channel.PUSH))
    assert [list(message.addresses) for message in bench.push.sent] == [["a", "b"], ["a"]]


async def test_without_a_device_push_has_no_address(bench: Bench) -> None:
    assert (await bench.deliver(await bench.accept(Channel.PUSH))).error == "no_address"


# ---- batches


async def test_a_chunk_that_runs_again_makes_and_sends_each_once(bench: Bench) -> None:
    users = [f"u{n}" for n in range(60)]
    for user in users:
        await bench.reach(user, email=f"{user}@example.com")
    batch_id = await bench.accept_batch(users, Channel.EMAIL, Channel.IN_APP)
    first = await bench.chunk(batch_id, 60)
    await bench.chunk(batch_id, 60, attempt=2)
    assert (first.handled, first.handed_over) == (60, 0)
    assert sorted(bench.mail.users()) == sorted(f"{user}@example.com" for user in users)
    assert [row.status for row in await bench.rows(batch_id)] == [NotificationStatus.DELIVERED] * 60


async def test_a_chunk_whose_process_died_goes_on_where_it_was(bench: Bench) -> None:
    users = [f"u{n}" for n in range(60)]
    for user in users:
        await bench.reach(user, email=f"{user}@example.com")
    batch_id = await bench.accept_batch(users, Channel.EMAIL)
    bench.mail.plan = [ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        await bench.chunk(batch_id, 60)
    await bench.chunk(batch_id, 60, attempt=2)
    assert len(bench.mail.sent) == 61  # the one whose end nobody recorded went out again
    assert {row.status for row in await bench.rows(batch_id)} == {NotificationStatus.DELIVERED}


async def test_only_what_has_to_be_tried_again_gets_a_workflow_of_its_own(bench: Bench, tenant: str) -> None:
    users = [f"u{n}" for n in range(30)]
    for user in users:
        await bench.reach(user, email=f"{user}@example.com")
    batch_id = await bench.accept_batch(users, Channel.EMAIL)
    bench.mail.plan = [transient(), throttled(60), permanent()]
    done = await bench.chunk(batch_id, 30)
    assert done.handed_over == 2
    rows = {row.notification_id: row for row in await bench.rows(batch_id)}
    assert sum(row.status == NotificationStatus.FAILED for row in rows.values()) == 1
    for intent in bench.keeper.intents:
        row = rows[intent.payload["notification_id"]]
        assert intent.workflow_id == row.workflow_id == notification_send_id(row.notification_id)
        assert [wait["channel"] for wait in intent.payload["waiting"]] == ["email"]
    assert (await bench.chunk(batch_id, 30, attempt=2)).handed_over == 0
    assert len(bench.mail.sent) == 30


async def test_what_is_handed_over_keeps_its_priority(bench: Bench) -> None:
    await bench.reach("u", email="u@example.com")
    batch_id = await bench.accept_batch(["u"], Channel.EMAIL, priority=Priority.URGENT)
    bench.mail.plan = [transient()]
    await bench.chunk(batch_id, 1)
    assert [intent.priority for intent in bench.keeper.intents] == [TEMPORAL_PRIORITY[Priority.URGENT]]


async def test_what_was_handed_over_is_tried_by_its_own_workflow(bench: Bench) -> None:
    await bench.reach("u", email="u@example.com")
    batch_id = await bench.accept_batch(["u"], Channel.EMAIL)
    bench.mail.plan = [transient()]
    await bench.chunk(batch_id, 1)
    (row,) = await bench.rows(batch_id)
    done = await bench.deliver(row.notification_id, Channel.EMAIL)
    assert (done.status, len(bench.mail.sent)) == (NotificationStatus.DELIVERED, 2)


async def test_a_cancelled_batch_makes_no_more(bench: Bench, tenant: str) -> None:
    batch_id = await bench.accept_batch(["a", "b"], Channel.IN_APP)
    await ActivityEnvironment().run(
        bench.batches.finish, BatchEnd(tenant_id=tenant, batch_id=batch_id, status=BatchStatus.CANCELLED)
    )
    assert (await bench.chunk(batch_id, 2)).handled == 0
    assert list(await bench.rows(batch_id)) == []


async def test_closing_a_batch_as_cancelled_stops_what_waits(bench: Bench, tenant: str) -> None:
    await bench.reach("u", email="u@example.com")
    batch_id = await bench.accept_batch(["u"], Channel.EMAIL)
    bench.mail.plan = [transient()]
    await bench.chunk(batch_id, 1)
    end = BatchEnd(tenant_id=tenant, batch_id=batch_id, status=BatchStatus.CANCELLED)
    await ActivityEnvironment().run(bench.batches.finish, end)
    (row,) = await bench.rows(batch_id)
    assert row.status == NotificationStatus.CANCELLED
    async with bench.database.begin(tenant) as session:
        assert await batches.count(session, batch_id) == {"cancelled": 1}


@pytest.mark.parametrize("handed_over", [False, True], ids=["by the batch", "by a workflow of its own"])
async def test_a_try_that_fails_after_its_batch_was_cancelled_is_the_last(bench: Bench, handed_over: bool) -> None:
    await bench.reach("u", email="u@example.com")
    batch_id = await bench.accept_batch(["u"], Channel.EMAIL)
    if handed_over:
        bench.mail.plan = [transient()]
        await bench.chunk(batch_id, 1)
        (row,) = await bench.rows(batch_id)
        bench.mail.asked.clear()
    bench.mail.gate, bench.mail.plan = asyncio.Event(), [transient()]
    trying = asyncio.ensure_future(
        bench.deliver(row.notification_id, Channel.EMAIL) if handed_over else bench.chunk(batch_id, 1)
    )
    await bench.mail.asked.wait()
    await bench.cancel_batch(batch_id)
    intents = len(bench.keeper.intents)
    bench.mail.gate.set()
    await trying
    (row,) = await bench.rows(batch_id)
    assert (row.status, len(bench.keeper.intents)) == (NotificationStatus.CANCELLED, intents)


async def test_the_webhook_of_a_cancelled_batch_is_not_tried_again(bench: Bench, tenant: str) -> None:
    await bench.reach("u", webhook_url=f"http://127.0.0.1:{free_port()}/")
    batch_id = await bench.accept_batch(["u"], Channel.WEBHOOK)
    await bench.chunk(batch_id, 1)
    (row,) = await bench.rows(batch_id)
    assert (await bench.delivery(row.notification_id))["status"] == "retrying"
    await bench.cancel_batch(batch_id)
    delivery = await bench.delivery(row.notification_id)
    assert (delivery["status"], delivery["error"]) == ("cancelled", "stopped")


async def test_the_world_hears_once_that_a_batch_was_cancelled(
    bench: Bench, event: httpx.AsyncClient, tenant: str
) -> None:
    batch_id = await bench.accept_batch(["u"], Channel.IN_APP)
    await bench.cancel_batch(batch_id)
    end = BatchEnd(tenant_id=tenant, batch_id=batch_id, status=BatchStatus.CANCELLED)
    await ActivityEnvironment().run(bench.batches.finish, end)
    told = (await event.get("/api/v1/events", params={"event_type": "notification.batch_cancelled"})).json()["items"]
    assert [(one["payload"], one["correlation_id"]) for one in told] == [({"batch_id": batch_id}, "corr")]
