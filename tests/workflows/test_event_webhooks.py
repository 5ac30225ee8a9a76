"""Subscriptions reach a real receiver: matched, signed, retried, paused, stopped, sent again."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import standardwebhooks.webhooks
import svix.webhooks
from temporalio.client import Client, WorkflowHandle

from core.contracts.event import QUEUE
from core.contracts.event.webhook import (
    WEBHOOK_DELIVER,
    NewDelivery,
    WebhookDeliver,
    WebhookOutcome,
    WebhookState,
    webhook_deliver_id,
)
from core.db import Database
from core.keys import webhook_secret
from core.settings import Settings
from core.store.event import add_delivery
from deploy.processes import free_port
from tests.conftest import StartWorkers, eventually

EVENTS, SUBSCRIPTIONS = "/api/v1/events", "/api/v1/subscriptions"
Json = dict[str, Any]


@dataclass
class Received:
    """One request as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Json:
        told: Json = json.loads(self.body)
        return told


@dataclass
class Receiver:
    """A customer's endpoint: answers the given statuses one after another, then 204."""

    statuses: list[tuple[int, str]] = field(default_factory=list)
    seen: list[Received] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readline():
                headers = {}
                while line := (await reader.readline()).strip():
                    name, _, value = line.decode("latin-1").partition(": ")
                    headers[name.lower()] = value
                self.seen.append(Received(headers, await reader.readexactly(int(headers["content-length"]))))
                status, more = self.statuses.pop(0) if self.statuses else (204, "")
                body = b"" if status == 204 else f"answered {status}".encode()
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body)
                await writer.drain()
        finally:
            writer.close()

    async def saw(self, count: int) -> list[Received]:
        async def enough() -> bool:
            return len(self.seen) >= count

        await eventually(enough)
        return self.seen


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    yield made
    server.close()


@pytest.fixture(autouse=True)
async def running(workers: StartWorkers) -> None:
    await workers("platform", "event")


async def _subscribe(event: httpx.AsyncClient, receiver: Receiver, *types: str, **fields: Any) -> Json:
    body = {"event_types": list(types) or ["*"], "delivery_type": "webhook", "webhook_url": receiver.url, **fields}
    answer = await event.post(SUBSCRIPTIONS, json=body)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


async def _publish(event: httpx.AsyncClient, *types: str, **fields: Any) -> list[str]:
    events = [{"event_type": name, **fields} for name in types]
    answer = await event.post(f"{EVENTS}/batch", json={"events": events})
    assert answer.status_code == 201, answer.text
    ids: list[str] = answer.json()["event_ids"]
    return ids


async def _delivery(event: httpx.AsyncClient, subscription: Json, status: str) -> Json:
    """The subscription's one delivery, once it has this status."""

    async def found() -> Json | None:
        page = (await event.get(f"{SUBSCRIPTIONS}/{subscription['subscription_id']}/deliveries")).json()
        only: Json | None = page["items"][0] if page["items"] else None
        return only if only and only["status"] == status else None

    delivery = await eventually(found)
    assert delivery is not None
    return delivery


def _retrier(temporal: Client, delivery: Json) -> WorkflowHandle[Any, Any]:
    return temporal.get_workflow_handle(delivery["workflow_id"])


async def test_only_what_a_wildcard_means_arrives(event: httpx.AsyncClient, receiver: Receiver) -> None:
    await _subscribe(event, receiver, "user.*", "payment.succeeded")
    await _publish(event, "page.view", "user.signup", "userx.y", "payment.failed", "payment.succeeded", "user.a.b")
    seen = await receiver.saw(3)
    assert sorted(request.event["type"] for request in seen) == ["payment.succeeded", "user.a.b", "user.signup"]


async def test_the_message_is_a_signed_cloud_event(event: httpx.AsyncClient, receiver: Receiver) -> None:
    secret = (await _subscribe(event, receiver))["secret"]
    payload = {"user_id": "user_123", "name": "Zoë"}
    ids = await _publish(event, "user.signup", payload=payload, source="web_app", correlation_id="corr_1")
    [request] = await receiver.saw(1)
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert standardwebhooks.webhooks.Webhook(secret).verify(request.body, request.headers)["data"] == payload
    svix.webhooks.Webhook(secret).verify(request.body, request.headers)
    told = {name: request.event[name] for name in ("specversion", "id", "type", "source", "correlationid", "stream")}
    assert told == {
        "specversion": "1.0", "id": ids[0], "type": "user.signup", "source": "web_app", "correlationid": "corr_1",
        "stream": "main",
    }  # fmt: skip


