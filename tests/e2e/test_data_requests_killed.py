"""A worker killed in the middle of an erasure: another goes on, each row counts once, each step is told once."""

from collections import Counter
from typing import Any

from tests.e2e.conftest import Stack, until

AUDIT, REQUESTS = "/api/v1/audit", "/api/v1/compliance/data-requests"
BATCHES, EACH = 12, 1000


def _approved(stack: Stack, tenant: str, kind: str) -> str:
    """The path of a request that runs from now on."""
    with stack.client("compliance", tenant=tenant, user="admin_1") as first:
        asked = first.post(REQUESTS, json={"kind": kind, "subject": "user_ann"})
        assert asked.status_code == 202, asked.text
    with stack.client("compliance", tenant=tenant, user="admin_2") as second:
        place = str(asked.headers["location"])
        assert second.post(f"{place}/approve").status_code == 202
    return place


def _events_of_ann(stack: Stack, tenant: str) -> None:
    events = [{"event_type": "file.view", "actor_id": "user_ann", "metadata": {"padding": "x" * 300}}] * EACH
    with stack.client("audit", tenant=tenant) as audit:
        for _ in range(BATCHES):
            assert audit.post(f"{AUDIT}/events/batch", json={"events": events}).status_code == 201


def _rows(request: dict[str, Any]) -> dict[str, int]:
    return {kind["kind"]: kind["rows"] for service in request["services"] for kind in service["kinds"]}


def test_an_erasure_outlives_its_worker(stack: Stack, own_tenant: str) -> None:
    _events_of_ann(stack, own_tenant)
    place = _approved(stack, own_tenant, "erase")
    with stack.client("compliance", tenant=own_tenant) as admin:

        def look() -> dict[str, Any]:
            found: dict[str, Any] = admin.get(place).json()
            return found

        until(lambda: _rows(look()).get("audit.events"), "some pages are erased")
        stack.kill("worker")
        stack.run("worker", "-m", "workers")
        until(lambda: look()["status"] == "completed", "the erasure is completed", within=90)
        assert _rows(look())["audit.events"] == BATCHES * EACH
    with stack.client("audit", tenant=own_tenant) as audit:
        left = audit.post(f"{AUDIT}/events/query", json={"actor_id": "user_ann"}).json()["items"]
        told = audit.post(f"{AUDIT}/events/query", json={"event_type": "privacy.erasure.*", "limit": 100}).json()[
            "items"
        ]
    assert left == []
    assert Counter(one["action"] for one in told) == {"requested": 1, "approved": 1, "erased": 5, "completed": 1}
