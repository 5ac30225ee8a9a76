"""Data-subject requests at the front door: who may ask, who may decide, who sees what."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from core.db import plain_url
from core.keys import pseudonym
from core.settings import Settings
from tests.conftest import Doors, Headers

REQUESTS = "/api/v1/compliance/data-requests"
ANN = {"kind": "export", "subject": "user_ann"}


@pytest.fixture
async def other(doors: Doors, headers: Callable[..., Headers]) -> AsyncIterator[httpx.AsyncClient]:
    """Another administrator of the same tenant."""
    async with await doors.client("compliance", headers(user="admin_2")) as client:
        yield client


@pytest.fixture
async def ann(doors: Doors, headers: Callable[..., Headers]) -> AsyncIterator[httpx.AsyncClient]:
    async with await doors.client("compliance", headers(scope="user", user="user_ann")) as client:
        yield client


async def ask(client: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    answer = await client.post(REQUESTS, json=ANN | wanted)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_request_is_accepted_and_waits_for_a_decision(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(REQUESTS, json=ANN | {"reference": "DSR-1", "reason": "by letter"})
    body = answer.json()
    assert (answer.status_code, body["status"], body["artifact"]) == (202, "pending", None)
    assert answer.headers["location"] == f"{REQUESTS}/{body['request_id']}"
    assert (body["subject"], body["reference"], body["reason"], body["four_eyes"]) == (
        *("user_ann", "DSR-1", "by letter"),
        True,
    )
    assert [one["status"] for one in body["services"]] == ["pending"] * 5
    due = datetime.fromisoformat(body["due_at"]) - datetime.now(UTC)
    assert (due.days, body["overdue"]) == (29, False)


async def test_a_request_gets_the_days_it_asks_for(compliance: httpx.AsyncClient) -> None:
    due = datetime.fromisoformat((await ask(compliance, due_days=90))["due_at"]) - datetime.now(UTC)
    assert due.days == 89


async def test_one_open_request_of_a_kind_is_enough(compliance: httpx.AsyncClient) -> None:
    first = await ask(compliance)
    again = await compliance.post(REQUESTS, json=ANN)
    assert (again.status_code, again.json()["code"]) == (409, "data_request_open")
    await ask(compliance, kind="erase")
    assert (await compliance.post(f"{REQUESTS}/{first['request_id']}/cancel")).status_code == 200
    await ask(compliance)


async def test_an_idempotency_key_asks_once(compliance: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "ask-once"}
    first = await compliance.post(REQUESTS, json=ANN, headers=key)
    second = await compliance.post(REQUESTS, json=ANN, headers=key)
    assert first.json() == second.json()


async def test_under_four_eyes_nobody_approves_their_own_request(
    compliance: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    place = f"{REQUESTS}/{(await ask(compliance))['request_id']}"
    own = await compliance.post(f"{place}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "four_eyes")
    approved = await other.post(f"{place}/approve", json={"note": "identity checked"})
    body = approved.json()
    assert (approved.status_code, approved.headers["location"]) == (202, place)
    assert (body["status"], body["decided_by"], body["note"]) == ("approved", "admin_2", "identity checked")


async def test_nobody_approves_a_request_about_themselves(
    compliance: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    place = f"{REQUESTS}/{(await ask(compliance, subject='admin_2'))['request_id']}"
    assert (await other.post(f"{place}/approve")).json()["code"] == "four_eyes"


async def test_a_decision_stands(compliance: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    place = f"{REQUESTS}/{(await ask(compliance))['request_id']}"
    rejected = await other.post(f"{place}/reject", json={"note": "not who they say"})
    assert (rejected.status_code, rejected.json()["status"]) == (200, "rejected")
    for verb in ("approve", "reject", "cancel"):
        late = await other.post(f"{place}/{verb}")
        assert (late.status_code, late.json()["code"]) == (409, "data_request_decided")


async def test_a_user_may_ask_for_an_export_of_their_own_data_only(ann: httpx.AsyncClient) -> None:
    assert (await ask(ann, subject=None))["subject"] == "user_ann"
    for refused in (
        {"kind": "erase"},
        {"kind": "export", "subject": "user_bob"},
        {"kind": "export", "email_addresses": ["bob@example.com"]},
    ):
        answer = await ann.post(REQUESTS, json=refused)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_yours")


async def test_a_user_sees_and_takes_back_only_requests_of_their_own(
    compliance: httpx.AsyncClient, ann: httpx.AsyncClient
) -> None:
    theirs, about_them = await ask(ann), await ask(compliance, kind="erase")
    assert [one["request_id"] for one in (await ann.get(REQUESTS)).json()["items"]] == [theirs["request_id"]]
    hidden = f"{REQUESTS}/{about_them['request_id']}"
    assert [(await ann.get(hidden + end)).status_code for end in ("", "/artifact")] == [404, 404]
    assert (await ann.post(f"{hidden}/cancel")).status_code == 404
    assert (await ann.post(f"{REQUESTS}/{theirs['request_id']}/approve")).status_code == 403
    cancelled = await ann.post(f"{REQUESTS}/{theirs['request_id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")


async def test_a_service_without_the_right_to_administer_sees_none_of_them(
    compliance: httpx.AsyncClient, doors: Doors, headers: Callable[..., Headers]
) -> None:
    made = await ask(compliance)
    async with await doors.client("compliance", headers(scope="service", user="svc")) as service:
        assert (await service.get(REQUESTS)).json()["items"] == []
        assert (await service.get(f"{REQUESTS}/{made['request_id']}")).status_code == 404
        assert (await service.post(REQUESTS, json=ANN)).status_code == 403


async def test_requests_are_listed_newest_first_and_found_by_what_they_are(
    compliance: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    made = [await ask(compliance, subject=f"user_{n}") for n in range(3)]
    first = (await compliance.get(REQUESTS, params={"limit": 2})).json()
    second = (await compliance.get(REQUESTS, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    listed = [one["request_id"] for one in first["items"] + second["items"]]
    assert listed == [one["request_id"] for one in made][::-1]
    assert second["next_cursor"] is None
    await other.post(f"{REQUESTS}/{listed[0]}/reject")

    async def found(**wanted: Any) -> list[str]:
        answer = await compliance.get(REQUESTS, params=wanted)
        return [one["request_id"] for one in answer.json()["items"]]

    assert await found(status="rejected") == listed[:1]
    assert await found(subject="user_1") == listed[1:2]
    assert await found(kind="erase") == []
    assert await found(overdue=True) == []
    assert await found(overdue=False) == listed


async def test_a_request_that_nobody_answers_in_time_is_overdue(
    compliance: httpx.AsyncClient, database_url: str, tenant: str
) -> None:
    made = await ask(compliance)
    with psycopg.connect(plain_url(database_url)) as connection:
        late = "UPDATE compliance.data_requests SET due_at = now() - interval '1 day' WHERE tenant_id = %s"
        connection.execute(late, (tenant,))
    assert (await compliance.get(f"{REQUESTS}/{made['request_id']}")).json()["overdue"]
    listed = (await compliance.get(REQUESTS, params={"overdue": True})).json()["items"]
    assert [one["request_id"] for one in listed] == [made["request_id"]]
    await compliance.post(f"{REQUESTS}/{made['request_id']}/cancel")
    assert not (await compliance.get(f"{REQUESTS}/{made['request_id']}")).json()["overdue"]


async def test_each_step_is_in_both_logs_and_names_the_person_by_pseudonym(
    compliance: httpx.AsyncClient, other: httpx.AsyncClient, settings: Settings, database_url: str, tenant: str
) -> None:
    made = await ask(compliance, kind="erase")
    await other.post(f"{REQUESTS}/{made['request_id']}/reject")
    alias = pseudonym(settings.secret_key, tenant, "user_ann")
    with psycopg.connect(plain_url(database_url)) as connection:
        query = (
            "SELECT event_type, actor_id, metadata->>'subject' FROM audit.events "
            "WHERE tenant_id = %s AND resource_id = %s ORDER BY seq"
        )
        entries = connection.execute(query, (tenant, made["request_id"])).fetchall()
        query = "SELECT event_type, payload->>'subject' FROM event.events WHERE tenant_id = %s ORDER BY seq"
        told = connection.execute(query, (tenant,)).fetchall()
    assert entries == [
        ("privacy.erasure.requested", "user_123", alias),
        ("privacy.erasure.rejected", "admin_2", alias),
    ]
    assert told == [
        ("compliance.data_request_requested", alias),
        ("compliance.data_request_rejected", alias),
    ]


async def test_there_is_no_file_before_the_export_is_made_and_none_of_an_erasure(
    compliance: httpx.AsyncClient,
) -> None:
    export, erasure = await ask(compliance), await ask(compliance, kind="erase")
    early = await compliance.get(f"{REQUESTS}/{export['request_id']}/artifact")
    assert (early.status_code, early.json()["code"]) == (409, "artifact_not_ready")
    none = await compliance.get(f"{REQUESTS}/{erasure['request_id']}/artifact")
    assert (none.status_code, none.json()["code"]) == (404, "no_artifact")


@pytest.mark.parametrize("verb", ["reject", "cancel"])
async def test_nobody_is_told_to_wait_for_the_file_of_a_request_that_is_over(
    compliance: httpx.AsyncClient, verb: str
) -> None:
    place = f"{REQUESTS}/{(await ask(compliance))['request_id']}"
    assert (await compliance.post(f"{place}/{verb}")).status_code == 200
    none = await compliance.get(f"{place}/artifact")
    assert (none.status_code, none.json()["code"]) == (404, "no_artifact")
    assert "retry-after" not in none.headers


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"kind": "forget"}, "kind"),
        ({"subject": ""}, "subject"),
        ({"due_days": 0}, "due_days"),
        ({"due_days": 91}, "due_days"),
        ({"email_addresses": ["a@b.example"] * 21}, "email_addresses"),
        ({"phone_numbers": ["1"]}, "phone_numbers"),
        ({"reason": "x" * 2001}, "reason"),
        ({"everything": True}, "everything"),
    ],
)
async def test_a_request_that_cannot_be_is_refused_by_field(
    compliance: httpx.AsyncClient, wanted: dict[str, Any], named: str
) -> None:
    answer = await compliance.post(REQUESTS, json=ANN | wanted)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]
