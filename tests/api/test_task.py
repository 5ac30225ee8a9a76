"""The task front door: what it takes, what it refuses, who sees what, lists and figures."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from core.store.platform import encode_cursor
from core.store.task.figures import MOST_TYPES
from tests.conftest import Doors, Headers, StartWorkers
from tests.tasks import TASKS, create, history, listening, look, until

PAGE = {
    "name": "process_video",
    "type": "transcoding",
    "priority": "high",
    "payload": {"file_id": "file_123", "output_format": "mp4", "quality": "720p"},
    "scheduled_at": "2024-01-28T12:00:00Z",
}


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


# ---- create


async def test_a_created_task_answers_what_the_page_shows(task: httpx.AsyncClient) -> None:
    answer = await task.post(TASKS, json=PAGE)
    assert answer.status_code == 201
    made = answer.json()
    shown = {"name": "process_video", "status": "pending", "priority": "high", "scheduled_at": "2024-01-28T12:00:00Z"}
    assert shown.items() <= made.items()
    assert answer.headers["location"] == f"{TASKS}/{made['task_id']}"
    assert made["workflow_id"] == f"task.run:{made['task_id']}"


async def test_a_time_to_come_schedules_a_task(task: httpx.AsyncClient) -> None:
    assert (await create(task, scheduled_at=in_an_hour()))["status"] == "scheduled"


async def test_the_type_is_the_name_when_left_out(task: httpx.AsyncClient) -> None:
    assert (await create(task, name="process_file"))["type"] == "process_file"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Process my file"}, "type"),
        ({"type": "a:b"}, "type"),
        ({"priority": "asap"}, "priority"),
        ({"payload": []}, "payload"),
        ({"payload": {"blob": "x" * 300_000}}, "payload"),
        ({"scheduled_at": "soon"}, "scheduled_at"),
        ({"scheduled_at": "9999-01-01T00:00:00Z"}, "scheduled_at"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"timeout_seconds": -1}, "timeout_seconds"),
        ({"prioritie": "high"}, "prioritie"),
        ({"type": "http_request", "payload": {}}, "payload.url"),
        ({"type": "http_request", "payload": {"url": "file:///etc/passwd"}}, "payload.url"),
        ({"type": "http_request", "payload": {"url": "http://a", "headers": {"X": "a\r\nb"}}}, "payload.headers.X"),
        ({"type": "http_request", "payload": {"url": "http://a", "headers": {"X": " a"}}}, "payload.headers.X"),
        (
            {"type": "http_request", "payload": {"url": "http://a", "headers": {"Content-Length": "5"}}},
            "payload.headers.Content-Length.[key]",
        ),
        ({"type": "http_request", "payload": {"url": "http://a", "method": "TRACE"}}, "payload.method"),
    ],
)
async def test_bad_input_is_refused_by_field(task: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    answer = await task.post(TASKS, json={"name": "a-task"} | change)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("key", [True, 2**31, -(2**62), "1"])
async def test_a_cursor_no_page_of_ours_had_is_refused(task: httpx.AsyncClient, key: object) -> None:
    made = await create(task)
    answer = await task.get(f"{TASKS}/{made['task_id']}/executions", params={"cursor": encode_cursor(key)})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


# ---- who sees what


async def test_a_user_sees_only_own_tasks(
    task: httpx.AsyncClient, doors: Doors, headers: Callable[..., Headers]
) -> None:
    others = await create(task)
    async with await doors.client("task", headers(scope="user", user="user_9")) as client:
        own = await create(client)
        listed = [item["task_id"] for item in (await client.get(TASKS)).json()["items"]]
        asked = [
            await client.get(f"{TASKS}/{others['task_id']}"),
            await client.get(f"{TASKS}/{others['task_id']}/executions"),
            await client.post(f"{TASKS}/{others['task_id']}/cancel"),
            await client.post(f"{TASKS}/{others['task_id']}/execute"),
        ]
        figures = (await client.get(f"{TASKS}/analytics")).json()
    assert listed == [own["task_id"]]
    assert [(answer.status_code, answer.json()["code"]) for answer in asked] == [(404, "task_not_found")] * 4
    assert figures["total_tasks"] == 1


async def test_worker_calls_need_a_service_token(
    task: httpx.AsyncClient, doors: Doors, headers: Callable[..., Headers]
) -> None:
    made = await create(task)
    path = f"{TASKS}/{made['task_id']}/executions/{made['execution_id']}/start"
    async with await doors.client("task", headers(scope="user")) as client:
        refused = await client.post(path, json={"worker": "w", "attempt": 1})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_too_narrow")


# ---- what workers report


async def _started(task: httpx.AsyncClient, attempt: int = 1, made: dict[str, Any] | None = None) -> str:
    made = made or await create(task, payload={"n": 1})
    path = f"{TASKS}/{made['task_id']}/executions/{made['execution_id']}"
    answer = await task.post(f"{path}/start", json={"worker": "w-1", "attempt": attempt})
    assert answer.status_code == 200, answer.text
    assert {"payload": {"n": 1}, "attempt": attempt, "status": "running"}.items() <= answer.json().items()
    return path


async def test_a_result_is_taken_once(task: httpx.AsyncClient) -> None:
    path = await _started(task)
    answers = [await task.post(f"{path}/result", json={"result": n}) for n in (1, 2)]
    assert [a.status_code for a in answers] == [200, 409]
    assert answers[1].json()["code"] == "execution_finished"
    assert (await look(task, path.split("/")[4]))["result"] == 1


@pytest.mark.parametrize("call", ["start", "progress", "result", "error"])
async def test_a_worker_of_a_cancelled_task_is_told_to_stop(task: httpx.AsyncClient, call: str) -> None:
    path = await _started(task)
    await task.post(f"{TASKS}/{path.split('/')[4]}/cancel")
    bodies: dict[str, Any] = {
        "start": {"worker": "w-1", "attempt": 2},
        "progress": {"percent": 50},
        "result": {"result": None},
        "error": {"code": "broken", "message": "", "attempt": 1},
    }
    answer = await task.post(f"{path}/{call}", json=bodies[call])
    assert (answer.status_code, answer.json()["code"]) == (409, "task_cancelled")


async def test_an_attempt_that_never_told_its_end_is_lost_when_the_next_begins(task: httpx.AsyncClient) -> None:
    made = await create(task, payload={"n": 1})
    path = await _started(task, 1, made)
    await task.post(f"{path}/progress", json={"percent": 80})
    await _started(task, 2, made)
    found = await look(task, made["task_id"])
    attempts = (await history(task, made["task_id"]))[0]["attempts"]
    assert [(a["attempt"], a["status"], a["error"] and a["error"]["code"]) for a in attempts] == [
        (1, "failed", "attempt_lost"),
        (2, "running", None),
    ]
    assert found["progress"] == 0


async def test_an_overtaken_attempt_is_told_to_stop(task: httpx.AsyncClient) -> None:
    made = await create(task, payload={"n": 1})
    path = await _started(task, 2, made)
    answer = await task.post(f"{path}/start", json={"worker": "w-0", "attempt": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "attempt_superseded")


async def test_the_same_start_twice_is_one_attempt(task: httpx.AsyncClient) -> None:
    made = await create(task, payload={"n": 1})
    for _ in range(2):
        await _started(task, 1, made)
    assert len((await history(task, made["task_id"]))[0]["attempts"]) == 1


async def test_reports_on_an_unknown_execution_are_not_found(task: httpx.AsyncClient) -> None:
    made = await create(task)
    answer = await task.post(f"{TASKS}/{made['task_id']}/executions/exec_none/progress", json={"percent": 1})
    assert (answer.status_code, answer.json()["code"]) == (404, "execution_not_found")


async def test_a_result_without_a_start_is_refused(task: httpx.AsyncClient) -> None:
    made = await create(task)
    path = f"{TASKS}/{made['task_id']}/executions/{made['execution_id']}"
    answer = await task.post(f"{path}/result", json={"result": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "execution_not_started")


@pytest.mark.parametrize("percent", [-1, 101, "half"])
async def test_progress_is_a_percentage(task: httpx.AsyncClient, percent: Any) -> None:
    path = await _started(task)
    answer = await task.post(f"{path}/progress", json={"percent": percent})
    assert answer.status_code == 422


# ---- run now, cancel


async def test_a_pending_task_is_run_anyway(task: httpx.AsyncClient) -> None:
    made = await create(task)
    answer = await task.post(f"{TASKS}/{made['task_id']}/execute")
    assert (answer.status_code, answer.json()["execution_id"]) == (202, made["execution_id"])


async def test_a_running_task_is_not_run_again(task: httpx.AsyncClient) -> None:
    path = await _started(task)
    answer = await task.post(f"{TASKS}/{path.split('/')[4]}/execute")
    assert (answer.status_code, answer.json()["code"]) == (409, "task_running")


async def test_a_finished_task_cannot_be_cancelled(task: httpx.AsyncClient) -> None:
    path = await _started(task)
    await task.post(f"{path}/result", json={"result": None})
    answer = await task.post(f"{TASKS}/{path.split('/')[4]}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "task_finished")


async def test_cancelling_twice_is_cancelling_once(task: httpx.AsyncClient) -> None:
    made = await create(task)
    answers = [await task.post(f"{TASKS}/{made['task_id']}/cancel") for _ in range(2)]
    assert [(a.status_code, a.json()["status"]) for a in answers] == [(202, "cancelled")] * 2


async def test_a_cancel_is_in_the_audit_log(task: httpx.AsyncClient, audit: httpx.AsyncClient) -> None:
    made = await create(task)
    await task.post(f"{TASKS}/{made['task_id']}/cancel")
    found = await audit.post("/api/v1/audit/events/query", json={"resource_id": made["task_id"]})
    assert [(e["action"], e["actor_id"]) for e in found.json()["items"]] == [("cancel", "user_123")]


async def test_an_unknown_task_is_not_found(task: httpx.AsyncClient) -> None:
    assert (await task.get(f"{TASKS}/task_abc123")).status_code == 404


# ---- lists


async def test_filters_narrow_a_list(task: httpx.AsyncClient) -> None:
    a = await create(task, name="first", type="kind-a", priority="low")
    b = await create(task, name="second", type="kind-b")
    c = await create(task, name="third", type="kind-b", scheduled_at=in_an_hour())

    async def ids(**query: Any) -> list[str]:
        answer = await task.get(TASKS, params=query)
        assert answer.status_code == 200, answer.text
        return [item["task_id"] for item in answer.json()["items"]]

    made = [one["task_id"] for one in (a, b, c)]
    assert await ids() == made[::-1]
    assert await ids(type="kind-b") == [made[2], made[1]]
    assert await ids(status="scheduled") == [made[2]]
    assert await ids(status=["scheduled", "pending"]) == made[::-1]
    assert await ids(priority="low") == [made[0]]
    assert await ids(name="second") == [made[1]]
    assert await ids(created_from=b["created_at"], created_to=c["created_at"]) == [made[1]]


async def test_pages_follow_each_other_without_gap_or_overlap(task: httpx.AsyncClient) -> None:
    made = [(await create(task))["task_id"] for _ in range(5)]
    seen, query = [], {"limit": "2"}
    while True:
        page = (await task.get(TASKS, params=query)).json()
        seen += [item["task_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == made[::-1]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "-1"}, {"status": "done"}, {"cursor": "???"}, {"created_from": "once"}]
)
async def test_a_list_refuses_what_it_does_not_know(task: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert (await task.get(TASKS, params=query)).status_code == 422


# ---- figures


async def test_figures_add_up(task: httpx.AsyncClient, workers: StartWorkers) -> None:
    await workers("task")
    async with listening() as target:
        for _ in range(2):
            await until(task, (await create(task, **target.task()))["task_id"], status="completed")
        target.status = 404
        await until(task, (await create(task, **target.task()))["task_id"], status="failed")
    await create(task, type="nobody")
    await create(task, type="nobody", scheduled_at=in_an_hour())
    found = (await task.get(f"{TASKS}/analytics")).json()
    counted = {"pending": 1, "scheduled": 1, "running": 0, "completed": 2, "failed": 1, "cancelled": 0}
    assert found["by_status"] == counted
    assert found["total_tasks"] == 5
    assert found["success_rate"] == pytest.approx(2 / 3)
    by_type = {one["type"]: one for one in found["by_type"]}
    assert by_type["http_request"]["total"] == 3
    assert by_type["nobody"]["by_status"]["pending"] == 1
    assert 0 <= by_type["http_request"]["duration_seconds"]["p50"] <= by_type["http_request"]["duration_seconds"]["p95"]
    assert found["wait_seconds"]["p50"] >= 0
    assert by_type["nobody"]["duration_seconds"] == {"p50": None, "p95": None}
    today = {"day": datetime.now(UTC).date().isoformat(), "created": 5, "completed": 2, "failed": 1, "cancelled": 0}
    assert found["per_day"] == [today]


async def test_totals_count_every_type_however_many_there_are(task: httpx.AsyncClient) -> None:
    await asyncio.gather(*(create(task, type=f"kind-{number}") for number in range(MOST_TYPES + 5)))
    found = (await task.get(f"{TASKS}/analytics")).json()
    assert (found["total_tasks"], found["by_status"]["pending"]) == (MOST_TYPES + 5, MOST_TYPES + 5)
    assert len(found["by_type"]) == MOST_TYPES


async def test_figures_of_nothing_are_zero(task: httpx.AsyncClient) -> None:
    found = (await task.get(f"{TASKS}/analytics", params={"type": "never-made"})).json()
    assert (found["total_tasks"], set(found["by_status"].values()), found["by_type"]) == (0, {0}, [])


async def test_a_task_that_runs_again_is_one_task_in_the_figures(task: httpx.AsyncClient) -> None:
    path = await _started(task)
    await task.post(f"{path}/result", json={"result": 1})
    await task.post(f"{TASKS}/{path.split('/')[4]}/execute")
    found = (await task.get(f"{TASKS}/analytics")).json()
    assert (found["total_tasks"], found["by_status"]["pending"], found["by_status"]["completed"]) == (1, 1, 0)
    assert found["per_day"][0]["completed"] == 1


@pytest.mark.parametrize(
    "query",
    [
        {"from_date": "2024-02-01", "to_date": "2024-01-01"},
        {"from_date": "2020-01-01", "to_date": "2024-01-01"},
        {"to_date": "0001-01-01"},
        {"from_date": "yesterday"},
    ],
)
async def test_figures_refuse_a_period_that_is_none(task: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert (await task.get(f"{TASKS}/analytics", params=query)).status_code == 422


async def test_many_tasks_created_and_moved_at_once_are_counted_exactly(task: httpx.AsyncClient) -> None:
    async def run_one() -> None:
        path = await _started(task)
        await task.post(f"{path}/result", json={"result": 1})

    await asyncio.gather(*(run_one() for _ in range(60)), *(create(task, type=f"kind-{n % 3}") for n in range(60)))
    found = (await task.get(f"{TASKS}/analytics")).json()
    assert (found["by_status"]["completed"], found["by_status"]["pending"], found["total_tasks"]) == (60, 60, 120)
    assert found["per_day"][0]["created"] == 120
