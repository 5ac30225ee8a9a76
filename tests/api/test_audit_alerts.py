"""Security alerts over HTTP: raised, listed, moved along the allowed ways, every move told."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Doors, Headers

ALERTS = "/api/v1/audit/security/alerts"
ALERT: dict[str, Any] = {
    "alert_type": "suspicious_login",
    "severity": "high",
    "user_id": "user_123",
    "description": "Login from unusual location",
    "metadata": {"location": "Unknown Country", "ip_address": "203.0.113.1"},
}


async def raised(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await client.post(ALERTS, json={**ALERT, **more})
    assert answer.status_code == 201, answer.text
    alert: dict[str, Any] = answer.json()
    return alert


async def move(
    client: httpx.AsyncClient, alert: dict[str, Any], status: str, note: str | None = None
) -> httpx.Response:
    return await client.patch(f"{ALERTS}/{alert['alert_id']}", json={"status": status, "note": note})


async def listed(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get(ALERTS, params=query)
    assert answer.status_code == 200, answer.text
    return [alert["alert_id"] for alert in answer.json()["items"]]


async def test_an_alert_is_raised_open(audit: httpx.AsyncClient) -> None:
    alert = await raised(audit)
    assert {name: alert[name] for name in ALERT} == ALERT
    assert (alert["status"], alert["closed_at"]) == ("open", None)
    assert (await audit.get(f"{ALERTS}/{alert['alert_id']}")).json() == alert


async def test_an_alert_is_moved_to_its_end_and_tells_who_moved_it(
    audit: httpx.AsyncClient, doors: Doors, headers: Callable[..., Headers]
) -> None:
    alert = await raised(audit)
    await move(audit, alert, "investigating")
    async with await doors.client("audit", headers(user="ann")) as ann:
        closed = (await move(ann, alert, "resolved", "It was them")).json()
    steps = [(step["from_status"], step["to_status"], step["moved_by"], step["note"]) for step in closed["history"]]
    assert steps == [
        (None, "open", "user_123", None),
        ("open", "investigating", "user_123", None),
        ("investigating", "resolved", "ann", "It was them"),
    ]
    assert closed["closed_at"] == closed["updated_at"]
    assert (await audit.get(f"{ALERTS}/{alert['alert_id']}")).json() == closed


@pytest.mark.parametrize(
    ("way", "wrong", "told"),
    [
        ([], "open", "investigating, resolved, false_positive"),
        (["investigating"], "open", "resolved, false_positive"),
        (["resolved"], "investigating", "closed as resolved"),
        (["investigating", "false_positive"], "resolved", "closed as false_positive"),
    ],
)
async def test_a_move_that_is_not_allowed_names_those_that_are(
    audit: httpx.AsyncClient, way: list[str], wrong: str, told: str
) -> None:
    alert = await raised(audit)
    for status in way:
        assert (await move(audit, alert, status)).status_code == 200
    answer = await move(audit, alert, wrong)
    assert (answer.status_code, answer.json()["code"]) == (409, "alert_transition_refused")
    assert told in answer.json()["detail"]


async def test_of_two_who_close_an_alert_at_once_one_wins(audit: httpx.AsyncClient) -> None:
    alert = await raised(audit)
    answers = await asyncio.gather(move(audit, alert, "resolved"), move(audit, alert, "false_positive"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len((await audit.get(f"{ALERTS}/{alert['alert_id']}")).json()["history"]) == 2


@pytest.mark.parametrize(
    "query", [{"status": "open"}, {"severity": "high"}, {"user_id": "user_123"}, {"alert_type": "suspicious_login"}]
)
async def test_each_filter_finds_its_alerts_only(audit: httpx.AsyncClient, query: dict[str, str]) -> None:
    wanted = await raised(audit)
    other = await raised(audit, severity="low", user_id="bob", alert_type="malware")
    await move(audit, other, "investigating")
    assert await listed(audit, **query) == [wanted["alert_id"]]


async def test_a_walk_sees_every_alert_once_newest_first(audit: httpx.AsyncClient) -> None:
    made = [(await raised(audit))["alert_id"] for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        page = (await audit.get(ALERTS, params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        seen += [alert["alert_id"] for alert in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


async def test_every_move_stands_in_the_audit_log(audit: httpx.AsyncClient) -> None:
    alert = await raised(audit)
    await move(audit, alert, "resolved")
    answer = await audit.post("/api/v1/audit/events/query", json={"resource_id": alert["alert_id"]})
    assert [(entry["event_type"], entry["action"]) for entry in answer.json()["items"]] == [
        ("security.alert.updated", "resolved"),
        ("security.alert.created", "create"),
    ]


async def test_every_move_is_told_to_the_event_store(audit: httpx.AsyncClient, event: httpx.AsyncClient) -> None:
    alert = await raised(audit)
    await move(audit, alert, "investigating")
    told = (await event.get("/api/v1/events", params={"event_type": "security.alert.updated"})).json()["items"]
    assert [(fact["payload"]["alert_id"], fact["payload"]["status"]) for fact in told] == [
        (alert["alert_id"], "investigating")
    ]


async def test_a_user_has_nothing_to_do_with_alerts(
    audit: httpx.AsyncClient, doors: Doors, headers: Callable[..., Headers]
) -> None:
    alert = await raised(audit)
    async with await doors.client("audit", headers(scope="user")) as user:
        answers = [
            await user.post(ALERTS, json=ALERT),
            await user.get(ALERTS),
            await user.get(f"{ALERTS}/{alert['alert_id']}"),
            await move(user, alert, "resolved"),
        ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "permission_missing")}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"severity": "urgent"}, "severity"),
        ({"description": ""}, "description"),
        ({"description": "x" * 4001}, "description"),
        ({"alert_type": "two words"}, "alert_type"),
        ({"status": "open"}, "status"),
    ],
)
async def test_a_bad_alert_is_refused_by_field(audit: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await audit.post(ALERTS, json={**ALERT, **body})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_an_unknown_status_is_told_the_known_ones(audit: httpx.AsyncClient) -> None:
    answer = await move(audit, await raised(audit), "closed")
    assert answer.status_code == 422
    assert "'open', 'investigating', 'resolved' or 'false_positive'" in answer.json()["errors"][0]["message"]


async def test_an_alert_of_another_tenant_is_not_there(
    audit: httpx.AsyncClient, doors: Doors, headers: Callable[..., Headers]
) -> None:
    alert = await raised(audit)
    async with await doors.client("audit", headers(of_tenant="org_other_alerts")) as other:
        assert (await move(other, alert, "resolved")).status_code == 404
        assert await listed(other) == []
