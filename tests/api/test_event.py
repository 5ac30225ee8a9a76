"""The event front door: publish, batch, query, count."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.conftest import Doors, Headers

SIGNUP = {
    "event_type": "user.signup",
    "source": "web_app",
    "category": "user",
    "payload": {"user_id": "user_123", "plan": "free"},
    "correlation_id": "corr_abc123",
}
EVENTS = "/api/v1/events"


async def _publish(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post(EVENTS, json={"event_type": "page.view", **fields})
    assert answer.status_code == 201, answer.text
    event: dict[str, Any] = answer.json()
    return event


async def _ids(client: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await client.get(EVENTS, params=params)
    assert answer.status_code == 200, answer.text
    return [event["event_id"] for event in answer.json()["items"]]


async def test_a_published_event_can_be_read_back(event: httpx.AsyncClient) -> None:
    answer = await event.post(EVENTS, json=SIGNUP)
    assert answer.status_code == 201
    published = answer.json()
    assert published | SIGNUP == published
    assert answer.headers["location"] == f"{EVENTS}/{published['event_id']}"
    assert (await event.get(answer.headers["location"])).json() == published


async def test_what_is_not_said_has_its_default(event: httpx.AsyncClient) -> None:
    published = await _publish(event, event_type="payment.created")
    told = {name: published[name] for name in ("source", "category", "stream", "payload", "causation_id")}
    assert told == {"source": "api", "category": "payment", "stream": "main", "payload": {}, "causation_id": None}
    assert published["correlation_id"].startswith("corr_")
    assert published["occurred_at"] == published["published_at"]


async def test_a_category_is_the_first_word_or_custom(event: httpx.AsyncClient) -> None:
    assert (await _publish(event, event_type="storage.upload"))["category"] == "storage"
    assert (await _publish(event, event_type="button.click"))["category"] == "custom"


async def test_a_batch_answers_ids_in_order(event: httpx.AsyncClient) -> None:
    events = [{"event_type": "page.view", "payload": {"number": number}} for number in range(1000)]
    answer = await event.post(f"{EVENTS}/batch", json={"events": events})
    assert answer.status_code == 201, answer.text
    assert answer.json()["accepted"] == 1000
    last = (await event.get(f"{EVENTS}/{answer.json()['event_ids'][-1]}")).json()
    assert last["payload"] == {"number": 999}
    assert await _ids(event, limit=200) == answer.json()["event_ids"][:-201:-1]


async def test_one_bad_event_refuses_the_batch_and_is_named(event: httpx.AsyncClient) -> None:
    events: list[dict[str, Any]] = [{"event_type": "page.view"} for _ in range(5)]
    events[3]["event_type"] = "no spaces allowed"
    answer = await event.post(f"{EVENTS}/batch", json={"events": events})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["events[3].event_type"]
    assert await _ids(event) == []


async def test_a_payload_too_large_is_named_in_the_batch(event: httpx.AsyncClient) -> None:
    events = [{"event_type": "page.view"}, {"event_type": "page.view", "payload": {"text": "x" * 300_000}}]
    answer = await event.post(f"{EVENTS}/batch", json={"events": events})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "events[1].payload")
    assert await _ids(event) == []


async def test_a_batch_holds_one_to_a_thousand_events(event: httpx.AsyncClient) -> None:
    for count in (0, 1001):
        answer = await event.post(f"{EVENTS}/batch", json={"events": [{"event_type": "page.view"}] * count})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "events"


async def test_bad_input_is_named(event: httpx.AsyncClient) -> None:
    bad: dict[str, Any] = {
        "event_type": "",
        "category": "no_such_category",
        "payload": ["not", "an", "object"],
        "occurred_at": "9999-12-31T23:59:59Z",
        "stream": "two words",
        "unknown": 1,
    }
    for field, value in bad.items():
        answer = await event.post(EVENTS, json={"event_type": "page.view", field: value})
        assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (422, [field])


async def test_text_of_every_kind_survives_the_bulk_path(event: httpx.AsyncClient) -> None:
    payload: dict[str, Any] = {
        "text": 'tab\t newline\n back\\slash "quoted" \\N \\. é 漢 🎉',
        "": [None, True, 1.5, {"a": {}}],
    }
    correlation = "tab\tand \\ and 漢"
    published = await _publish(event, payload=payload, correlation_id=correlation)
    found = (await event.get(f"{EVENTS}/{published['event_id']}")).json()
    assert (found["payload"], found["correlation_id"]) == (payload, correlation)


async def test_a_wildcard_finds_the_types_below_it_only(event: httpx.AsyncClient) -> None:
    types = ["user.signup", "user.login", "user", "userx.login", "user_x.y", "user-a.b", "payment.failed"]
    ids = {name: (await _publish(event, event_type=name))["event_id"] for name in types}
    assert await _ids(event, event_type="user.*") == [ids["user.login"], ids["user.signup"]]
    assert await _ids(event, event_type="user") == [ids["user"]]
    assert len(await _ids(event, event_type="*")) == len(types)
    either = await _ids(event, event_type=["payment.*", "user"])
    assert either == [ids["payment.failed"], ids["user"]]


async def test_every_filter_narrows(event: httpx.AsyncClient) -> None:
    wanted = {"category": "storage", "source": "files", "stream": "imports", "correlation_id": "corr_1"}
    hit = await _publish(event, **wanted)
    for name, other in {"category": "user", "source": "web", "stream": "main", "correlation_id": "corr_2"}.items():
        await _publish(event, **(wanted | {name: other}))
    assert await _ids(event, **wanted) == [hit["event_id"]]
    assert len(await _ids(event, stream="*")) == 5


async def test_from_is_included_and_to_is_not(event: httpx.AsyncClient) -> None:
    days = ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"]
    ids = [(await _publish(event, occurred_at=day))["event_id"] for day in days]
    assert await _ids(event, **{"from": "2024-01-01", "to": "2024-01-03"}) == [ids[1], ids[0]]
    assert await _ids(event, **{"from": "2024-01-02T00:00:00Z"}) == [ids[2], ids[1]]


async def test_pages_follow_one_another_without_gap_or_repeat(event: httpx.AsyncClient) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    for number in range(7):
        await _publish(event, occurred_at=(at + timedelta(hours=number // 3)).isoformat())
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (await event.get(EVENTS, params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        seen += [item["event_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == await _ids(event)
    assert len(set(seen)) == 7


async def test_an_idempotency_key_publishes_once(event: httpx.AsyncClient) -> None:
    answers = [await event.post(EVENTS, json=SIGNUP, headers={"Idempotency-Key": "signup-1"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(await _ids(event)) == 1


async def test_a_user_finds_and_counts_only_what_that_user_published(
    doors: Doors, event: httpx.AsyncClient, headers: Callable[..., Headers]
) -> None:
    theirs = await _publish(event)
    async with await doors.client("event", headers(scope="user", user="user_me")) as mine:
        own = await _publish(mine)
        assert await _ids(mine) == [own["event_id"]]
        assert (await mine.get(f"{EVENTS}/{theirs['event_id']}")).status_code == 404
        assert (await mine.get(EVENTS, params={"published_by": "user_123"})).status_code == 403
        assert (await mine.get(f"{EVENTS}/statistics")).json()["total_events"] == 1
    assert (await event.get(f"{EVENTS}/statistics")).json()["total_events"] == 2
    assert await _ids(event, user="user_me") == [own["event_id"]]


async def test_another_tenant_finds_nothing(
    doors: Doors, event: httpx.AsyncClient, headers: Callable[..., Headers]
) -> None:
    published = await _publish(event)
    async with await doors.client("event", headers(of_tenant="org_elsewhere")) as stranger:
        assert (await stranger.get(f"{EVENTS}/{published['event_id']}")).status_code == 404
        assert published["event_id"] not in await _ids(stranger)


async def test_statistics_are_exact_while_nothing_is_rolled_up_yet(event: httpx.AsyncClient) -> None:
    assert (await event.get(f"{EVENTS}/statistics")).json() == {
        "total_events": 0, "events_today": 0, "by_category": {}, "by_type": {}, "per_day": [], "processing_lag_ms": 0,
    }  # fmt: skip
    batch = {"events": [{"event_type": "user.login"}] * 3 + [{"event_type": "page.view"}]}
    await asyncio.gather(*(event.post(f"{EVENTS}/batch", json=batch) for _ in range(5)))
    counted = (await event.get(f"{EVENTS}/statistics")).json()
    assert (counted["total_events"], counted["events_today"]) == (20, 20)
    assert counted["by_category"] == {"user": 15, "custom": 5}
    assert counted["by_type"] == {"user.login": 15, "page.view": 5}
    assert counted["per_day"] == [{"day": datetime.now(UTC).date().isoformat(), "total": 20}]
    assert counted["processing_lag_ms"] >= 0


async def test_publishing_needs_the_permission(
    doors: Doors, event: httpx.AsyncClient, headers: Callable[..., Headers]
) -> None:
    async with await doors.client("event", headers(permissions=["event:read"])) as reader:
        answer = await reader.post(EVENTS, json=SIGNUP)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