async def test_a_changed_body_does_not_verify(event: httpx.AsyncClient, receiver: Receiver) -> None:
    secret = (await _subscribe(event, receiver))["secret"]
    await _publish(event, "user.signup")
    [request] = await receiver.saw(1)
    with pytest.raises(standardwebhooks.webhooks.WebhookVerificationError):
        standardwebhooks.webhooks.Webhook(secret).verify(request.body.replace(b"signup", b"sign-u"), request.headers)


async def test_both_secrets_sign_after_a_rotation(event: httpx.AsyncClient, receiver: Receiver) -> None:
    made = await _subscribe(event, receiver)
    answer = await event.post(f"{SUBSCRIPTIONS}/{made['subscription_id']}/rotate-secret")
    assert answer.status_code == 200
    assert answer.json()["secret"] != made["secret"]
    await _publish(event, "user.signup")
    [request] = await receiver.saw(1)
    for secret in (made["secret"], answer.json()["secret"]):
        standardwebhooks.webhooks.Webhook(secret).verify(request.body, request.headers)


async def test_each_try_is_logged(event: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.statuses = [(400, "")]
    made = await _subscribe(event, receiver)
    await _publish(event, "user.signup")
    delivery = await _delivery(event, made, "failed")
    [attempt] = delivery["attempts"]
    told = {name: attempt[name] for name in ("attempt", "status", "status_code", "error", "response")}
    assert told == {
        "attempt": 1, "status": "failed", "status_code": 400, "error": "http_400", "response": "answered 400",
    }  # fmt: skip
    assert attempt["latency_ms"] >= 0


async def test_a_receiver_that_recovers_gets_it_with_the_same_webhook_id(
    event: httpx.AsyncClient, receiver: Receiver, temporal: Client
) -> None:
    receiver.statuses = [(503, ""), (500, "")]
    made = await _subscribe(event, receiver)
    await _publish(event, "user.signup")
    delivery = await _delivery(event, made, "retrying")
    assert delivery["next_attempt_at"] is not None
    for tries in (2, 3):
        await eventually(lambda: _update(temporal, delivery, "retry_now"))
        await receiver.saw(tries)
    done = await _delivery(event, made, "delivered")
    assert [attempt["status_code"] for attempt in done["attempts"]] == [204, 500, 503]
    assert {request.headers["webhook-id"] for request in receiver.seen} == {delivery["delivery_id"]}
    outcome = await temporal.get_workflow_handle(delivery["workflow_id"], result_type=WebhookOutcome).result()
    assert outcome.status == "delivered"


async def _update(temporal: Client, delivery: Json, name: str) -> WebhookState:
    state: WebhookState = await _retrier(temporal, delivery).execute_update(name, result_type=WebhookState)
    return state


async def test_a_throttling_endpoint_is_obeyed(event: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.statuses = [(429, "Retry-After: 7200\r\n")]
    made = await _subscribe(event, receiver)
    await _publish(event, "user.signup")
    delivery = await _delivery(event, made, "retrying")
    waits = _seconds(delivery["next_attempt_at"]) - _seconds(delivery["attempts"][0]["attempted_at"])
    assert 7200 <= waits < 7260


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


async def test_gone_pauses_the_subscription(event: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.statuses = [(410, "")]
    made = await _subscribe(event, receiver)
    await _publish(event, "user.signup")
    delivery = await _delivery(event, made, "failed")
    assert delivery["error"] == "endpoint_gone"
    paused = (await event.get(f"{SUBSCRIPTIONS}/{made['subscription_id']}")).json()
    assert (paused["status"], paused["status_reason"]) == ("paused", "the endpoint answered 410 Gone")
    [told] = (await event.get(EVENTS, params={"event_type": "event.subscription_paused"})).json()["items"]
    assert told["payload"]["subscription_id"] == made["subscription_id"]


async def test_an_operator_can_stop_a_delivery(event: httpx.AsyncClient, receiver: Receiver, temporal: Client) -> None:
    receiver.statuses = [(500, "")]
    made = await _subscribe(event, receiver)
    await _publish(event, "user.signup")
    delivery = await _delivery(event, made, "retrying")
    await eventually(lambda: _update(temporal, delivery, "stop"))
    stopped = await _delivery(event, made, "cancelled")
    assert (stopped["error"], len(receiver.seen)) == ("stopped", 1)


async def test_a_failed_delivery_can_be_sent_again(event: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.statuses = [(400, ""), (500, "")]
    made = await _subscribe(event, receiver)
    await _publish(event, "user.signup")
    failed = await _delivery(event, made, "failed")
    path = f"{SUBSCRIPTIONS}/{made['subscription_id']}/deliveries/{failed['delivery_id']}/redeliver"
    assert (await event.post(path)).status_code == 202
    retrying = await _delivery(event, made, "retrying")
    assert retrying["workflow_id"] == webhook_deliver_id(failed["delivery_id"], 1)
    assert (await event.post(path)).status_code == 202  # hurries the waiting workflow
    assert (await _delivery(event, made, "delivered"))["attempt_count"] == 3


async def test_a_paused_subscription_misses_what_is_published_meanwhile(
    event: httpx.AsyncClient, receiver: Receiver
) -> None:
    made = await _subscribe(event, receiver)
    path = f"{SUBSCRIPTIONS}/{made['subscription_id']}"
    assert (await event.patch(path, json={"status": "paused"})).json()["status"] == "paused"
    await _publish(event, "user.signup")
    assert (await event.patch(path, json={"status": "active", "event_types": ["user.login"]})).status_code == 200
    await _publish(event, "user.login")
    seen = await receiver.saw(1)
    assert [request.event["type"] for request in seen] == ["user.login"]


async def test_what_waits_for_a_paused_subscription_goes_out_when_it_is_resumed(
    event: httpx.AsyncClient, receiver: Receiver, temporal: Client
) -> None:
    receiver.statuses = [(500, "")]
    made = await _subscribe(event, receiver)
    path = f"{SUBSCRIPTIONS}/{made['subscription_id']}"
    await _publish(event, "user.signup")
    delivery = await _delivery(event, made, "retrying")
    await event.patch(path, json={"status": "paused"})
    await eventually(lambda: _update(temporal, delivery, "retry_now"))
    await _delivery(event, made, "pending")
    assert len(receiver.seen) == 1
    await event.patch(path, json={"status": "active"})
    assert (await _delivery(event, made, "delivered"))["attempt_count"] == 2


async def test_a_subscription_hears_only_its_stream(event: httpx.AsyncClient, receiver: Receiver) -> None:
    await _subscribe(event, receiver, stream="imports")
    await _publish(event, "user.signup")
    await _publish(event, "user.login", stream="imports")
    seen = await receiver.saw(1)
    assert [request.event["type"] for request in seen] == ["user.login"]


async def test_what_was_published_before_is_not_delivered(event: httpx.AsyncClient, receiver: Receiver) -> None:
    await _publish(event, "user.before")
    await _subscribe(event, receiver)
    await _publish(event, "user.after")
    seen = await receiver.saw(1)
    assert [request.event["type"] for request in seen] == ["user.after"]


async def test_an_unreachable_endpoint_is_retried(event: httpx.AsyncClient) -> None:
    made = await _subscribe(event, Receiver(url=f"http://127.0.0.1:{free_port()}/"))
    await _publish(event, "user.signup")
    delivery = await _delivery(event, made, "retrying")
    assert (delivery["error"], delivery["status_code"]) == ("connection_failed", None)


async def test_one_silent_endpoint_does_not_hold_up_another(event: httpx.AsyncClient, receiver: Receiver) -> None:
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    await _subscribe(event, Receiver(url=f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"))
    await _subscribe(event, receiver)
    await _publish(event, *["user.signup"] * 100)
    await receiver.saw(100)
    silent.close()


async def test_a_notification_uses_the_same_machine(
    receiver: Receiver, temporal: Client, database: Database, settings: Settings, tenant: str
) -> None:
    new = NewDelivery(
        tenant_id=tenant, reference="notif_1", event_type="notification.sent", url=receiver.url, body={"text": "hello"}
    )
    async with database.begin(tenant) as session:
        ref = await add_delivery(session, new)
    outcome = await temporal.execute_workflow(
        WEBHOOK_DELIVER,
        WebhookDeliver(**ref.model_dump()),
        id=webhook_deliver_id(ref.delivery_id),
        task_queue=QUEUE,
        result_type=WebhookOutcome,
        execution_timeout=timedelta(seconds=30),
    )
    assert (outcome.status, outcome.status_code) == ("delivered", 204)
    [request] = receiver.seen
    secret = webhook_secret(settings.secret_key, tenant)
    verified = standardwebhooks.webhooks.Webhook(secret).verify(request.body, request.headers)
    assert (verified["data"], verified["reference"]) == ({"text": "hello"}, "notif_1")
