"""The audit log over HTTP: what is kept, found and summed up, and what is refused."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core.contracts.platform import AuditEntry
from core.db import Database
from core.store import audit as store
from tests.conftest import Doors, Headers

AUDIT = "/api/v1/audit"
EVENTS, BATCH, QUERY = f"{AUDIT}/events", f"{AUDIT}/events/batch", f"{AUDIT}/events/query"
LOGIN: dict[str, Any] = {
    "event_type": "user.login",
    "category": "authentication",
    "severity": "info",
    "actor_id": "user_123",
    "resource_type": "session",
    "resource_id": "sess_abc",
    "action": "create",
    "metadata": {"ip_address": "192.168.1.1", "user_agent": "Mozilla/5.0..."},
}


async def log(client: httpx.AsyncClient, event_type: str, **more: Any) -> dict[str, Any]:
    answer = await client.post(EVENTS, json={"event_type": event_type, **more})
    assert answer.status_code == 201, answer.text
    logged: dict[str, Any] = answer.json()
    return logged


async def found(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.post(QUERY, json=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def types_found(client: httpx.AsyncClient, **query: Any) -> set[str]:
    return {item["event_type"] for item in await found(client, **query)}


def refused(answer: httpx.Response) -> tuple[int, list[str]]:
    return answer.status_code, [error["field"] for error in answer.json()["errors"]]


# ---- logging


async def test_an_event_is_kept_as_it_was_sent(audit: httpx.AsyncClient) -> None:
    logged = await log(audit, **LOGIN)
    assert {name: logged[name] for name in LOGIN} == LOGIN
    assert (await audit.get(f"{EVENTS}/{logged['event_id']}")).json() == logged


async def test_only_the_type_is_needed(audit: httpx.AsyncClient) -> None:
    before = datetime.now(UTC)
    logged = await log(audit, "file.view")
    assert (logged["actor_id"], logged["category"], logged["severity"]) == ("user_123", "data_access", "info")
    assert before <= datetime.fromisoformat(logged["occurred_at"]) <= datetime.now(UTC)


async def test_the_requests_correlation_id_is_kept_and_the_bodys_wins(audit: httpx.AsyncClient) -> None:
    header = {"X-Correlation-ID": "corr_header"}
    first = await audit.post(EVENTS, json={"event_type": "a.b"}, headers=header)
    second = await audit.post(EVENTS, json={"event_type": "a.b", "correlation_id": "corr_body"}, headers=header)
    assert (first.json()["correlation_id"], second.json()["correlation_id"]) == ("corr_header", "corr_body")


async def test_an_idempotency_key_logs_once(audit: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "once"}
    answers = [await audit.post(EVENTS, json=LOGIN, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(await found(audit)) == 1


async def test_a_batch_is_kept_in_the_order_sent(audit: httpx.AsyncClient) -> None:
    events = [{"event_type": "file.view", "resource_id": f"file_{i}"} for i in range(1000)]
    answer = await audit.post(BATCH, json={"events": events})
    assert (answer.status_code, answer.json()["accepted"]) == (201, 1000)
    ids = answer.json()["event_ids"]
    one = (await audit.get(f"{EVENTS}/{ids[3]}")).json()
    assert one["resource_id"] == "file_3"
    assert len(await found(audit, limit=1000)) == 1000


async def test_a_batch_with_one_bad_event_keeps_none_and_names_it(audit: httpx.AsyncClient) -> None:
    events = [{"event_type": "file.view"}] * 3 + [{"event_type": "not a type"}]
    answer = await audit.post(BATCH, json={"events": events})
    assert refused(answer) == (422, ["events[3].event_type"])
    assert await found(audit) == []


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_batch_has_one_to_a_thousand_events(audit: httpx.AsyncClient, count: int) -> None:
    answer = await audit.post(BATCH, json={"events": [{"event_type": "a.b"}] * count})
    assert refused(answer) == (422, ["events"])


async def test_an_entry_of_another_service_is_found_like_any_event(
    audit: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    entry = AuditEntry(
        event_type="policy.updated", actor_id="admin_1", action="update", resource_type="policy", resource_id="p_1"
    )
    async with database.begin(tenant) as session:
        await store.append_entries(session, tenant, [entry])
    [kept] = await found(audit, resource_id="p_1")
    assert (kept["actor_id"], kept["category"], kept["severity"]) == ("admin_1", "configuration", "info")


# ---- searching

FILTERS = [
    {"event_type": "user.login"},
    {"event_type": ["user.login"]},
    {"category": "authentication"},
    {"severity": "high"},
    {"severity": ["high", "critical"]},
    {"outcome": "denied"},
    {"actor_id": "ann"},
    {"resource_type": "session"},
    {"resource_id": "sess_1"},
    {"action": "create"},
    {"correlation_id": "corr_1"},
    {"from_date": "2024-01-10T00:00:00Z", "to_date": "2024-01-10T12:00:00Z"},
    {"from_date": "2024-01-10", "to_date": "2024-01-10"},
]


@pytest.mark.parametrize("query", FILTERS, ids=lambda query: "-".join(query))
async def test_each_filter_finds_its_events_only(audit: httpx.AsyncClient, query: dict[str, Any]) -> None:
    wanted = {
        "event_type": "user.login",
        "category": "authentication",
        "severity": "high",
        "outcome": "denied",
        "actor_id": "ann",
        "resource_type": "session",
        "resource_id": "sess_1",
        "action": "create",
        "correlation_id": "corr_1",
        "occurred_at": "2024-01-10T11:00:00Z",
    }
    kept = await log(audit, **wanted)
    await log(audit, "file.view", actor_id="bob", occurred_at="2024-01-11T00:00:00Z")
    assert await found(audit, **query) == [kept]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("user.*", {"user.login", "user.login.failed"}),
        ("user.login.*", {"user.login.failed"}),
        ("*", {"user.login", "user.login.failed", "username.changed", "payment.created"}),
        (["user.login.*", "payment.created"], {"user.login.failed", "payment.created"}),
    ],
)
async def test_a_wildcard_takes_what_begins_so(audit: httpx.AsyncClient, pattern: Any, expected: set[str]) -> None:
    for event_type in ("user.login", "user.login.failed", "username.changed", "payment.created"):
        await log(audit, event_type)
    assert await types_found(audit, event_type=pattern) == expected


async def test_filters_combine(audit: httpx.AsyncClient) -> None:
    await log(audit, "user.login", actor_id="ann")
    await log(audit, "user.login", actor_id="bob")
    await log(audit, "user.logout", actor_id="ann")
    [one] = await found(audit, event_type="user.login", actor_id="ann")
    assert (one["event_type"], one["actor_id"]) == ("user.login", "ann")


async def test_the_newest_comes_first(audit: httpx.AsyncClient) -> None:
    for day in ("2024-01-02", "2024-01-03", "2024-01-01"):
        await log(audit, "a.b", occurred_at=day)
    assert [item["occurred_at"][:10] for item in await found(audit)] == ["2024-01-03", "2024-01-02", "2024-01-01"]


async def test_a_walk_sees_every_event_once_while_others_are_logged(audit: httpx.AsyncClient) -> None:
    sent = await audit.post(BATCH, json={"events": [{"event_type": "a.b"}] * 95})
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (await audit.post(QUERY, json={"limit": 10, **({"cursor": cursor} if cursor else {})})).json()
        seen += [item["event_id"] for item in page["items"]]
        await asyncio.gather(*(log(audit, "c.d") for _ in range(3)))
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(sent.json()["event_ids"])


# ---- the summary


async def summary(client: httpx.AsyncClient, user: str) -> dict[str, Any]:
    answer = await client.get(f"{AUDIT}/users/{user}/summary")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_summary_is_exact_before_during_and_after_the_roll_up(
    audit: httpx.AsyncClient, database: Database
) -> None:
    for round_number in range(1, 4):
        await log(audit, "user.login", actor_id="ann")
        await log(audit, "file.upload", actor_id="ann")
        await log(audit, "file.upload", actor_id="bob")
        last = await log(audit, "file.upload", actor_id="ann")
        told = await summary(audit, "ann")
        assert told == {
            "user_id": "ann",
            "total_events": 3 * round_number,
            "last_activity": last["occurred_at"],
            "activity_by_type": {"file.upload": 2 * round_number, "user.login": round_number},
        }
        async with database.begin_all() as session:
            await store.roll_up(session, pump="audit.rollup", most=2)


async def test_a_summary_never_wavers_while_the_roll_up_runs(audit: httpx.AsyncClient, database: Database) -> None:
    await audit.post(BATCH, json={"events": [{"event_type": "a.b", "actor_id": "ann"}] * 200})

    async def roll_up() -> None:
        async with database.begin_all() as session:
            await store.roll_up(session, pump="audit.rollup", most=10)

    for _ in range(10):
        told, *_ = await asyncio.gather(summary(audit, "ann"), roll_up(), summary(audit, "ann"), roll_up())
        assert told["total_events"] == 200


async def test_somebody_without_events_has_an_empty_summary(audit: httpx.AsyncClient) -> None:
    assert await summary(audit, "nobody") == {
        "user_id": "nobody",
        "total_events": 0,
        "last_activity": None,
        "activity_by_type": {},
    }


# ---- whose events


@pytest.fixture
async def ann(doors: Doors, headers: Callable[..., Headers]) -> Any:
    """A user of the same tenant."""
    async with await doors.client("audit", headers(scope="user", user="ann")) as client:
        yield client


async def test_a_user_finds_their_own_events_only(audit: httpx.AsyncClient, ann: httpx.AsyncClient) -> None:
    await log(audit, "user.login", actor_id="bob")
    mine = await log(ann, "user.login")
    assert await found(ann) == [mine]
    assert await found(ann, actor_id="bob") == []


async def test_another_users_event_is_not_there_for_a_user(audit: httpx.AsyncClient, ann: httpx.AsyncClient) -> None:
    theirs = await log(audit, "user.login", actor_id="bob")
    answer = await ann.get(f"{EVENTS}/{theirs['event_id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "audit_event_not_found")


async def test_a_user_reads_no_summary_of_another(ann: httpx.AsyncClient) -> None:
    assert (await ann.get(f"{AUDIT}/users/bob/summary")).status_code == 403
    assert (await ann.get(f"{AUDIT}/users/ann/summary")).status_code == 200


async def test_a_user_logs_nothing_in_anothers_name(ann: httpx.AsyncClient, audit: httpx.AsyncClient) -> None:
    single = await ann.post(EVENTS, json={"event_type": "a.b", "actor_id": "bob"})
    batch = await ann.post(BATCH, json={"events": [{"event_type": "a.b"}, {"event_type": "a.b", "actor_id": "bob"}]})
    assert refused(single) == (403, ["actor_id"])
    assert refused(batch) == (403, ["events[1].actor_id"])
    assert await found(audit) == []


async def test_a_service_logs_for_anybody(doors: Doors, headers: Callable[..., Headers]) -> None:
    async with await doors.client("audit", headers(scope="service", user="billing")) as client:
        logged = await log(client, "payment.created", actor_id="ann")
    assert logged["actor_id"] == "ann"


# ---- what is refused

BAD_EVENTS: list[tuple[dict[str, Any], str]] = [
    ({}, "event_type"),
    ({"event_type": ""}, "event_type"),
    ({"event_type": "a b"}, "event_type"),
    ({"event_type": "a" * 201}, "event_type"),
    ({"event_type": 7}, "event_type"),
    ({"event_type": "a.b", "severity": "urgent"}, "severity"),
    ({"event_type": "a.b", "outcome": "maybe"}, "outcome"),
    ({"event_type": "a.b", "metadata": []}, "metadata"),
    ({"event_type": "a.b", "metadata": {"x": "y" * 40_000}}, "metadata"),
    ({"event_type": "a.b", "metadata": {"x": "a\x00b"}}, "metadata.x"),
    ({"event_type": "a.b", "actor_id": "a\x00b"}, "actor_id"),
    ({"event_type": "a.b", "occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at"),
    ({"event_type": "a.b", "occurred_at": "9999-12-31T00:00:00Z"}, "occurred_at"),
    ({"event_type": "a.b", "occurred_at": "2024-02-30"}, "occurred_at"),
    ({"event_type": "a.b", "occurred_at": 1700000000}, "occurred_at"),
    ({"event_type": "a.b", "surprise": 1}, "surprise"),
]


@pytest.mark.parametrize(("body", "field"), BAD_EVENTS)
async def test_a_bad_event_is_refused_by_field(audit: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    assert refused(await audit.post(EVENTS, json=body)) == (422, [field])


async def test_an_event_of_tomorrow_is_refused(audit: httpx.AsyncClient) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert refused(await audit.post(EVENTS, json={"event_type": "a.b", "occurred_at": tomorrow})) == (
        422,
        ["occurred_at"],
    )


async def test_an_unknown_severity_is_told_the_known_ones(audit: httpx.AsyncClient) -> None:
    answer = await audit.post(EVENTS, json={"event_type": "a.b", "severity": "urgent"})
    assert "'info', 'low', 'medium', 'high' or 'critical'" in answer.json()["errors"][0]["message"]


BAD_QUERIES: list[tuple[dict[str, Any], str]] = [
    ({"limit": 0}, "limit"),
    ({"limit": -1}, "limit"),
    ({"limit": 1001}, "limit"),
    ({"cursor": "nonsense"}, "cursor"),
    ({"cursor": "WzEsMl0"}, "cursor"),
    ({"event_type": "us*r"}, "event_type[0]"),
    ({"event_type": []}, "event_type"),
    ({"severity": "urgent"}, "severity[0]"),
    ({"from_date": "yesterday"}, "from_date"),
    ({"to_date": "2024-13-01"}, "to_date"),
    ({"actor": "ann"}, "actor"),
]


@pytest.mark.parametrize(("query", "field"), BAD_QUERIES)
async def test_a_bad_query_is_refused_by_field(audit: httpx.AsyncClient, query: dict[str, Any], field: str) -> None:
    assert refused(await audit.post(QUERY, json=query)) == (422, [field])


async def test_an_unknown_event_is_404(audit: httpx.AsyncClient) -> None:
    assert (await audit.get(f"{EVENTS}/aud_none")).status_code == 404


# ---- append-only


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit.events SET actor_id = 'x'", "DELETE FROM audit.events", "TRUNCATE audit.events"],
)
@pytest.mark.parametrize("role", ["app", "pump"])
async def test_no_role_of_ours_can_change_the_log(database: Database, tenant: str, statement: str, role: str) -> None:
    opened = database.begin(tenant) if role == "app" else database.begin_all()
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with opened as session:
            await (await session.connection()).execute(text(statement))


async def test_a_tenant_finds_nothing_of_another(
    audit: httpx.AsyncClient, doors: Doors, headers: Callable[..., Headers]
) -> None:
    theirs = await log(audit, "user.login", actor_id="ann")
    async with await doors.client("audit", headers(of_tenant="org_other_audit")) as other:
        assert await found(other, actor_id="ann") == []
        assert (await other.get(f"{EVENTS}/{theirs['event_id']}")).status_code == 404
        assert (await summary(other, "ann"))["total_events"] == 0
