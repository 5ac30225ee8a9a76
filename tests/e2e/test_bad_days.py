"""Temporal stopped, Postgres stopped, workers killed: nothing accepted is lost, nothing happens twice."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.ids import new_id
from tests.e2e.conftest import Stack, until

EVENTS, TASKS, NOTIFY = "/api/v1/events", "/api/v1/tasks", "/api/v1/notifications"


@pytest.fixture
def target(stack: Stack) -> str:
    """An address that a built-in task may call."""
    return f"{stack.url('audit')}/health/live"


def _create(client: httpx.Client, target: str) -> str:
    body = {"name": "ping", "type": "http_request", "payload": {"method": "GET", "url": target}}
    answer = client.post(TASKS, json=body)
    assert answer.status_code == 201, answer.text
    task_id: str = answer.json()["task_id"]
    return task_id


def _status(client: httpx.Client, task_id: str) -> str:
    status: str = client.get(f"{TASKS}/{task_id}").json()["status"]
    return status


@pytest.fixture
def tasks(stack: Stack, own_tenant: str) -> Iterator[httpx.Client]:
    with stack.client("task", tenant=own_tenant) as client:
        yield client


@pytest.fixture
def events(stack: Stack, own_tenant: str) -> Iterator[httpx.Client]:
    with stack.client("event", tenant=own_tenant) as client:
        yield client


def _everything(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = client.get(path, params={**query, "limit": 200, **({"cursor": cursor} if cursor else {})}).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def test_work_accepted_without_temporal_runs_after_it_returns(stack: Stack, tasks: httpx.Client, target: str) -> None:
    stack.temporal.stop()
    try:
        accepted = [_create(tasks, target) for _ in range(3)]
        assert stack.health("task")["status"] == "degraded"
    finally:
        stack.temporal.start()
    for task_id in accepted:
        until(lambda task_id=task_id: _status(tasks, task_id) == "completed", f"{task_id} completes", 60)


def test_without_postgres_doors_say_when_to_come_back_and_recover(stack: Stack, events: httpx.Client) -> None:
    stack.postgres.stop()
    try:
        refused = events.post(EVENTS, json={"event_type": "a.b"})
        ready = httpx.get(f"{stack.url('event')}/health/ready")
    finally:
        stack.postgres.start()
    assert refused.status_code == 503
    assert refused.json()["code"] == "unavailable"
    assert int(refused.headers["retry-after"]) >= 1
    assert ready.status_code == 503
    until(lambda: events.post(EVENTS, json={"event_type": "a.b"}).status_code == 201, "the door recovers")
    stack.wait_until_ready()


def test_a_worker_killed_in_the_middle_of_tasks_finishes_each_once(
    stack: Stack, tasks: httpx.Client, events: httpx.Client, target: str
) -> None:
    accepted = {_create(tasks, target) for _ in range(40)}
    until(lambda: any(_status(tasks, task_id) == "completed" for task_id in accepted), "the first task completes")
    stack.kill("worker")
    stack.run("worker", "-m", "workers")
    for task_id in accepted:
        until(lambda task_id=task_id: _status(tasks, task_id) == "completed", f"{task_id} completes", 90)
    told = [e["payload"]["task_id"] for e in _everything(events, EVENTS, event_type="task.completed")]
    assert sorted(told) == sorted(accepted)


def test_a_worker_killed_in_the_middle_of_a_batch_reaches_everyone_once(stack: Stack, own_tenant: str) -> None:
    users = [f"user_{number}" for number in range(3000)]
    with stack.client("notification", tenant=own_tenant) as client:
        body = {"template_id": "welcome", "channels": ["in_app"], "user_ids": users}
        answer = client.post(f"{NOTIFY}/batch", json=body)
        assert answer.status_code == 202, answer.text
        batch = f"{NOTIFY}/batches/{answer.json()['batch_id']}"
        stack.kill("worker")
        stack.run("worker", "-m", "workers")
        until(lambda: client.get(batch).json()["status"] == "completed", "the batch completes", 120)
        reached = [item["user_id"] for item in _everything(client, NOTIFY)]
    assert sorted(reached) == sorted(users)


def test_a_worker_killed_in_the_middle_of_a_check_batch_checks_each_text_once(stack: Stack, own_tenant: str) -> None:
    checks = "/api/v1/compliance"
    rows = "".join(json.dumps({"id": f"row_{n}", "content": f"u{n}@example.com"}) + "\n" for n in range(5000))
    with stack.client("compliance", tenant=own_tenant) as client:
        lines = {"Content-Type": "application/x-ndjson"}
        answer = client.post(f"{checks}/batches?check_types=pii", content=rows, headers=lines)
        assert answer.status_code == 202, answer.text
        batch = f"{checks}/batches/{answer.json()['batch_id']}"
        until(lambda: client.get(batch).json()["progress"]["checked"], "the first texts are checked", 60)
        stack.kill("worker")
        stack.run("worker", "-m", "workers")
        until(lambda: client.get(batch).json()["status"] == "completed", "the batch completes", 120)
        done = client.get(batch).json()
        results = [json.loads(line) for line in client.get(f"{batch}/results").text.splitlines()]
    assert done["by_status"] == {"flagged": 5000}
    assert [one["id"] for one in results] == [f"row_{n}" for n in range(5000)]
    assert len({one["check_id"] for one in results}) == 5000
    with stack.client("event", tenant=own_tenant) as client:
        told = _everything(client, EVENTS, event_type="compliance.flagged")
    assert len(told) == 5000


def test_a_worker_killed_in_the_middle_of_a_replay_copies_each_event_once(stack: Stack, events: httpx.Client) -> None:
    for _ in range(10):
        batch = [{"event_type": "order.placed", "payload": {"n": n}} for n in range(1000)]
        assert events.post(f"{EVENTS}/batch", json={"events": batch}).status_code == 201
    stream = new_id("stream")
    body = {
        "from_timestamp": "2024-01-01T00:00:00Z",
        "to_timestamp": "2100-01-01T00:00:00Z",
        "event_types": ["order.placed"],
        "target_stream": stream,
    }
    answer = events.post(f"{EVENTS}/replay", json=body)
    assert answer.status_code == 202, answer.text
    stack.kill("worker")
    stack.run("worker", "-m", "workers")
    replay = f"{EVENTS}/replays/{answer.json()['replay_id']}"
    until(lambda: events.get(replay).json()["status"] == "completed", "the replay completes", 120)
    copied = _everything(events, EVENTS, stream=stream)
    assert len(copied) == 10_000
    assert len({item["event_id"] for item in copied}) == 10_000
