"""An idempotency key makes a POST happen once, whatever the network does."""

import asyncio
import hashlib
from collections.abc import Callable

import httpx

from core.db import Database
from core.store import platform as store
from tests.conftest import Doors, Headers

EVENT, TASK = "/api/v1/events", "/api/v1/tasks"


async def _published(client: httpx.AsyncClient) -> int:
    return len((await client.get(EVENT)).json()["items"])


async def test_the_same_key_and_body_gives_the_same_answer(event: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    first = await event.post(EVENT, json={"event_type": "a.b"}, headers=key)
    again = await event.post(EVENT, json={"event_type": "a.b"}, headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert await _published(event) == 1


async def test_the_same_key_with_another_body_is_refused(event: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    await event.post(EVENT, json={"event_type": "a.b"}, headers=key)
    other = await event.post(EVENT, json={"event_type": "a.c"}, headers=key)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


async def test_the_same_key_on_another_path_is_refused(event: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    await event.post(EVENT, json={"event_type": "a.b"}, headers=key)
    other = await event.post(f"{EVENT}/batch", json={"event_type": "a.b"}, headers=key)
    assert other.json()["code"] == "idempotency_key_reused"


async def test_a_refused_request_does_not_use_up_its_key(event: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    assert (await event.post(EVENT, json={"event_type": ""}, headers=key)).status_code == 422
    assert (await event.post(EVENT, json={"event_type": "a.b"}, headers=key)).status_code == 201


async def test_twenty_at_once_with_one_key_happen_once(event: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    sent = [event.post(EVENT, json={"event_type": "a.b"}, headers=key) for _ in range(20)]
    statuses = {answer.status_code for answer in await asyncio.gather(*sent)}
    assert statuses <= {201, 409}
    assert await _published(event) == 1


async def test_a_key_in_flight_is_409_and_says_when(database: Database, tenant: str, event: httpx.AsyncClient) -> None:
    parts = "\n".join((tenant, "user_123", "isA Operations: event", "held"))
    async with database.begin(tenant) as session:
        assert await store.lock_key(session, hashlib.sha256(parts.encode()).hexdigest())
        answer = await event.post(EVENT, json={"event_type": "a.b"}, headers={"Idempotency-Key": "held"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency_in_flight"
    assert answer.headers["retry-after"] == "1"


async def test_callers_do_not_share_keys(doors: Doors, headers: Callable[..., Headers]) -> None:
    key = {"Idempotency-Key": "one"}
    answers = []
    for user in ("user_1", "user_2"):
        async with await doors.client("event", headers(user=user)) as client:
            answers.append((await client.post(EVENT, json={"event_type": "a.b"}, headers=key)).json())
    assert answers[0]["event_id"] != answers[1]["event_id"]


async def test_work_accepted_twice_with_one_key_is_one_task(task: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    made = [(await task.post(TASK, json={"name": "nobody-serves-this"}, headers=key)).json() for _ in range(2)]
    assert made[0]["task_id"] == made[1]["task_id"]


async def test_an_overlong_key_is_refused(event: httpx.AsyncClient) -> None:
    answer = await event.post(EVENT, json={"event_type": "a.b"}, headers={"Idempotency-Key": "k" * 201})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
