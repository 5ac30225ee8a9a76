"""What an erasure must not leave behind, even of a person whose id could be any word."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.compliance.data_requests import DataRequestActivities
from core.contracts.compliance.data_requests import (
    ARTIFACT_KEY,
    SERVICES,
    DataRequestInput,
    ExpireInput,
    RequestKind,
    RequestStatus,
    ServiceInput,
    Verb,
)
from core.contracts.platform import Service
from core.db import Database
from core.ids import new_id
from core.keys import Seals
from core.settings import Settings
from core.store.compliance import data_requests as store
from core.tables.compliance import DataRequestRow
from tests.conftest import Doors, Headers

API, AUDIT = "/api/v1/compliance", "/api/v1/audit"
TERMS = {"rules": {"pii": {"action": "review"}}, "second_reviewer": True}
Rows = list[dict[str, Any]]


@pytest.fixture
def activities(database: Database, settings: Settings) -> DataRequestActivities:
    return DataRequestActivities(database, Seals(settings.secret_key, ARTIFACT_KEY), keep_for=timedelta(days=7))


@pytest.fixture
async def ann(doors: Doors, headers: Callable[..., Headers]) -> AsyncIterator[httpx.AsyncClient]:
    async with await doors.client("compliance", headers(user="ann")) as client:
        yield client


async def asked(database: Database, tenant: str, kind: RequestKind, **more: Any) -> DataRequestInput:
    """A request about ann."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "request_id": new_id("dsr"),
        "tenant_id": tenant,
        "kind": kind,
        "status": RequestStatus.PENDING,
        "subject": "ann",
        "alias": "erased_ann",
        "email_addresses": [],
        "phone_numbers": [],
        "requested_by": "admin",
        "four_eyes": True,
        "due_at": now + timedelta(days=30),
        "created_at": now,
    }
    row = DataRequestRow(**values | more)
    async with database.begin(tenant) as session:
        assert await store.open_request(session, row)
    return DataRequestInput(tenant_id=tenant, request_id=row.request_id)


async def running(database: Database, tenant: str) -> DataRequestInput:
    request = await asked(database, tenant, RequestKind.ERASE)
    async with database.begin(tenant) as session:
        to = RequestStatus.APPROVED
        await store.decide(session, request.request_id, verb=Verb.APPROVED, to=to, by="other", note=None)
        await store.begin(session, request.request_id)
    return request


async def erase(activities: DataRequestActivities, request: DataRequestInput, *services: Service) -> None:
    for service in services or SERVICES:
        await ActivityEnvironment().run(activities.erase, ServiceInput(**request.model_dump(), service=service))


async def rows(database: Database, tenant: str, query: str) -> Rows:
    async with database.begin(tenant) as session:
        found = await (await session.connection()).execute(text(query))
        return [dict(row) for row in found.mappings()]


async def review_of(client: httpx.AsyncClient, policy: str) -> str:
    answer = await client.post(
        f"{API}/check", json={"content": "write to joe@example.com", "check_types": ["pii"], "policy": policy}
    )
    return str(answer.json()["review"]["review_id"])


# ---- policies


async def test_whom_versions_of_policies_have_told_gives_way_and_their_lists_stay(
    activities: DataRequestActivities, compliance: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    listed = [{"kind": "term", "value": "ann"}]
    first = {**TERMS, "reviewers": ["ann", "bob"], "escalate_to": ["ann"], "block_list": listed}
    assert (await compliance.post(f"{API}/policies", json={**first, "name": "terms"})).is_success
    assert (await compliance.put(f"{API}/policies/terms", json={**TERMS, "reviewers": ["bob"]})).is_success
    made = (await compliance.get(f"{API}/policies/terms/versions/1")).json()

    await erase(activities, await running(database, tenant), Service.COMPLIANCE)
    left = (await compliance.get(f"{API}/policies/terms/versions/1")).json()
    assert (set(left["reviewers"]), left["escalate_to"]) == ({"bob", "erased_ann"}, ["erased_ann"])
    told = ("reviewers", "escalate_to")
    assert {k: v for k, v in left.items() if k not in told} == {k: v for k, v in made.items() if k not in told}
    assert (await compliance.get(f"{API}/policies/terms")).json()["reviewers"] == ["bob"]


async def test_a_review_opened_after_an_erasure_tells_nobody_by_the_old_name(
    activities: DataRequestActivities, compliance: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    terms = {**TERMS, "name": "terms", "reviewers": ["ann"], "escalate_to": ["ann"]}
    assert (await compliance.post(f"{API}/policies", json=terms)).is_success
    await review_of(compliance, "terms")  # the front door knows the policy from now on
    await erase(activities, await running(database, tenant), Service.COMPLIANCE)
    await review_of(compliance, "terms")
    found = await rows(database, tenant, "SELECT reviewers, escalate_to FROM compliance.reviews")
    assert found == [{"reviewers": ["erased_ann"], "escalate_to": ["erased_ann"]}] * 2


# ---- bare words


@pytest.mark.parametrize("checked_by_ann", [True, False])
async def test_whom_steps_of_reviews_told_and_who_moved_them_give_way(
    activities: DataRequestActivities,
    compliance: httpx.AsyncClient,
    ann: httpx.AsyncClient,
    database: Database,
    tenant: str,
    checked_by_ann: bool,
) -> None:
    terms = {**TERMS, "name": "terms", "escalate_to": ["ann", "bob"]}
    assert (await compliance.post(f"{API}/policies", json=terms)).is_success
    review = await review_of(ann if checked_by_ann else compliance, "terms")
    for who, move in ((ann, "claim"), (ann, "release"), (compliance, "claim"), (compliance, "escalate")):
        assert (await who.post(f"{API}/reviews/{review}/{move}", json={})).is_success

    await erase(activities, await running(database, tenant))
    steps = await rows(database, tenant, "SELECT by, told FROM compliance.review_steps")
    assert {step["by"] for step in steps} == {None, "erased_ann", "user_123"}
    assert [step["told"] for step in steps if step["told"]] == [["erased_ann", "bob"]]
    events = await rows(database, tenant, "SELECT payload FROM event.events WHERE payload ? 'by'")
    assert {one["payload"]["by"] for one in events} == {"erased_ann", "user_123"}


# ---- files past their time


async def test_one_sweep_deletes_every_file_past_its_time(
    activities: DataRequestActivities, database: Database, tenant: str
) -> None:
    late = {"status": RequestStatus.COMPLETED, "expires_at": datetime.now(UTC) - timedelta(seconds=1)}
    for number in range(3):
        await asked(database, tenant, RequestKind.EXPORT, subject=f"user_{number}", **late)
    done = await ActivityEnvironment().run(activities.expire, ExpireInput(limit=2))
    assert done.artifacts >= 3  # another test's may be due as well
    assert await rows(database, tenant, "SELECT DISTINCT status FROM compliance.data_requests") == [
        {"status": "expired"}
    ]
