"""Every endpoint, tried with another tenant's token and with another user's: nothing is told, nothing is changed."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from api.__main__ import door
from api.app import create_app
from core.ids import new_id
from core.settings import SERVICES, ServiceName, Settings
from tests.e2e.conftest import Stack, until

OWNER, OTHER_USER = "user_owner", "user_other"
AUDIT, NOTIFY, TASKS = "/api/v1/audit", "/api/v1/notifications", "/api/v1/tasks"
COMPLIANCE, EVENTS, SUBSCRIPTIONS = "/api/v1/compliance", "/api/v1/events", "/api/v1/subscriptions"
# What a tenant's users share: reading these is no leak between them.
SHARED_IN_TENANT = (f"{NOTIFY}/templates", f"{COMPLIANCE}/policies", f"{COMPLIANCE}/policy-assignments")
# Valid bodies for operations on a thing, so that a refusal is for its owner's sake and not for a bad body.
BODIES: dict[str, Any] = {
    f"PATCH {AUDIT}/security/alerts/{{alert_id}}": {"status": "investigating"},
    f"POST {TASKS}/{{task_id}}/executions/{{execution_id}}/start": {"worker": "intruder", "attempt": 1},
    f"POST {TASKS}/{{task_id}}/executions/{{execution_id}}/progress": {"percent": 50},
    f"POST {TASKS}/{{task_id}}/executions/{{execution_id}}/result": {"result": {}},
    f"POST {TASKS}/{{task_id}}/executions/{{execution_id}}/error": {
        "code": "x", "message": "x", "retryable": False, "attempt": 1,
    },
    f"PATCH {SUBSCRIPTIONS}/{{subscription_id}}": {"status": "paused"},
    f"PUT {COMPLIANCE}/policies/{{name}}": {"description": "x"},
    f"POST {COMPLIANCE}/reviews/{{review_id}}/approve": {},
    f"POST {COMPLIANCE}/reviews/{{review_id}}/reject": {},
    f"POST {COMPLIANCE}/reviews/{{review_id}}/escalate": {},
    f"PUT {NOTIFY}/templates/{{template}}": {"subject": "x", "body": "x"},
    f"POST {NOTIFY}/templates/{{template}}/render": {"variables": {}},
    f"PUT {NOTIFY}/recipients/{{user_id}}": {"email": "intruder@example.com"},
}  # fmt: skip


class Operation(NamedTuple):
    service: ServiceName
    method: str
    path: str


def _operations() -> list[Operation]:
    unused = Settings.model_validate({"secret_key": "not used, only the document is read"})
    return [
        Operation(name, method.upper(), path)
        for name in SERVICES
        for path, methods in create_app(door(name), unused).openapi()["paths"].items()
        for method in methods
        if path.startswith("/api/")
    ]


OPERATIONS = _operations()
ON_A_THING = [op for op in OPERATIONS if "{" in op.path]
LISTS = [op for op in OPERATIONS if op.method == "GET" and "{" not in op.path]


class Owned(NamedTuple):
    """Somebody's things of every kind, all holding one marker."""

    tenant: str
    marker: str
    ids: dict[str, str]


