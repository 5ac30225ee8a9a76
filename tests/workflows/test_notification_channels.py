"""Notifications by webhook through real workers, to an endpoint of our own; and which provider serves a channel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx
import pytest
import standardwebhooks.webhooks
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from core.contracts.event.webhook import HURRY_SIGNAL, webhook_deliver_id
from core.contracts.notification import (
    STATE_QUERY,
    Channel,
    RetryNow,
    SendState,
    notification_batch_id,
    notification_send_id,
)
from core.db import Database
from core.keys import webhook_secret
from core.settings import Settings
from core.temporal import Keeper
from tests.conftest import StartWorkers, eventually
from tests.workflows.test_event_webhooks import Receiver
from workers.notification import channels
from workers.runtime import Deps

ROOT = "/api/v1/notifications"
Json = dict[str, Any]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    yield made
    server.close()


@pytest.fixture(autouse=True)
async def running(workers: StartWorkers) -> None:
    await workers("platform", "event", "notification")


@pytest.fixture
async def reached(notification: httpx.AsyncClient, receiver: Receiver) -> httpx.AsyncClient:
    """The front door, to which the user `u` is known."""
    answer = await notification.put(f"{ROOT}/recipients/u", json={"webhook_url": receiver.url})
    assert answer.status_code == 200, answer.text
    return notification


async def _send(client: httpx.AsyncClient, *through: str) -> Json:
    body = {"user_id": "u", "template_id": "welcome", "channels": list(through or ["webhook"])}
    answer = await client.post(f"{ROOT}/send", json=body)
    assert answer.status_code == 202, answer.text
    sent: Json = answer.json()
    return sent


async def _until(client: httpx.AsyncClient, sent: Json, *statuses: str) -> Json:
    """The notification, once its first channel has one of these statuses."""

    async def probe() -> Json | None:
        found: Json = (await client.get(f"{ROOT}/{sent['notification_id']}")).json()
        return found if found["channels"][0]["status"] in statuses else None

    found = await eventually(probe)
    assert found is not None
    return found


async def test_a_webhook_is_signed_for_its_tenant(
    reached: httpx.AsyncClient, receiver: Receiver, settings: Settings, tenant: str
) -> None:
    sent = await _send(reached)
    found = await _until(reached, sent, "delivered")
    (got,) = receiver.seen
    verifier = standardwebhooks.webhooks.Webhook(webhook_secret(settings.secret_key, tenant))
    verifier.verify(got.body, got.headers)
    assert got.event["data"]["notification_id"] == sent["notification_id"]
    assert (got.event["type"], got.event["data"]["subject"]) == ("notification.sent", "Welcome to isA")
    assert found["channels"][0]["delivery_id"] == got.headers["webhook-id"]


async def test_a_webhook_that_was_refused_for_a_time_is_hurried_to_its_end(
    reached: httpx.AsyncClient, receiver: Receiver, temporal: Client
) -> None:
    receiver.statuses = [(503, "")]
    sent = await _send(reached)
    waiting = await _until(reached, sent, "retrying")
    assert (waiting["status"], waiting["channels"][0]["error"]["code"]) == ("sending", "provider_unavailable")
    handle = temporal.get_workflow_handle(notification_send_id(sent["notification_id"]))

    async def waits() -> bool:
        state: SendState = await handle.query(STATE_QUERY, result_type=SendState)
        return bool(state.waiting)

    await eventually(waits)
    await handle.execute_update("retry_now", RetryNow(channel=Channel.WEBHOOK))
    found = await _until(reached, sent, "delivered")
    assert (found["status"], found["channels"][0]["attempts"], len(receiver.seen)) == ("delivered", 2, 2)
    assert [attempt["outcome"] for attempt in found["channels"][0]["attempt_log"]] == ["failed", "accepted"]


async def test_a_webhook_that_is_refused_for_good_fails(reached: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.statuses = [(400, "")]
    found = await _until(reached, await _send(reached), "failed")
    assert (found["status"], found["channels"][0]["error"]["code"]) == ("failed", "rejected")


async def test_who_opts_out_gets_no_further_try_of_a_webhook(
    reached: httpx.AsyncClient, receiver: Receiver, temporal: Client
) -> None:
    receiver.statuses = [(503, "")]
    sent = await _send(reached)
    waiting = await _until(reached, sent, "retrying")
    body = {"webhook_url": receiver.url, "preferences": {"webhook": False}}
    await reached.put(f"{ROOT}/recipients/u", json=body)
    retrier = temporal.get_workflow_handle(webhook_deliver_id(waiting["channels"][0]["delivery_id"]))

    async def hurried() -> bool:
        with suppress(RPCError):  # not started yet
            await retrier.signal(HURRY_SIGNAL, {})
            return True
        return False

    await eventually(hurried)
    found = await _until(reached, sent, "suppressed", "delivered")
    (channel,) = found["channels"]
    assert (found["status"], channel["error"]["code"], len(receiver.seen)) == ("cancelled", "opted_out", 1)
    assert [attempt["attempt"] for attempt in channel["attempt_log"]] == [1]


async def test_cancelling_stops_a_webhook_that_waits(
    reached: httpx.AsyncClient, receiver: Receiver, temporal: Client
) -> None:
    receiver.statuses = [(503, "")]
    sent = await _send(reached)
    await _until(reached, sent, "retrying")
    answer = await reached.post(f"{ROOT}/{sent['notification_id']}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    handle = temporal.get_workflow_handle(notification_send_id(sent["notification_id"]))

    async def ended() -> bool:
        return (await handle.describe()).status is WorkflowExecutionStatus.CANCELED

    await eventually(ended)
    assert len(receiver.seen) == 1


async def test_a_recipient_without_a_webhook_has_no_address(notification: httpx.AsyncClient) -> None:
    await notification.put(f"{ROOT}/recipients/u", json={"email": "u@example.com"})
    found = await _until(notification, await _send(notification), "failed")
    assert found["channels"][0]["error"]["code"] == "no_address"


async def test_a_batch_posts_to_each_recipient_and_hands_failures_on(
    reached: httpx.AsyncClient, receiver: Receiver, temporal: Client
) -> None:
    for user in ("v", "w"):
        await reached.put(f"{ROOT}/recipients/{user}", json={"webhook_url": receiver.url})
    receiver.statuses = [(503, "")]
    body = {"template_id": "welcome", "channels": ["webhook"], "user_ids": ["u", "v", "w"]}
    batch_id = (await reached.post(f"{ROOT}/batch", json=body)).json()["batch_id"]

    async def tried() -> Json | None:
        found: Json = (await reached.get(f"{ROOT}/batches/{batch_id}")).json()
        return found if found["status"] == "completed" else None

    found = await eventually(tried)
    assert found is not None
    assert (found["counts"]["delivered"], found["counts"]["sending"]) == (2, 1)
    items = (await reached.get(ROOT, params={"status": "sending", "batch_id": batch_id})).json()["items"]
    assert items[0]["workflow_id"] == notification_send_id(items[0]["notification_id"])
    assert items[0]["workflow_id"] != notification_batch_id(batch_id)
    answer = await reached.post(f"{ROOT}/{items[0]['notification_id']}/cancel")
    assert answer.json()["status"] == "cancelled"


# ---- which provider serves a channel


async def _channels(settings: Settings, database: Database, temporal: Client, **configured: Any) -> dict[Channel, str]:
    async with AsyncExitStack() as stack:
        changed = settings.model_copy(update=configured)
        made = channels(Deps(changed, database, temporal, Keeper(temporal), stack))
        return {channel: found.provider for channel, found in made.items()}


async def test_without_settings_no_channel_has_a_provider(
    settings: Settings, database: Database, temporal: Client
) -> None:
    assert await _channels(settings, database, temporal) == {}


async def test_sendgrid_comes_before_a_mail_server(settings: Settings, database: Database, temporal: Client) -> None:
    configured = {"smtp_host": "127.0.0.1"}
    assert await _channels(settings, database, temporal, **configured) == {Channel.EMAIL: "smtp"}
    both = configured | {"sendgrid_api_key": settings.secret_key}
    assert await _channels(settings, database, temporal, **both) == {Channel.EMAIL: "sendgrid"}


async def test_twilio_needs_all_of_its_settings(settings: Settings, database: Database, temporal: Client) -> None:
    some = {"twilio_account_sid": "AC1", "twilio_auth_token": settings.secret_key}
    assert await _channels(settings, database, temporal, **some) == {}
    whole = some | {"twilio_from": "+15005550006"}
    assert await _channels(settings, database, temporal, **whole) == {Channel.SMS: "twilio"}
