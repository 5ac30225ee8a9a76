"""One person's data in all five services: handed out, erased, and then nowhere any more."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from core.db import plain_url
from core.ids import new_id
from core.keys import pseudonym
from core.settings import SERVICES, ServiceName, Settings
from tests.conftest import Doors, Headers, StartWorkers, eventually

V1 = "/api/v1"
REQUESTS = f"{V1}/compliance/data-requests"
PERIOD = {"period_start": "2024-01-01", "period_end": "2033-12-31", "include_details": True}
PHONE = "+491701234567"
Clients = dict[ServiceName, httpx.AsyncClient]


@dataclass
class Person:
    """Somebody, with the five doors as they see them, as a user and as staff, and as two administrators do."""

    user_id: str
    email: str
    own: Clients = field(default_factory=dict)
    staff: Clients = field(default_factory=dict)
    admin: Clients = field(default_factory=dict)
    second: Clients = field(default_factory=dict)


@pytest.fixture
async def person(doors: Doors, headers: Callable[..., Headers], workers: StartWorkers) -> AsyncIterator[Person]:
    await workers(*SERVICES, "platform")
    word = new_id("p").removeprefix("p_")
    made = Person(f"user_{word}", f"{word}@example.com")
    for name in SERVICES:
        made.own[name] = await doors.client(name, headers(scope="user", user=made.user_id))
        made.staff[name] = await doors.client(name, headers(user=made.user_id))
        made.admin[name] = await doors.client(name, headers(user="admin_1"))
        made.second[name] = await doors.client(name, headers(user="admin_2"))
    yield made
    for clients in (made.own, made.staff, made.admin, made.second):
        for client in clients.values():
            await client.aclose()


async def post(client: httpx.AsyncClient, path: str, body: Any, method: str = "POST") -> dict[str, Any]:
    answer = await client.request(method, path, json=body)
    assert answer.is_success, f"{path}: {answer.text}"
    made: dict[str, Any] = answer.json()
    return made


async def leave_traces(who: Person) -> None:
    """Rows in every service, by the person and about them, some of them still under way."""
    await _in_the_logs(who)
    await _as_staff(who)
    await _messages(who)
    own, admin = who.own, who.admin
    later = {"name": f"for {who.email}", "type": "own.type", "payload": {"mail": who.email}}
    await post(own["task"], f"{V1}/tasks", later)
    await post(own["task"], f"{V1}/tasks", later | {"scheduled_at": "2099-01-01T00:00:00Z"})
    about = {"name": "review", "type": "own.type", "payload": {"user_id": who.user_id, "left": 1}}
    await post(admin["task"], f"{V1}/tasks", about)
    checks = f"{V1}/compliance"
    await post(own["compliance"], f"{checks}/check", {"content": f"I am {who.email}", "policy": "chat"})
    items = {"items": [{"id": who.email, "content": "x"}], "check_types": ["pii"]}
    await post(own["compliance"], f"{checks}/batch-check", items)
    await post(own["compliance"], f"{checks}/reports", {"report_type": "pii_summary", "period": "monthly"})
    detailed = {"report_type": "pii_summary", "period": "monthly", "include_details": True}
    report = await post(admin["compliance"], f"{checks}/reports", detailed)
    await _until(admin["compliance"], f"{checks}/reports/{report['report_id']}", "completed")


async def _in_the_logs(who: Person) -> None:
    own, admin = who.own, who.admin
    login = {"event_type": "user.login", "metadata": {"ip": "192.0.2.1", "mail": who.email}}
    await post(own["audit"], f"{V1}/audit/events", login)
    changed = {"event_type": "user.update", "resource_type": "user", "resource_id": who.user_id}
    await post(admin["audit"], f"{V1}/audit/events", changed | {"metadata": {"new": {"email": who.email}}})
    named = {"event_type": "file.share", "metadata": {"shared_with": [who.user_id]}}
    await post(admin["audit"], f"{V1}/audit/events", named)
    alert = {"alert_type": "odd", "severity": "high", "user_id": who.user_id, "description": f"{who.email} from afar"}
    raised = await post(admin["audit"], f"{V1}/audit/security/alerts", alert)
    move = {"status": "investigating", "note": f"called {PHONE}"}
    await post(admin["audit"], f"{V1}/audit/security/alerts/{raised['alert_id']}", move, "PATCH")
    report = await post(admin["audit"], f"{V1}/audit/compliance/reports", {"standard": "GDPR", **PERIOD})
    await _until(admin["audit"], f"{V1}/audit/compliance/reports/{report['report_id']}", "completed")
    signup = {"event_type": "user.signup", "payload": {"mail": who.email, "phone": PHONE}}
    await post(own["event"], f"{V1}/events", signup)
    invited = {"event_type": "user.invited", "payload": {"userId": who.user_id, "plan": "free"}}
    await post(admin["event"], f"{V1}/events", invited)


async def _as_staff(who: Person) -> None:
    """What they set up for the tenant."""
    staff = who.staff
    replay = {"from_timestamp": "2024-01-01", "to_timestamp": "2024-01-02", "target_stream": "s", "event_types": ["a"]}
    await post(staff["event"], f"{V1}/events/replay", replay)
    hook = {"event_types": ["a.b"], "delivery_type": "webhook", "webhook_url": "http://127.0.0.1:9/hook"}
    await post(staff["event"], f"{V1}/subscriptions", hook)
    template = {"name": new_id("t"), "type": "in_app", "subject": "s", "body": "b", "variables": []}
    await post(staff["notification"], f"{V1}/notifications/templates", template)
    await post(staff["audit"], f"{V1}/audit/compliance/reports", {"standard": "GDPR", **PERIOD})
    raised = {"alert_type": "odd", "severity": "low", "description": "somebody else's"}
    alert = await post(staff["audit"], f"{V1}/audit/security/alerts", raised)
    move = {"status": "resolved", "note": f"by {who.user_id}"}
    await post(staff["audit"], f"{V1}/audit/security/alerts/{alert['alert_id']}", move, "PATCH")
    await post(staff["compliance"], f"{V1}/compliance/reports", {"report_type": "pii_summary", "period": "daily"})
    await _reviews(who)


async def _reviews(who: Person) -> None:
    """A policy of theirs, and a draft of others that has them told; a text of theirs that others review, and one of
    others that they review."""
    door, name = f"{V1}/compliance", new_id("policy")
    await post(who.staff["compliance"], f"{door}/policies", {"name": name, "rules": {"pii": {"action": "review"}}})
    telling = {"reviewers": [who.user_id], "escalate_to": ["user_bob", who.user_id]}
    await post(who.admin["compliance"], f"{door}/rescores", {"draft": telling})
    await post(who.staff["compliance"], f"{door}/rescores", {"draft": {"reviewers": ["user_bob"]}})
    mine = {"scope": "caller", "subject": who.user_id, "policy": name}
    await post(who.staff["compliance"], f"{door}/policy-assignments", mine, "PUT")
    await post(who.staff["compliance"], f"{door}/rescores", {"policy": name})
    asked = {"content": f"write to {who.email}", "check_types": ["pii"], "policy": name}
    for author, reviewer in ((who.own, who.admin), (who.admin, who.staff)):
        check = await post(author["compliance"], f"{door}/check", asked)
        review = f"{door}/reviews/{check['review']['review_id']}"
        await post(reviewer["compliance"], f"{review}/claim", {})
        await post(reviewer["compliance"], f"{review}/reject", {"note": f"{who.email} again"})


async def _messages(who: Person) -> None:
    door, mine = f"{V1}/notifications", who.own["notification"]
    addresses = {"email": who.email, "phone": PHONE}
    await post(mine, f"{door}/recipients/{who.user_id}", addresses, "PUT")
    device = {"device_token": f"token-{who.user_id}", "platform": "ios", "device_id": "d1"}
    await post(mine, f"{door}/push/subscribe", device)
    name = new_id("t")
    template = {"name": name, "type": "in_app", "subject": "Hello", "body": "Dear {{who}}", "variables": ["who"]}
    await post(who.admin["notification"], f"{door}/templates", template)
    send = {"user_id": who.user_id, "template_id": name, "channels": ["in_app"], "variables": {"who": who.email}}
    sent = await post(who.admin["notification"], f"{door}/send", send)
    await _until(who.admin["notification"], f"{door}/{sent['notification_id']}", "delivered")
    many = {"template_id": name, "user_ids": [who.user_id, "user_bob"], "variables": {"who": "all"}}
    await post(who.admin["notification"], f"{door}/batch", many)


async def _until(client: httpx.AsyncClient, path: str, status: str) -> dict[str, Any]:
    last: dict[str, Any] = {}

    async def probe() -> bool:
        last.update((await client.get(path)).json())
        return last.get("status") == status

    try:
        await eventually(probe, within=120)
    except AssertionError as error:
        raise AssertionError(f"{path} is not {status}: {json.dumps(last)}") from error
    return last


async def carried_out(who: Person, kind: str) -> dict[str, Any]:
    """A request about this person, asked for by one administrator and approved by another."""
    body = {"kind": kind, "subject": who.user_id, "email_addresses": [who.email], "phone_numbers": [PHONE]}
    body |= {"reason": f"{who.email} wrote to us", "reference": "DSR-1"}
    made = await post(who.admin["compliance"], REQUESTS, body)
    place = f"{REQUESTS}/{made['request_id']}"
    await post(who.second["compliance"], f"{place}/approve", {"note": f"checked {who.email}"})
    return await _until(who.admin["compliance"], place, "completed")


def traces(url: str, tenant: str, *words: str) -> dict[str, str]:
    """Every table that still holds one of these words anywhere in a row of the tenant, with such a row."""
    found = {}
    with psycopg.connect(plain_url(url)) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name = 'tenant_id' "
            "AND table_schema IN ('audit', 'notification', 'task', 'compliance', 'event')"
        ).fetchall()
        for schema, table in tables:
            query = sql.SQL(
                "SELECT to_jsonb(t)::text FROM {} t WHERE tenant_id = %s AND to_jsonb(t)::text ILIKE ANY (%s)"
            ).format(sql.Identifier(schema, table))
            row = connection.execute(query, (tenant, [f"%{word}%" for word in words])).fetchone()
            if row:
                found[f"{schema}.{table}"] = row[0]
    return found


async def test_a_person_is_handed_out_then_erased_and_nothing_is_left(
    person: Person, database_url: str, tenant: str, settings: Settings
) -> None:
    await leave_traces(person)
    before = traces(database_url, tenant, person.user_id, person.email, PHONE)

    exported = await carried_out(person, "export")
    file = await person.admin["compliance"].get(f"{REQUESTS}/{exported['request_id']}/artifact")
    kinds = {json.loads(line)["kind"].removesuffix(".mentions") for line in file.text.splitlines()}
    counters_and_reports = {"audit.reports", "audit.report_documents", "compliance.data_request_steps"}
    assert set(before) - counters_and_reports <= kinds
    assert person.email in file.text
    assert "user_bob" not in file.text
    assert "admin_1" not in file.text

    erased = await carried_out(person, "erase")
    assert traces(database_url, tenant, person.user_id, person.email, PHONE) == {}
    alias = pseudonym(settings.secret_key, tenant, person.user_id)
    assert (erased["subject"], erased["reference"]) == (alias, "DSR-1")
    assert (erased["email_addresses"], erased["phone_numbers"], erased["reason"], erased["note"]) == (
        [],
        [],
        None,
        None,
    )
    deeds = {kind["kind"]: kind for service in erased["services"] for kind in service["kinds"]}
    assert deeds["notification.recipients"]["deed"] == "deleted"
    assert deeds["audit.events"]["deed"] == "pseudonymised"
    assert "17(3)" in deeds["audit.events"]["kept"]
    assert {service["status"] for service in erased["services"]} == {"completed"}


async def test_after_an_erasure_what_must_stay_still_reads(person: Person) -> None:
    await leave_traces(person)
    erased = await carried_out(person, "erase")
    alias, admin = erased["subject"], person.admin
    log = await post(admin["audit"], f"{V1}/audit/events/query", {"actor_id": alias})
    logged = {one["event_type"]: one["metadata"] for one in log["items"]}
    assert logged["user.login"] == {"erased_by": erased["request_id"]}
    tasks = (await admin["task"].get(f"{V1}/tasks?status=cancelled")).json()["items"]
    assert {one["status"] for one in tasks} == {"cancelled"}
    assert len(tasks) == 2  # open ones were ended first
    checks = (await admin["compliance"].get(f"{V1}/compliance/checks?checked_by={alias}")).json()["items"]
    assert len(checks) == 3
    for path in ("audit/compliance/reports", "compliance/reports", "events", "notifications", "audit/security/alerts"):
        service: ServiceName = "event" if path == "events" else "notification" if path == "notifications" else "audit"
        service = "compliance" if path == "compliance/reports" else service
        answer = await admin[service].get(f"{V1}/{path}")
        assert answer.status_code == 200, f"{path}: {answer.text}"
        assert answer.json()["items"], path


async def test_an_erased_person_is_found_by_who_they_were(person: Person) -> None:
    erased = await carried_out(person, "erase")
    found = (await person.admin["compliance"].get(REQUESTS, params={"subject": person.user_id})).json()["items"]
    assert [one["request_id"] for one in found] == [erased["request_id"]]


async def test_an_erasure_takes_earlier_exports_along(person: Person) -> None:
    exported = await carried_out(person, "export")
    await carried_out(person, "erase")
    place = f"{REQUESTS}/{exported['request_id']}"
    assert (await person.admin["compliance"].get(f"{place}/artifact")).status_code == 410
    assert (await person.admin["compliance"].get(place)).json()["status"] == "expired"
