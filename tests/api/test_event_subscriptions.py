"""Subscriptions and replays over HTTP: what they take, what they refuse, who may, what is logged."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.app import create_app
from api.event import DOOR
from core.db import Database
from core.settings import Settings
from tests.conftest import Doors, Headers

SUBSCRIPTIONS, EVENTS = "/api/v1/subscriptions", "/api/v1/events"
WANTED = {
    "event_types": ["user.*", "payment.succeeded"],
    "delivery_type": "webhook",
    "webhook_url": "https://example.com/events",
}
REPLAY = {
    "from_timestamp": "2024-01-01T00:00:00Z",
    "to_timestamp": "2024-01-02T00:00:00Z",
    "event_types": ["user.signup", "user.login"],
    "target_stream": "analytics_replay",
}
Json = dict[str, Any]


async def _subscribe(event: httpx.AsyncClient, **fields: Any) -> Json:
    answer = await event.post(SUBSCRIPTIONS, json=WANTED | fields)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


async def _refused(answer: httpx.Response, *fields: str) -> None:
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == list(fields)


async def test_a_subscription_shows_its_secret_once(event: httpx.AsyncClient) -> None:
    made = await _subscribe(event)
    assert made | WANTED == made
    assert (made["status"], made["stream"]) == ("active", "main")
    assert made["secret"].startswith("whsec_")
    path = f"{SUBSCRIPTIONS}/{made['subscription_id']}"
    assert "secret" not in (await event.get(path)).json()
    assert "secret" not in (await event.get(SUBSCRIPTIONS)).text


async def test_the_secret_lies_sealed_in_the_database(
    event: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    secret = (await _subscribe(event))["secret"].encode()
    async with database.begin(tenant) as session:
        kept = (await (await session.connection()).execute(text("SELECT secret FROM event.subscriptions"))).scalar_one()
    assert secret not in kept
    assert secret.removeprefix(b"whsec_") not in kept


async def test_another_delivery_type_is_refused_with_what_there_is(event: httpx.AsyncClient) -> None:
    answer = await event.post(SUBSCRIPTIONS, json=WANTED | {"delivery_type": "kafka"})
    await _refused(answer, "delivery_type")
    assert "webhook" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https://",
        "/relative",
        "https://user:password@example.com/",
        "https://example.com/#part",
        "https://exa mple.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://[::1/",
        "x" * 3000,
    ],
)
async def test_an_address_that_is_none_is_refused(event: httpx.AsyncClient, url: str) -> None:
    await _refused(await event.post(SUBSCRIPTIONS, json=WANTED | {"webhook_url": url}), "webhook_url")


@pytest.mark.parametrize("types", [[], ["user*"], ["*.signup"], ["a b"], ["x"] * 51])
async def test_a_pattern_that_is_none_is_refused(event: httpx.AsyncClient, types: list[str]) -> None:
    answer = await event.post(SUBSCRIPTIONS, json=WANTED | {"event_types": types})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("event_types")


async def test_subscriptions_are_listed_in_pages(event: httpx.AsyncClient) -> None:
    made = [(await _subscribe(event, description=str(n)))["subscription_id"] for n in range(3)]
    first = (await event.get(SUBSCRIPTIONS, params={"limit": 2})).json()
    second = (await event.get(SUBSCRIPTIONS, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["subscription_id"] for one in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None


async def test_a_subscription_can_be_changed_in_parts(event: httpx.AsyncClient) -> None:
    made = await _subscribe(event, description="ours")
    path = f"{SUBSCRIPTIONS}/{made['subscription_id']}"
    changed = (await event.patch(path, json={"webhook_url": "https://example.org/", "description": None})).json()
    assert (changed["webhook_url"], changed["description"]) == ("https://example.org/", None)
    assert changed["event_types"] == WANTED["event_types"]
    assert (await event.patch(path, json={"status": "paused"})).json()["status"] == "paused"
    paused = (await event.get(SUBSCRIPTIONS, params={"status": "paused"})).json()["items"]
    assert [one["subscription_id"] for one in paused] == [made["subscription_id"]]


async def test_a_change_must_change_something(event: httpx.AsyncClient) -> None:
    path = f"{SUBSCRIPTIONS}/{(await _subscribe(event))['subscription_id']}"
    for body in ({}, {"stream": "other"}, {"status": "deleted"}, {"status": None, "event_types": None}):
        assert (await event.patch(path, json=body)).status_code == 422


async def test_a_deleted_subscription_is_not_found(event: httpx.AsyncClient) -> None:
    path = f"{SUBSCRIPTIONS}/{(await _subscribe(event))['subscription_id']}"
    assert (await event.delete(path)).status_code == 204
    for answer in (await event.get(path), await event.delete(path), await event.get(f"{path}/deliveries")):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await event.get(SUBSCRIPTIONS)).json()["items"] == []


async def test_a_delivery_that_is_not_there_is_not_sent_again(event: httpx.AsyncClient) -> None:
    path = f"{SUBSCRIPTIONS}/{(await _subscribe(event))['subscription_id']}"
    assert (await event.post(f"{path}/deliveries/dlv_none/redeliver")).status_code == 404


async def test_managing_needs_more_than_a_users_token(
    doors: Doors, event: httpx.AsyncClient, headers: Callable[..., Headers]
) -> None:
    path = f"{SUBSCRIPTIONS}/{(await _subscribe(event))['subscription_id']}"
    async with await doors.client("event", headers(scope="user")) as user:
        answers = [
            await user.get(SUBSCRIPTIONS),
            await user.post(SUBSCRIPTIONS, json=WANTED),
            await user.patch(path, json={"status": "paused"}),
            await user.delete(path),
            await user.post(f"{path}/rotate-secret"),
            await user.post(f"{EVENTS}/replay", json=REPLAY),
            await user.get(f"{EVENTS}/replays"),
        ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "permission_missing")}


async def test_privileged_actions_are_in_the_audit_log(
    event: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    path = f"{SUBSCRIPTIONS}/{(await _subscribe(event))['subscription_id']}"
    await event.patch(path, json={"status": "paused"})
    await event.post(f"{path}/rotate-secret")
    await event.delete(path)
    await event.post(f"{EVENTS}/replay", json=REPLAY)
    async with database.begin(tenant) as session:
        query = text("SELECT event_type, actor_id FROM audit.events ORDER BY seq")
        logged = (await (await session.connection()).execute(query)).all()
    verbs = ["subscription_created", "subscription_changed", "subscription_secret_rotated", "subscription_deleted"]
    assert [tuple(row) for row in logged] == [(f"event.{v}", "user_123") for v in [*verbs, "replay_started"]]


async def test_an_idempotent_subscription_is_one_subscription(event: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "subscribe-1"}
    answers = [await event.post(SUBSCRIPTIONS, json=WANTED, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len((await event.get(SUBSCRIPTIONS)).json()["items"]) == 1


@pytest.fixture
async def public(settings: Settings, headers: Callable[..., Headers]) -> AsyncIterator[httpx.AsyncClient]:
    """A front door that lets webhooks go to the public internet only."""
    app = create_app(DOOR, settings.model_copy(update={"webhook_allow_private": False}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://event", headers=headers()) as client,
    ):
        yield client


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "10.1.2.3", "[::1]", "169.254.169.254", "api.localhost."])
async def test_a_private_address_is_refused(public: httpx.AsyncClient, host: str) -> None:
    answer = await public.post(SUBSCRIPTIONS, json=WANTED | {"webhook_url": f"http://{host}/"})
    await _refused(answer, "webhook_url")
    assert answer.json()["code"] == "address_not_allowed"


async def test_a_replay_is_accepted_with_where_to_watch_it(event: httpx.AsyncClient) -> None:
    answer = await event.post(f"{EVENTS}/replay", json=REPLAY)
    accepted = answer.json()
    assert answer.status_code == 202
    assert accepted | REPLAY == accepted
    assert accepted["workflow_id"] == f"event.replay:{accepted['replay_id']}"
    assert accepted["workflow_id"].replace(":", "%3A") in accepted["workflow_url"]
    assert (await event.get(answer.headers["location"])).json()["replay_id"] == accepted["replay_id"]


async def test_a_replay_that_makes_no_sense_is_refused(event: httpx.AsyncClient) -> None:
    bad: tuple[Json, ...] = (
        {"to_timestamp": REPLAY["from_timestamp"]},
        {"target_stream": "main"},
        {"target_stream": None},
        {"event_types": []},
        {"from_timestamp": 1704067200},
    )
    for fields in bad:
        assert (await event.post(f"{EVENTS}/replay", json=REPLAY | fields)).status_code == 422


async def test_a_replay_of_another_tenant_is_not_found(
    doors: Doors, event: httpx.AsyncClient, headers: Callable[..., Headers]
) -> None:
    replay_id = (await event.post(f"{EVENTS}/replay", json=REPLAY)).json()["replay_id"]
    async with await doors.client("event", headers(of_tenant="org_elsewhere")) as stranger:
        assert (await stranger.get(f"{EVENTS}/replays/{replay_id}")).status_code == 404
        assert (await stranger.post(f"{EVENTS}/replays/{replay_id}/cancel")).status_code == 404
