"""Notifications over HTTP, with real workers, Postgres and Temporal behind; no provider is configured."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.db import Database
from core.ids import new_id
from core.store.notification import messages
from tests.conftest import Doors, Headers, StartWorkers, eventually

ROOT = "/api/v1/notifications"
FINISHED = ("delivered", "partially_delivered", "failed", "cancelled")
Json = dict[str, Any]


async def post(client: httpx.AsyncClient, path: str, body: Json | None = None, *, expect: int = 202) -> Json:
    answer = await client.post(f"{ROOT}{path}", json=body)
    assert answer.status_code == expect, answer.text
    made: Json = answer.json()
    return made


async def get(client: httpx.AsyncClient, path: str, *, expect: int = 200, **query: Any) -> Json:
    answer = await client.get(f"{ROOT}{path}", params=query)
    assert answer.status_code == expect, answer.text
    found: Json = answer.json()
    return found


async def template(client: httpx.AsyncClient, **changed: Any) -> Json:
    wanted = {"name": new_id("t"), "type": "in_app", "subject": "Hi {{name}}", "body": "Hello {{name}}"}
    return await post(client, "/templates", wanted | changed, expect=201)


async def over(client: httpx.AsyncClient, sent: Json) -> Json:
    async def probe() -> Json | None:
        found = await get(client, f"/{sent['notification_id']}")
        return found if found["status"] in FINISHED else None

    found = await eventually(probe)
    assert found is not None
    return found


def fields(problem: Json) -> dict[str, str]:
    return {error["field"]: error["code"] for error in problem["errors"]}


async def nothing_written(client: httpx.AsyncClient) -> bool:
    return not (await get(client, ""))["items"]


# ---- templates


async def test_a_template_is_found_by_id_and_by_name(notification: httpx.AsyncClient) -> None:
    made = await template(notification)
    by_id = await get(notification, f"/templates/{made['template_id']}")
    assert by_id == await get(notification, f"/templates/{made['name']}") == made


async def test_a_name_that_is_taken_points_to_put(notification: httpx.AsyncClient) -> None:
    made = await template(notification)
    again = await post(notification, "/templates", {"name": made["name"], "type": "sms", "body": "x"}, expect=409)
    assert (again["code"], f"PUT {ROOT}/templates/{made['name']}" in again["detail"]) == ("template_exists", True)


async def test_put_makes_a_new_version_and_keeps_the_old_one(notification: httpx.AsyncClient) -> None:
    made = await template(notification)
    path = f"{ROOT}/templates/{made['name']}"
    renewed = (await notification.put(path, json={"body": "Bye {{name}}"})).json()
    assert (renewed["version"], renewed["body"], renewed["subject"]) == (2, "Bye {{name}}", None)
    assert (await get(notification, f"/templates/{made['name']}"))["version"] == 2
    assert (await get(notification, f"/templates/{made['name']}", version=1))["body"] == "Hello {{name}}"
    await get(notification, f"/templates/{made['name']}", version=3, expect=404)


async def test_what_was_sent_keeps_its_version(notification: httpx.AsyncClient) -> None:
    made = await template(notification)
    body = {"user_id": "u", "template_id": made["name"], "variables": {"name": "Ann"}}
    sent = await post(notification, "/send", body)
    await notification.put(f"{ROOT}/templates/{made['name']}", json={"body": "Changed"})
    found = await get(notification, f"/{sent['notification_id']}")
    assert (found["body"], found["template_version"]) == ("Hello Ann", 1)


async def test_a_syntax_fault_names_its_line(notification: httpx.AsyncClient) -> None:
    refused = await post(
        notification, "/templates", {"name": "x", "type": "sms", "body": "one\n{% if a %}"}, expect=422
    )
    assert fields(refused) == {"body": "template_syntax"}
    assert "line 2" in refused["detail"]


@pytest.mark.parametrize("text", ['{{ "\\x00" }}', '{{ "\\ud800" }}', "{{ " + "1" * 5000 + " }}"])
async def test_a_constant_that_nobody_can_keep_is_a_fault(notification: httpx.AsyncClient, text: str) -> None:
    body = {"user_id": "u", "channels": ["in_app"], "body": text}
    assert fields(await post(notification, "/send", body, expect=422)) == {"body": "template_syntax"}


@pytest.mark.parametrize(("path", "to"), [("/send", '"user_id": "u"'), ("/batch", '"user_ids": ["u"]')])
async def test_a_number_beyond_a_double_is_no_variable(notification: httpx.AsyncClient, path: str, to: str) -> None:
    body = f'{{{to}, "channels": ["in_app"], "body": "{{{{x}}}}", "variables": {{"x": [1e999]}}}}'
    answer = await notification.post(f"{ROOT}{path}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith("variables")


async def test_a_template_declares_what_it_uses(notification: httpx.AsyncClient) -> None:
    wanted = {"name": "x", "type": "sms", "body": "{{name}} {{age}}", "variables": ["name"]}
    refused = await post(notification, "/templates", wanted, expect=422)
    assert fields(refused) == {"variables": "undeclared_variable"}
    assert "age" in refused["detail"]


async def test_variables_are_found_when_nobody_declares_them(notification: httpx.AsyncClient) -> None:
    made = await template(notification, subject="{{b}}", body="{{a}}{% for c in items %}{{c}}{% endfor %}")
    assert made["variables"] == ["a", "b", "items"]


async def test_only_mail_is_html(notification: httpx.AsyncClient) -> None:
    wanted = {"name": "x", "type": "sms", "body": "<p>x</p>", "format": "html"}
    assert fields(await post(notification, "/templates", wanted, expect=422)) == {"format": "invalid"}


async def test_a_preview_escapes_html_and_shows_the_text(notification: httpx.AsyncClient) -> None:
    made = await template(notification, type="email", body="<p>Hello {{name}}</p>")
    shown = await post(
        notification, f"/templates/{made['name']}/render", {"variables": {"name": "<b>Tom & co"}}, expect=200
    )
    assert shown == {
        "subject": "Hi <b>Tom & co",
        "body": "<p>Hello &lt;b&gt;Tom &amp; co</p>",
        "text": "Hello <b>Tom & co",
        "format": "html",
    }


async def test_a_built_in_template_has_the_version_it_is_listed_with(notification: httpx.AsyncClient) -> None:
    listed = await get(notification, "/templates/welcome")
    assert await get(notification, "/templates/welcome", version=listed["version"]) == listed
    await get(notification, "/templates/welcome", version=2, expect=404)


async def test_the_built_in_welcome_gives_way_to_a_tenant_s_own(notification: httpx.AsyncClient) -> None:
    assert (await get(notification, "/templates/welcome"))["built_in"]
    answer = await notification.put(f"{ROOT}/templates/welcome", json={"body": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "template_built_in")
    await template(notification, name="welcome", subject=None, body="Ours")
    listed = (await get(notification, "/templates"))["items"]
    assert [(item["name"], item["built_in"]) for item in listed] == [("welcome", False)]


async def test_templates_are_listed_by_name_page_by_page(notification: httpx.AsyncClient) -> None:
    for name in ("alpha", "zulu", "mike"):
        await template(notification, name=name)
    first = await get(notification, "/templates", limit=2)
    second = await get(notification, "/templates", limit=2, cursor=first["next_cursor"])
    names = [item["name"] for page in (first, second) for item in page["items"]]
    assert (names, second["next_cursor"]) == (["alpha", "mike", "welcome", "zulu"], None)


# ---- send


async def test_a_missing_and_an_unknown_variable_are_named_and_nothing_is_written(
    notification: httpx.AsyncClient,
) -> None:
    made = await template(notification)
    body = {"user_id": "u", "template_id": made["name"], "variables": {"nom": "Ann"}}
    refused = await post(notification, "/send", body, expect=422)
    assert fields(refused) == {"variables.name": "missing_variable", "variables.nom": "unknown_variable"}
    assert await nothing_written(notification)


async def test_an_unknown_template_is_named(notification: httpx.AsyncClient) -> None:
    refused = await post(notification, "/send", {"user_id": "u", "template_id": "nowhere"}, expect=422)
    assert fields(refused) == {"template_id": "template_not_found"}


@pytest.mark.parametrize(
    "changed",
    [
        {"template_id": "welcome", "body": "both"},
        {"subject": "neither"},
        {"body": "no channels"},
        {"template_id": "welcome", "channels": []},
        {"template_id": "welcome", "channels": ["pigeon"]},
        {"template_id": "welcome", "priority": "utmost"},
        {"template_id": "welcome", "variables": {"name": "x" * 70_000}},
    ],
)
async def test_a_send_that_makes_no_sense_is_refused(notification: httpx.AsyncClient, changed: Json) -> None:
    assert (await post(notification, "/send", {"user_id": "u", **changed}, expect=422))["errors"]


async def test_a_channel_without_provider_fails_while_the_centre_gets_it(
    notification: httpx.AsyncClient, workers: StartWorkers
) -> None:
    await workers("notification")
    made = await template(notification)
    channels = ["email", "in_app", "sms", "push"]
    body = {"user_id": "u", "template_id": made["name"], "variables": {"name": "Ann"}, "channels": channels}
    found = await over(notification, await post(notification, "/send", body))
    assert found["status"] == "partially_delivered"
    stands = {c["channel"]: (c["status"], (c["error"] or {}).get("code")) for c in found["channels"]}
    failed = ("failed", "channel_not_configured")
    assert stands == {"email": failed, "in_app": ("delivered", None), "sms": failed, "push": failed}
    log = {c["channel"]: c["attempt_log"] for c in found["channels"]}
    assert log["email"][0]["error"]["failure_class"] == "permanent"
    assert [item["subject"] for item in (await get(notification, "/in-app/u"))["items"]] == ["Hi Ann"]


async def test_a_text_of_its_own_needs_no_template(notification: httpx.AsyncClient, workers: StartWorkers) -> None:
    await workers("notification")
    body = {"user_id": "u", "subject": "A", "body": "B {{x}}", "variables": {"x": 1}, "channels": ["in_app"]}
    await over(notification, await post(notification, "/send", body))
    (item,) = (await get(notification, "/in-app/u"))["items"]
    assert (item["subject"], item["body"]) == ("A", "B 1")


async def test_who_opted_out_gets_nothing_by_that_channel(
    notification: httpx.AsyncClient, workers: StartWorkers
) -> None:
    await workers("notification")
    answer = await notification.put(f"{ROOT}/recipients/u", json={"preferences": {"in_app": False}})
    assert answer.status_code == 200
    body = {"user_id": "u", "template_id": "welcome", "channels": ["in_app"]}
    found = await over(notification, await post(notification, "/send", body))
    (channel,) = found["channels"]
    assert (found["status"], channel["status"], channel["error"]["code"]) == ("cancelled", "suppressed", "opted_out")
    assert (await get(notification, "/in-app/u"))["items"] == []


async def test_a_cancelled_notification_is_not_sent(notification: httpx.AsyncClient, database: Database) -> None:
    sent = await post(notification, "/send", {"user_id": "u", "template_id": "welcome", "channels": ["in_app"]})
    stopped = await notification.post(f"{ROOT}/{sent['notification_id']}/cancel")
    # a worker of another test may have been quicker
    if stopped.status_code == 409:
        assert stopped.json()["code"] == "notification_finished"
        return
    assert stopped.json()["status"] == "cancelled"
    assert (await notification.post(f"{ROOT}/{sent['notification_id']}/cancel")).status_code == 202
    assert (await get(notification, "/in-app/u"))["items"] == []


async def test_what_is_over_cannot_be_cancelled(notification: httpx.AsyncClient, workers: StartWorkers) -> None:
    await workers("notification")
    sent = await post(notification, "/send", {"user_id": "u", "template_id": "welcome", "channels": ["in_app"]})
    await over(notification, sent)
    assert (await post(notification, f"/{sent['notification_id']}/cancel", expect=409))["code"] == (
        "notification_finished"
    )


async def test_the_world_hears_how_it_ended(
    notification: httpx.AsyncClient, event: httpx.AsyncClient, workers: StartWorkers
) -> None:
    await workers("notification")
    body = {"user_id": "u", "template_id": "welcome", "channels": ["in_app"], "correlation_id": "corr-of-mine"}
    sent = await post(notification, "/send", body)
    await over(notification, sent)
    told = (await event.get("/api/v1/events", params={"correlation_id": "corr-of-mine"})).json()["items"]
    assert [(e["event_type"], e["payload"]["notification_id"]) for e in told] == [
        ("notification.delivered", sent["notification_id"])
    ]


async def test_the_same_key_sends_once(notification: httpx.AsyncClient) -> None:
    body = {"user_id": "u", "template_id": "welcome", "channels": ["in_app"]}
    key = {"Idempotency-Key": new_id("key")}
    first, second = [await notification.post(f"{ROOT}/send", json=body, headers=key) for _ in range(2)]
    assert first.json() == second.json()
    assert len((await get(notification, ""))["items"]) == 1


async def test_notifications_are_listed_page_by_page_and_filtered(notification: httpx.AsyncClient) -> None:
    for user in ("a", "b", "a"):
        await post(notification, "/send", {"user_id": user, "template_id": "welcome", "channels": ["in_app"]})
    first = await get(notification, "", user_id="a", limit=1)
    second = await get(notification, "", user_id="a", limit=1, cursor=first["next_cursor"])
    assert (first["items"][0]["user_id"], second["items"][0]["user_id"], second["next_cursor"]) == ("a", "a", None)
    assert first["items"][0]["notification_id"] > second["items"][0]["notification_id"]
    assert (await notification.get(f"{ROOT}?cursor=nonsense")).status_code == 422


# ---- recipients and devices


async def test_addresses_are_replaced_and_opt_outs_stay(notification: httpx.AsyncClient) -> None:
    first = {"email": "Ann@Example.com", "phone": "+1 (415) 555-2671", "preferences": {"sms": False}}
    await notification.put(f"{ROOT}/recipients/u", json=first)
    await notification.put(f"{ROOT}/recipients/u", json={"timezone": "Europe/Berlin", "locale": "de-DE"})
    found = await get(notification, "/recipients/u")
    assert (found["email"], found["phone"], found["preferences"]) == (None, None, {"sms": False})
    assert (found["timezone"], found["locale"]) == ("Europe/Berlin", "de-DE")


async def test_a_phone_number_is_kept_in_one_form(notification: httpx.AsyncClient) -> None:
    answer = await notification.put(f"{ROOT}/recipients/u", json={"phone": "+44 20 7946 0958"})
    assert answer.json()["phone"] == "+442079460958"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("email", "two@at@example.com"),
        ("phone", "0123 456"),
        ("phone", "+1 000 000 0000"),
        ("phone", "call me"),
        ("timezone", "Mars/Olympus"),
        ("locale", "!"),
        ("webhook_url", "ftp://example.com"),
        ("webhook_url", "https://user:secret@example.com"),
        ("preferences", {"pigeon": True}),
        ("telex", "123"),
    ],
)
async def test_an_address_nobody_can_reach_is_refused(
    notification: httpx.AsyncClient, field: str, value: object
) -> None:
    answer = await notification.put(f"{ROOT}/recipients/u", json={field: value})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith(field)


async def test_an_unknown_recipient_is_404(notification: httpx.AsyncClient) -> None:
    assert (await get(notification, "/recipients/nobody", expect=404))["code"] == "recipient_unknown"


async def test_a_device_that_subscribes_again_has_one_subscription(notification: httpx.AsyncClient) -> None:
    first = await post(notification, "/push/subscribe", _device(device_token="a"), expect=201)
    second = await post(notification, "/push/subscribe", _device(device_token="b"), expect=201)
    assert first["subscription_id"] == second["subscription_id"]


async def test_a_token_belongs_to_who_subscribed_last(notification: httpx.AsyncClient) -> None:
    first = await post(notification, "/push/subscribe", _device(user_id="ann"), expect=201)
    await post(notification, "/push/subscribe", _device(user_id="ben"), expect=201)
    gone = await notification.delete(f"{ROOT}/push/subscriptions/{first['subscription_id']}")
    assert gone.status_code == 404


async def test_a_device_can_be_forgotten(notification: httpx.AsyncClient) -> None:
    made = await post(notification, "/push/subscribe", _device(), expect=201)
    path = f"{ROOT}/push/subscriptions/{made['subscription_id']}"
    assert [(await notification.delete(path)).status_code for _ in range(2)] == [204, 404]


def _device(**changed: str) -> Json:
    return {"device_token": "fcm_token_xyz", "platform": "ios", "device_id": "device_123"} | changed


# ---- the in-app centre


async def _filled(client: httpx.AsyncClient, workers: StartWorkers, count: int) -> None:
    await workers("notification")
    for number in range(count):
        body = {"user_id": "u", "body": f"number {number}", "channels": ["in_app"]}
        await over(client, await post(client, "/send", body))


async def test_the_centre_shows_the_newest_first_and_counts_what_is_unread(
    notification: httpx.AsyncClient, workers: StartWorkers
) -> None:
    await _filled(notification, workers, 3)
    page = await get(notification, "/in-app/u", limit=2)
    assert [item["body"] for item in page["items"]] == ["number 2", "number 1"]
    rest = await get(notification, "/in-app/u", limit=2, cursor=page["next_cursor"])
    assert ([item["body"] for item in rest["items"]], rest["next_cursor"]) == (["number 0"], None)
    read = page["items"][0]["notification_id"]
    first, again = [await post(notification, f"/in-app/{read}/read", expect=200) for _ in range(2)]
    assert first["read"]
    assert first["read_at"] == again["read_at"]
    assert (await get(notification, "/in-app/u/unread-count"))["unread_count"] == 2
    unread = await get(notification, "/in-app/u", unread=True)
    assert [item["body"] for item in unread["items"]] == ["number 1", "number 0"]
    assert [item["body"] for item in (await get(notification, "/in-app/u", unread=False))["items"]] == ["number 2"]
    assert await post(notification, "/in-app/u/read-all", expect=200) == {
        "user_id": "u",
        "unread_count": 0,
        "marked": 2,
    }


async def test_what_is_not_in_the_centre_cannot_be_read(notification: httpx.AsyncClient) -> None:
    assert (await post(notification, "/in-app/notif_123/read", expect=404))["code"] == "notification_not_found"


# ---- who may do what


@pytest.fixture
async def ann(doors: Doors, headers: Callable[..., Headers]) -> httpx.AsyncClient:
    return await doors.client("notification", headers(scope="user", user="ann"))


async def test_a_user_sends_to_itself_only(ann: httpx.AsyncClient) -> None:
    own = await post(ann, "/send", {"user_id": "ann", "template_id": "welcome", "channels": ["in_app"]})
    assert own["user_id"] == "ann"
    refused = await post(ann, "/send", {"user_id": "ben", "template_id": "welcome"}, expect=403)
    assert refused["code"] == "not_yours"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/in-app/ben", None),
        ("GET", "/in-app/ben/unread-count", None),
        ("POST", "/in-app/ben/read-all", None),
        ("GET", "/recipients/ben", None),
        ("PUT", "/recipients/ben", {}),
        ("POST", "/push/subscribe", {"device_token": "t", "platform": "ios", "user_id": "ben"}),
        ("GET", "?user_id=ben", None),
        ("POST", "/templates", {"name": "x", "type": "sms", "body": "x"}),
        ("PUT", "/templates/welcome", {"body": "x"}),
        ("POST", "/batch", {"template_id": "welcome", "user_ids": ["ann"]}),
    ],
)
async def test_a_user_is_kept_from_what_is_not_its_own(
    ann: httpx.AsyncClient, method: str, path: str, body: Json | None
) -> None:
    assert (await ann.request(method, f"{ROOT}{path}", json=body)).status_code == 403


async def test_another_user_s_notification_is_not_there(
    ann: httpx.AsyncClient, notification: httpx.AsyncClient
) -> None:
    sent = await post(notification, "/send", {"user_id": "ben", "template_id": "welcome", "channels": ["in_app"]})
    await get(ann, f"/{sent['notification_id']}", expect=404)
    await post(ann, f"/{sent['notification_id']}/cancel", expect=404)
    await post(ann, f"/in-app/{sent['notification_id']}/read", expect=404)
    assert (await get(ann, ""))["items"] == []


async def test_a_user_reads_templates(ann: httpx.AsyncClient) -> None:
    assert (await get(ann, "/templates/welcome"))["name"] == "welcome"


# ---- batches


async def batch_over(client: httpx.AsyncClient, batch_id: str) -> Json:
    async def probe() -> Json | None:
        found = await get(client, f"/batches/{batch_id}")
        return found if found["status"] in ("completed", "cancelled") and found["progress"] == 100 else None

    found = await eventually(probe, within=40)
    assert found is not None
    return found


async def test_a_batch_reaches_each_of_1200_once(
    notification: httpx.AsyncClient, workers: StartWorkers, database: Database, tenant: str
) -> None:
    await workers("notification")
    users = [f"user_{number}" for number in range(1200)]
    body = {"template_id": "welcome", "channels": ["in_app"], "user_ids": [*users, *users[:300]]}
    accepted = await post(notification, "/batch", body)
    assert accepted["total"] == 1200
    found = await batch_over(notification, accepted["batch_id"])
    assert (found["status"], found["counts"]["delivered"]) == ("completed", 1200)
    async with database.begin(tenant) as session:
        wanted = messages.NotificationFilter(batch_id=accepted["batch_id"])
        rows = await messages.list_before(session, wanted, after=None, limit=5000)
    assert sorted(row.user_id for row in rows) == sorted(users)
    assert (await get(notification, "/in-app/user_7"))["items"][0]["subject"] == "Welcome to isA"


async def test_a_batch_with_a_missing_variable_is_refused_whole(notification: httpx.AsyncClient) -> None:
    made = await template(notification)
    refused = await post(notification, "/batch", {"template_id": made["name"], "user_ids": ["a"]}, expect=422)
    assert fields(refused) == {"variables.name": "missing_variable"}


async def test_a_batch_has_its_limits(notification: httpx.AsyncClient) -> None:
    for users in ([], [f"u{n}" for n in range(10_001)]):
        refused = await post(notification, "/batch", {"template_id": "welcome", "user_ids": users}, expect=422)
        assert "user_ids" in fields(refused)


async def test_a_batch_that_is_over_cannot_be_cancelled(notification: httpx.AsyncClient, workers: StartWorkers) -> None:
    await workers("notification")
    body = {"template_id": "welcome", "channels": ["in_app"], "user_ids": ["a"]}
    accepted = await post(notification, "/batch", body)
    await batch_over(notification, accepted["batch_id"])
    refused = await post(notification, f"/batches/{accepted['batch_id']}/cancel", expect=409)
    assert refused["code"] == "batch_finished"


async def test_an_unknown_batch_is_404(notification: httpx.AsyncClient) -> None:
    await get(notification, "/batches/batch_1", expect=404)
