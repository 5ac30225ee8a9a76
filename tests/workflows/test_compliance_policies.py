"""A tenant's own policies in batches and in reviews: the version that was asked for judges, to the end."""

from typing import Any

import httpx
import psycopg
import pytest

from core.db import plain_url
from tests.conftest import StartWorkers
from tests.tasks import create, until
from tests.traces import stored

API = "/api/v1/compliance"
MAIL = "write to ann@example.com"


@pytest.fixture(autouse=True)
async def running(workers: StartWorkers) -> None:
    await workers("compliance")


async def made(client: httpx.AsyncClient, **settings: Any) -> None:
    answer = await client.post(f"{API}/policies", json={"name": "mine", **settings})
    assert answer.status_code == 201, answer.text


async def batch(client: httpx.AsyncClient, *contents: str, **more: Any) -> dict[str, Any]:
    items = [{"content": content} for content in contents]
    answer = await client.post(f"{API}/batch-check", json={"items": items, "check_types": ["pii"], "wait": 30, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_batch_is_judged_by_a_policy_of_the_tenants_own(compliance: httpx.AsyncClient) -> None:
    await made(compliance, rules={"pii": {"action": "block"}}, block_list=[{"kind": "term", "value": "fruit"}])
    done = await batch(compliance, MAIL, "fruit", "clean", policy="mine")
    assert [item["status"] for item in done["items"]] == ["blocked", "blocked", "passed"]
    assert (done["policy"], done["policy_version"]) == ("mine", 1)
    kept = (await compliance.get(f"{API}/checks/{done['items'][1]['check_id']}")).json()
    assert (kept["policy"], kept["reasons"]) == ("mine", ["block_list"])


async def test_a_batch_that_names_no_policy_has_its_categorys(compliance: httpx.AsyncClient) -> None:
    await made(compliance, rules={"pii": {"action": "block"}})
    assigned = {"scope": "category", "subject": "mails", "policy": "mine"}
    assert (await compliance.put(f"{API}/policy-assignments", json=assigned)).status_code == 200
    done = await batch(compliance, MAIL, category="mails")
    assert (done["policy"], done["items"][0]["status"]) == ("mine", "blocked")
    kept = (await compliance.get(f"{API}/checks/{done['items'][0]['check_id']}")).json()
    assert (kept["category"], kept["policy_source"]) == ("mails", "category")
    assert (await batch(compliance, MAIL))["policy"] == "default"


async def test_a_task_of_texts_is_judged_as_a_batch_is(
    compliance: httpx.AsyncClient, task: httpx.AsyncClient, workers: StartWorkers
) -> None:
    await workers("task")
    await made(compliance, rules={"pii": {"action": "block"}})
    payload = {"items": [{"content": MAIL}], "check_types": ["pii"], "policy": "mine"}
    asked = await create(task, type="compliance.batch_check", payload=payload)
    done = await until(task, asked["task_id"], status="completed")
    assert done["result"]["by_status"] == {"blocked": 1}


async def test_a_batch_redacts_as_its_policy_says(
    compliance: httpx.AsyncClient, database_url: str, tenant: str
) -> None:
    await made(compliance, rules={"pii": {"action": "redact", "redaction": "hash"}}, keep_redacted=True)
    first, second = (await batch(compliance, MAIL, MAIL, policy="mine"))["items"]
    redacted = first["results"]["pii"]["redacted"]
    assert redacted.startswith("write to [EMAIL:")
    assert second["results"]["pii"]["redacted"] == redacted
    single = await compliance.post(f"{API}/check", json={"content": MAIL, "check_types": ["pii"], "policy": "mine"})
    assert single.json()["results"]["pii"]["redacted"] == redacted
    assert "ann@example.com" not in stored(database_url, tenant)


async def test_a_check_uses_what_a_batch_has_found(compliance: httpx.AsyncClient) -> None:
    (item,) = (await batch(compliance, MAIL))["items"]
    body = {"content": MAIL, "check_types": ["pii"]}
    await compliance.post(f"{API}/check", json={**body, "content": "the door learns what its detector is"})
    assert (await compliance.post(f"{API}/check", json=body)).json()["cached_from"] == item["check_id"]


async def test_each_check_that_is_sent_to_review_has_its_own_with_the_policys_terms(
    compliance: httpx.AsyncClient, database_url: str, tenant: str
) -> None:
    await made(compliance, rules={"pii": {"action": "review"}}, second_reviewer=True, review_sla_minutes=30)
    body = {"content": MAIL, "check_types": ["pii"], "policy": "mine"}
    first, second = [(await compliance.post(f"{API}/check", json=body)).json() for _ in range(2)]
    assert (first["status"], second["status"], second["cached"]) == ("review", "review", True)
    assert first["review"]["review_id"] != second["review"]["review_id"]
    with psycopg.connect(plain_url(database_url)) as connection:
        query = (
            "SELECT check_id, second_reviewer, extract(epoch FROM due_at - opened_at)::int FROM compliance.reviews "
            "WHERE tenant_id = %s ORDER BY opened_at"
        )
        found = connection.execute(query, (tenant,)).fetchall()
    assert found == [(first["check_id"], True, 1800), (second["check_id"], True, 1800)]
