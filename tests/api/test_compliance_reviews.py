"""The review queue at the front door: opened by checks, claimed, decided, escalated, listed, counted, exported."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlmodel import select

from core.contracts.compliance import Check, CheckRecord, CheckStatus, RiskLevel
from core.contracts.compliance.reviews import review_start_id
from core.db import Database, plain_url
from core.ids import new_id
from core.store import compliance as checks
from core.store.compliance import reviews as store
from core.tables.platform import IntentRow
from tests.conftest import Doors, Headers, StartWorkers, eventually

API = "/api/v1/compliance"
PERSONAL = "Write to ann@example.com"
TERMS: dict[str, Any] = {"rules": {"pii": {"action": "review"}}, "keep_redacted": True, "cache_seconds": 0}
OpenAs = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def reviewer(doors: Doors, headers: Callable[..., Headers]) -> AsyncIterator[OpenAs]:
    """`await reviewer("ann")`: a user who may review, and nothing else that users may not."""
    async with AsyncExitStack() as stack:

        async def opened(user: str) -> httpx.AsyncClient:
            may = ["compliance:read", "compliance:write", "compliance:review"]
            client = await doors.client("compliance", headers(scope="user", user=user, permissions=may))
            return await stack.enter_async_context(client)

        yield opened


async def with_policy(compliance: httpx.AsyncClient, **more: Any) -> str:
    name = new_id("pol").replace("_", "-")
    answer = await compliance.post(f"{API}/policies", json={"name": name, **TERMS, **more})
    assert answer.status_code == 201, answer.text
    return name


async def check(client: httpx.AsyncClient, policy: str, text: str = PERSONAL) -> dict[str, Any]:
    answer = await client.post(f"{API}/check", json={"content": text, "check_types": ["pii"], "policy": policy})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def opened(compliance: httpx.AsyncClient, **terms: Any) -> str:
    made = await check(compliance, await with_policy(compliance, **terms))
    assert made["status"] == "review"
    review_id: str = made["review"]["review_id"]
    return review_id


async def move(client: httpx.AsyncClient, review_id: str, action: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/reviews/{review_id}/{action}", json=body)
    assert answer.status_code == 200, answer.text
    review: dict[str, Any] = answer.json()
    return review


async def refused(client: httpx.AsyncClient, review_id: str, action: str, **body: Any) -> tuple[int, str]:
    answer = await client.post(f"{API}/reviews/{review_id}/{action}", json=body)
    return answer.status_code, answer.json()["code"]


async def listed(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get(f"{API}/reviews", params=query)
    assert answer.status_code == 200, answer.text
    return [item["review_id"] for item in answer.json()["items"]]


async def events_of(database: Database, tenant: str, table: str = "event.events") -> list[str]:
    async with database.begin(tenant) as session:
        query = text(f"SELECT event_type FROM {table} WHERE event_type LIKE 'compliance.review%' ORDER BY seq")
        return [row[0] for row in await (await session.connection()).execute(query)]


# ---- opened


async def test_a_check_that_a_policy_sends_to_review_opens_one(compliance: httpx.AsyncClient) -> None:
    made = await check(compliance, await with_policy(compliance))
    assert made["review"] == {
        "review_id": f"review_{made['check_id'].partition('_')[2]}", "status": "open", "decision": None,
    }  # fmt: skip
    kept = (await compliance.get(f"{API}/checks/{made['check_id']}")).json()
    assert kept["review"] == made["review"]


async def test_a_check_without_a_review_names_none(compliance: httpx.AsyncClient) -> None:
    made = await check(compliance, "default")
    assert made["review"] is None
    assert await listed(compliance) == []


async def test_a_check_under_a_key_opens_its_review_once(compliance: httpx.AsyncClient) -> None:
    body = {"content": PERSONAL, "check_types": ["pii"], "policy": await with_policy(compliance)}
    key = {"Idempotency-Key": "one"}
    first, second = [(await compliance.post(f"{API}/check", json=body, headers=key)).json() for _ in range(2)]
    assert first["review"] == second["review"]
    assert await listed(compliance) == [first["review"]["review_id"]]


async def test_the_items_of_a_batch_open_their_reviews(compliance: httpx.AsyncClient, workers: StartWorkers) -> None:
    await workers("compliance")
    policy = await with_policy(compliance)
    items = [{"content": PERSONAL}, {"content": "nothing"}, {"content": "bob@example.com"}]
    body = {"items": items, "check_types": ["pii"], "policy": policy, "wait": 30}
    done = (await compliance.post(f"{API}/batch-check", json=body)).json()
    assert [item["status"] for item in done["items"]] == ["review", "passed", "review"]
    asked = {f"review_{done['items'][n]['check_id'].partition('_')[2]}" for n in (0, 2)}
    assert set(await listed(compliance)) == asked


async def test_a_review_shows_findings_redacted_text_and_where_it_waits(compliance: httpx.AsyncClient) -> None:
    review_id = await opened(compliance, review_sla_minutes=240)
    review = (await compliance.get(f"{API}/reviews/{review_id}")).json()
    assert review["results"]["pii"]["redacted"] == "Write to [EMAIL]"
    assert review["workflow_id"] == f"compliance.review:{review_id}"
    assert review["workflow_url"].endswith(f"compliance.review%3A{review_id}")
    assert (review["status"], review["decision"], review["overdue"]) == ("open", None, False)
    assert [step["kind"] for step in review["steps"]] == ["opened"]


async def test_where_the_policy_keeps_nothing_there_is_no_text_to_see(compliance: httpx.AsyncClient) -> None:
    review_id = await opened(compliance, keep_redacted=False)
    review = (await compliance.get(f"{API}/reviews/{review_id}")).json()
    assert "redacted" not in review["results"]["pii"]


# ---- claimed


async def test_a_review_is_claimed_once(compliance: httpx.AsyncClient, reviewer: OpenAs) -> None:
    review_id, ann, bob = await opened(compliance), await reviewer("ann"), await reviewer("bob")
    review = await move(ann, review_id, "claim")
    assert (review["status"], review["claimed_by"]) == ("claimed", "ann")
    assert await refused(bob, review_id, "claim") == (409, "review_claimed")
    assert await refused(ann, review_id, "claim") == (409, "review_claimed")


async def test_a_released_review_is_free_again(compliance: httpx.AsyncClient, reviewer: OpenAs) -> None:
    review_id, ann, bob = await opened(compliance), await reviewer("ann"), await reviewer("bob")
    await move(ann, review_id, "claim")
    assert await refused(bob, review_id, "release") == (409, "review_not_yours")
    assert (await move(ann, review_id, "release"))["status"] == "open"
    assert (await move(bob, review_id, "claim"))["claimed_by"] == "bob"


async def test_an_administrator_gives_back_what_somebody_holds_and_nothing_else(
    compliance: httpx.AsyncClient, reviewer: OpenAs
) -> None:
    review_id, ann = await opened(compliance), await reviewer("ann")
    assert await refused(compliance, review_id, "release") == (409, "review_not_claimed")
    await move(ann, review_id, "claim")
    steps = (await move(compliance, review_id, "release"))["steps"]
    assert [step["kind"] for step in steps] == ["opened", "claimed", "released"]


async def test_an_expired_claim_holds_nobody_off(
    compliance: httpx.AsyncClient, reviewer: OpenAs, database_url: str
) -> None:
    review_id, ann, bob = await opened(compliance), await reviewer("ann"), await reviewer("bob")
    await move(ann, review_id, "claim")
    with psycopg.connect(plain_url(database_url), autocommit=True) as connection:
        connection.execute(
            "UPDATE compliance.reviews SET claim_expires_at = now() - interval '1 second' WHERE review_id = %s",
            (review_id,),
        )
    assert await refused(ann, review_id, "approve") == (409, "review_not_claimed")
    review = await move(bob, review_id, "claim")
    assert [step["kind"] for step in review["steps"]] == ["opened", "claimed", "claim_expired", "claimed"]


# ---- decided


@pytest.mark.parametrize(("action", "decision"), [("approve", "approved"), ("reject", "rejected")])
async def test_whoever_holds_the_claim_decides(
    compliance: httpx.AsyncClient, reviewer: OpenAs, database: Database, tenant: str, action: str, decision: str
) -> None:
    made = await check(compliance, await with_policy(compliance))
    review_id, ann, bob = made["review"]["review_id"], await reviewer("ann"), await reviewer("bob")
    assert await refused(ann, review_id, action) == (409, "review_not_claimed")
    await move(ann, review_id, "claim")
    assert await refused(bob, review_id, action) == (409, "review_not_yours")
    review = await move(ann, review_id, action, note="seen")
    assert (review["status"], review["decision"], review["decided_by"]) == (decision, decision, "ann")
    assert review["steps"][-1]["note"] == "seen"
    assert await refused(ann, review_id, action) == (409, "review_decided")
    kept = (await compliance.get(f"{API}/checks/{made['check_id']}")).json()
    assert (kept["status"], kept["review"]["decision"]) == ("review", decision)
    assert await events_of(database, tenant) == [
        "compliance.review_opened", "compliance.review_claimed", f"compliance.review_{decision}",
    ]  # fmt: skip
    assert await events_of(database, tenant, "audit.events") == [f"compliance.review_{decision}"]


async def test_an_administrator_decides_without_a_claim(compliance: httpx.AsyncClient, reviewer: OpenAs) -> None:
    review_id = await opened(compliance)
    await move(await reviewer("ann"), review_id, "claim")
    assert (await move(compliance, review_id, "approve"))["decided_by"] == "user_123"


async def test_nobody_reviews_their_own_text(compliance: httpx.AsyncClient, reviewer: OpenAs) -> None:
    ann = await reviewer("ann")
    review_id = (await check(ann, await with_policy(compliance)))["review"]["review_id"]
    assert await refused(ann, review_id, "claim") == (403, "own_text")


async def test_two_people_must_agree_where_the_policy_says_so(compliance: httpx.AsyncClient, reviewer: OpenAs) -> None:
    review_id, ann, bob = await opened(compliance, second_reviewer=True), await reviewer("ann"), await reviewer("bob")
    await move(ann, review_id, "claim")
    assert (await move(ann, review_id, "reject"))["status"] == "open"
    assert await refused(ann, review_id, "claim") == (409, "review_voted")
    await move(bob, review_id, "claim")
    review = await move(bob, review_id, "reject")
    assert (review["status"], [vote["by"] for vote in review["votes"]]) == ("rejected", ["ann", "bob"])


async def test_disagreement_escalates_and_a_third_person_settles_it(
    compliance: httpx.AsyncClient, reviewer: OpenAs, database: Database, tenant: str
) -> None:
    review_id = await opened(compliance, second_reviewer=True, escalate_to=["head"])
    for person, action in (("ann", "reject"), ("bob", "approve")):
        client = await reviewer(person)
        await move(client, review_id, "claim")
        review = await move(client, review_id, action)
    assert (review["status"], review["steps"][-1]["kind"]) == ("open", "escalated")
    assert review["steps"][-1]["told"] == ["head"]
    assert "compliance.review_escalated" in await events_of(database, tenant)
    cid = await reviewer("cid")
    await move(cid, review_id, "claim")
    assert (await move(cid, review_id, "approve"))["status"] == "approved"


async def test_a_second_reviewer_can_be_asked_for(
    compliance: httpx.AsyncClient, notification: httpx.AsyncClient, reviewer: OpenAs, workers: StartWorkers
) -> None:
    await workers("platform", "notification")
    review_id = await opened(compliance, escalate_to=["head"])
    ann, bob = await reviewer("ann"), await reviewer("bob")
    await move(ann, review_id, "claim")
    review = await move(ann, review_id, "escalate", note="not sure", second_reviewer=True)
    assert (review["status"], review["second_reviewer"]) == ("open", True)
    assert review["escalated_at"]
    await move(bob, review_id, "claim")
    assert (await move(bob, review_id, "approve"))["status"] == "open"

    async def told() -> bool:
        inbox = (await notification.get("/api/v1/notifications/in-app/head")).json()["items"]
        return any(item["subject"] == "A review was escalated" and review_id in item["body"] for item in inbox)

    assert await eventually(told, within=40)


async def test_of_many_who_claim_at_once_one_gets_it(compliance: httpx.AsyncClient, reviewer: OpenAs) -> None:
    review_id = await opened(compliance)
    people = [await reviewer(f"user_{n}") for n in range(8)]
    answers = await asyncio.gather(*(one.post(f"{API}/reviews/{review_id}/claim") for one in people))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


# ---- who may


async def test_the_queue_is_for_reviewers(
    compliance: httpx.AsyncClient, doors: Doors, headers: Callable[..., Headers]
) -> None:
    review_id = await opened(compliance)
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        for path in ("/reviews", f"/reviews/{review_id}", "/reviews/stats", "/reviews/labels"):
            answer = await ann.get(API + path)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
        assert await refused(ann, review_id, "claim") == (403, "permission_missing")


async def test_another_tenants_review_is_not_there(
    compliance: httpx.AsyncClient, doors: Doors, headers: Callable[..., Headers]
) -> None:
    review_id = await opened(compliance)
    async with await doors.client("compliance", headers(of_tenant=new_id("org"))) as stranger:
        assert (await stranger.get(f"{API}/reviews/{review_id}")).status_code == 404
        assert await refused(stranger, review_id, "claim") == (404, "review_not_found")
        assert await listed(stranger) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"note": "x" * 2001}, "note"),
        ({"labels": {"sarcasm": True}}, "labels.sarcasm"),
        ({"labels": {"toxicity": True}}, "labels.toxicity"),
        ({"verdict": "fine"}, "verdict"),
    ],
)
async def test_a_decision_that_breaks_a_rule_is_refused_and_changes_nothing(
    compliance: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    review_id = await opened(compliance)
    answer = await compliance.post(f"{API}/reviews/{review_id}/approve", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert (await compliance.get(f"{API}/reviews/{review_id}")).json()["status"] == "open"


# ---- lists, figures, labels


async def test_reviews_are_filtered_and_paged(compliance: httpx.AsyncClient, reviewer: OpenAs) -> None:
    policy, ann = await with_policy(compliance), await reviewer("ann")
    ids = [(await check(compliance, policy, f"{PERSONAL} {n}"))["review"]["review_id"] for n in range(4)]
    await move(ann, ids[0], "claim")
    await move(compliance, ids[1], "reject")
    assert await listed(compliance) == ids[::-1]
    assert await listed(compliance, status="claimed") == [ids[0]]
    assert await listed(compliance, claimed_by="ann") == [ids[0]]
    assert await listed(compliance, status="rejected", check_type="pii") == [ids[1]]
    assert await listed(compliance, check_type="spam") == []
    assert await listed(compliance, overdue="true") == []
    assert await listed(compliance, due_first="true") == [ids[0], ids[2], ids[3]]
    for order in ("false", "true"):
        seen, cursor = [], None
        while True:
            query = {"limit": 2, "due_first": order} | ({"cursor": cursor} if cursor else {})
            page = (await compliance.get(f"{API}/reviews", params=query)).json()
            seen += [item["review_id"] for item in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert seen == await listed(compliance, due_first=order)


async def test_figures_tell_how_right_each_detector_was(compliance: httpx.AsyncClient) -> None:
    policy = await with_policy(compliance)
    ids = [(await check(compliance, policy, f"{PERSONAL} {n}"))["review"]["review_id"] for n in range(5)]
    await move(compliance, ids[0], "reject")
    await move(compliance, ids[1], "reject")
    await move(compliance, ids[2], "approve")
    await move(compliance, ids[3], "approve", labels={"pii": True})
    found = (await compliance.get(f"{API}/reviews/stats")).json()
    assert {name: found[name] for name in ("waiting", "overdue", "opened", "decided", "approved", "rejected")} == {
        "waiting": 1, "overdue": 0, "opened": 5, "decided": 4, "approved": 2, "rejected": 2,
    }  # fmt: skip
    (detector,) = found["detectors"]
    assert (detector["check_type"], detector["precision"]) == ("pii", 0.75)
    assert (detector["confirmed"], detector["false_positives"]) == (3, 1)
    assert found["median_minutes"] is not None
    nothing = (await compliance.get(f"{API}/reviews/stats", params={"to": "2020-01-01"})).json()
    assert (nothing["decided"], nothing["waiting"], nothing["detectors"]) == (0, 1, [])


async def test_labels_come_as_lines_of_json(
    compliance: httpx.AsyncClient, database: Database, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.compliance.reviews.EXPORTED_AT_ONCE", 2)
    policy = await with_policy(compliance)
    made = [await check(compliance, policy, f"{PERSONAL} {n}") for n in range(3)]
    await move(compliance, made[0]["review"]["review_id"], "reject")
    await move(compliance, made[1]["review"]["review_id"], "approve")
    await move(compliance, made[2]["review"]["review_id"], "approve", labels={"pii": True})
    answer = await compliance.get(f"{API}/reviews/labels")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["check_id"], line["right"], line["label"], line["given"]) for line in lines] == [
        (made[0]["check_id"], True, 1, False),
        (made[1]["check_id"], False, 0, False),
        (made[2]["check_id"], True, 1, True),
    ]
    assert lines[0]["redacted"] == "Write to [EMAIL] 0"
    assert (lines[0]["detector"], lines[0]["decision"], lines[0]["decided_by"]) == (
        made[0]["results"]["pii"]["detector"], "rejected", "user_123",
    )  # fmt: skip
    assert (await compliance.get(f"{API}/reviews/labels", params={"to": "2020-01-01"})).text == ""
    logged = await events_of(database, tenant, "audit.events")
    assert logged.count("compliance.review_labels_exported") == 2


# ---- Temporal is away


async def test_a_decision_before_the_workflow_began_takes_the_promise_back(
    compliance: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    """As for the thousands that one batch opens: what is decided first needs no workflow."""
    made = Check(
        check_id=new_id("chk"), status=CheckStatus.REVIEW, risk_level=RiskLevel.HIGH, results={},
        policy="chat", policy_version=1,
        content_type="text", content_hash="x", content_length=1, checked_by="bob", created_at=datetime.now(UTC),
    )  # fmt: skip
    record = CheckRecord(check=made, keep_redacted=False)
    async with database.begin(tenant) as session:
        await checks.record(session, tenant, [record])
    assert record.start is not None
    review_id = record.start.payload["review_id"]
    assert record.start.intent_id == review_start_id(review_id)
    await move(compliance, review_id, "approve")
    async with database.begin(tenant) as session:
        promised = (await session.exec(select(IntentRow.intent_id))).all()
        assert record.start.intent_id not in promised
        assert await store.waiting_now(session) == 0