def _make(stack: Stack) -> Owned:
    tenant, marker = new_id("org"), new_id("marker")
    whose = {"tenant": tenant, "user": OWNER}
    ids: dict[str, str] = {}

    def post(service: ServiceName, path: str, body: Any) -> dict[str, Any]:
        with stack.client(service, **whose) as client:
            answer = client.post(path, json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        ids.update({f"{service}.{name}": value for name, value in made.items() if name.endswith("_id") and value})
        return made

    period = {"period_start": "2024-01-01", "period_end": "2024-01-31"}
    post(
        "audit",
        f"{AUDIT}/security/alerts",
        {"alert_type": "a", "severity": "high", "user_id": OWNER, "description": marker},
    )
    post("audit", f"{AUDIT}/events", {"event_type": "a.b", "actor_id": OWNER, "metadata": {"m": marker}})
    post("audit", f"{AUDIT}/compliance/reports", {"standard": "GDPR", **period})
    template = {"name": marker, "type": "in_app", "subject": "s", "body": marker, "variables": []}
    ids["notification.template"] = post("notification", f"{NOTIFY}/templates", template)["template_id"]
    post("notification", f"{NOTIFY}/push/subscribe", {"device_token": marker, "platform": "ios", "device_id": marker})
    post("notification", f"{NOTIFY}/batch", {"template_id": marker, "user_ids": [OWNER]})
    sent = {"user_id": OWNER, "template_id": marker, "channels": ["in_app"]}
    post("notification", f"{NOTIFY}/send", sent)
    task = post("task", TASKS, {"name": marker, "type": f"t{marker}", "payload": {"m": marker}})
    with stack.client("task", **whose) as client:
        executions = client.get(f"{TASKS}/{task['task_id']}/executions").json()["items"]
    ids["task.execution_id"] = executions[0]["execution_id"]
    post("compliance", f"{COMPLIANCE}/check", {"content": f"{marker}@example.com", "check_types": ["pii"]})
    post("compliance", f"{COMPLIANCE}/batch-check", {"items": [{"id": marker, "content": "x"}], "check_types": ["pii"]})
    post("compliance", f"{COMPLIANCE}/reports", {"report_type": "pii_summary", "period": "monthly"})
    reviewed = {"name": marker, "rules": {"pii": {"action": "review"}}}
    ids["compliance.name"] = post("compliance", f"{COMPLIANCE}/policies", reviewed)["name"]
    asked = {"content": f"{marker}@example.com", "check_types": ["pii"], "policy": marker}
    ids["compliance.review_id"] = post("compliance", f"{COMPLIANCE}/check", asked)["review"]["review_id"]
    ids["compliance.version"] = "1"
    post("compliance", f"{COMPLIANCE}/rescores", {"policy": marker})
    post("compliance", f"{COMPLIANCE}/data-requests", {"kind": "export", "reason": marker})
    with stack.client("compliance", **whose) as client:
        mine = {"scope": "category", "subject": marker, "policy": marker}
        assert client.put(f"{COMPLIANCE}/policy-assignments", json=mine).is_success
    hook = {
        "event_types": [f"{marker}.*"],
        "delivery_type": "webhook",
        "webhook_url": f"{stack.url('audit')}/health/live",
    }
    subscription = post("event", SUBSCRIPTIONS, hook)["subscription_id"]
    post("event", EVENTS, {"event_type": f"{marker}.x", "payload": {"m": marker}})
    replay = {"from_timestamp": "2024-01-01T00:00:00Z", "to_timestamp": "2024-01-02T00:00:00Z", "target_stream": marker}
    post("event", f"{EVENTS}/replay", replay | {"event_types": ["a.*"]})
    with stack.client("event", **whose) as client:
        path = f"{SUBSCRIPTIONS}/{subscription}/deliveries"
        until(lambda: client.get(path).json()["items"], "the event is delivered")
        ids["event.delivery_id"] = client.get(path).json()["items"][0]["delivery_id"]
    for service in SERVICES:
        ids[f"{service}.user_id"] = OWNER
    return Owned(tenant, marker, ids)


@pytest.fixture(scope="module")
def owned(stack: Stack) -> Iterator[Owned]:
    yield _make(stack)


def _path(operation: Operation, owned: Owned) -> str:
    own = {key.partition(".")[2]: value for key, value in owned.ids.items() if key.startswith(f"{operation.service}.")}
    return operation.path.format(**own)


def _tells(answer_text: str, owned: Owned) -> bool:
    public = {OWNER, "1"}
    return owned.marker in answer_text or any(v in answer_text for v in owned.ids.values() if v not in public)


def _try(stack: Stack, operation: Operation, owned: Owned, **whose: str) -> None:
    with stack.client(operation.service, **whose) as client:
        body = BODIES.get(f"{operation.method} {operation.path}")
        answer = client.request(operation.method, _path(operation, owned), json=body)
    assert answer.status_code < 500, answer.text
    assert answer.status_code != 422, f"give this operation a valid body in BODIES: {answer.text}"
    if answer.status_code not in (403, 404):
        shared = whose["tenant"] == owned.tenant and operation.path.startswith(SHARED_IN_TENANT)
        assert answer.is_success
        assert shared or not _tells(answer.text, owned), f"told of what is not theirs: {answer.text}"


def _names(operations: list[Operation]) -> list[str]:
    return [f"{op.method} {op.path}" for op in operations]


@pytest.mark.parametrize("operation", ON_A_THING, ids=_names(ON_A_THING))
def test_another_tenant_learns_nothing_of_a_thing(stack: Stack, owned: Owned, operation: Operation) -> None:
    _try(stack, operation, owned, tenant=new_id("org"), user=OTHER_USER, scope="admin")


@pytest.mark.parametrize("operation", ON_A_THING, ids=_names(ON_A_THING))
def test_another_user_learns_nothing_of_a_thing(stack: Stack, owned: Owned, operation: Operation) -> None:
    _try(stack, operation, owned, tenant=owned.tenant, user=OTHER_USER, scope="user")


@pytest.mark.parametrize("operation", LISTS, ids=_names(LISTS))
def test_lists_show_nothing_of_another_tenant(stack: Stack, owned: Owned, operation: Operation) -> None:
    with stack.client(operation.service, tenant=new_id("org"), user=OTHER_USER) as client:
        answer = client.get(operation.path)
    assert answer.is_success, answer.text
    assert not _tells(answer.text, owned)


@pytest.mark.parametrize("operation", LISTS, ids=_names(LISTS))
def test_lists_show_nothing_of_another_user(stack: Stack, owned: Owned, operation: Operation) -> None:
    with stack.client(operation.service, tenant=owned.tenant, user=OTHER_USER, scope="user") as client:
        answer = client.get(operation.path)
    assert answer.status_code in (200, 403), answer.text
    assert operation.path.startswith(SHARED_IN_TENANT) or not _tells(answer.text, owned)


def test_a_query_finds_nothing_of_another_tenant_or_user(stack: Stack, owned: Owned) -> None:
    for whose in ({"tenant": new_id("org")}, {"tenant": owned.tenant, "user": OTHER_USER, "scope": "user"}):
        with stack.client("audit", **whose) as client:
            answer = client.post(f"{AUDIT}/events/query", json={"limit": 1000})
        assert answer.is_success, answer.text
        assert not _tells(answer.text, owned)


def test_after_all_those_attempts_nothing_of_the_owner_has_changed(stack: Stack, owned: Owned) -> None:
    with stack.client("audit", tenant=owned.tenant, user=OWNER) as client:
        assert client.get(f"{AUDIT}/security/alerts/{owned.ids['audit.alert_id']}").json()["status"] == "open"
    with stack.client("task", tenant=owned.tenant, user=OWNER) as client:
        assert client.get(f"{TASKS}/{owned.ids['task.task_id']}").json()["status"] == "pending"
    with stack.client("event", tenant=owned.tenant, user=OWNER) as client:
        kept = client.get(f"{SUBSCRIPTIONS}/{owned.ids['event.subscription_id']}").json()
    assert kept["status"] == "active", json.dumps(kept)
    with stack.client("notification", tenant=owned.tenant, user=OWNER) as client:
        assert client.get(f"{NOTIFY}/templates/{owned.marker}").json()["body"] == owned.marker
    with stack.client("compliance", tenant=owned.tenant, user=OWNER) as client:
        policy = client.get(f"{COMPLIANCE}/policies/{owned.marker}").json()
        review = client.get(f"{COMPLIANCE}/reviews/{owned.ids['compliance.review_id']}").json()
    assert (policy["version"], policy["archived_at"]) == (1, None)
    assert (review["status"], len(review["steps"])) == ("open", 1)
