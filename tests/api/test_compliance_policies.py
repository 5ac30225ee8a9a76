"""A tenant's own policies: made, changed by versions, assigned, archived; lists; what may be used again of a check."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from api.compliance import DOOR
from api.compliance.access import DETECTORS
from api.compliance.earlier import VAIN_LOOKS
from core.contracts.compliance import MAX_PATTERNS, CheckType, DetectorResult
from core.db import plain_url
from core.settings import Settings
from tests.conftest import Doors, Headers
from tests.traces import stored

API = "/api/v1/compliance"
MAIL = "write to ann@example.com"


def policy(name: str = "mine", **settings: Any) -> dict[str, Any]:
    return {"name": name, "rules": {"pii": {"action": "block"}}, **settings}


async def made(client: httpx.AsyncClient, **settings: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/policies", json=policy(**settings))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def check(client: httpx.AsyncClient, content: str, **more: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/check", json={"content": content, "check_types": ["pii"], **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def problem(answer: httpx.Response) -> tuple[int, str, list[str]]:
    body = answer.json()
    return answer.status_code, body["code"], [error["field"] for error in body["errors"]]


# ---- made and changed


async def test_a_policy_is_made_with_a_rule_for_every_type(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(f"{API}/policies", json=policy(description="Nothing personal."))
    body = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"{API}/policies/mine")
    assert (body["version"], body["built_in"], body["created_by"]) == (1, False, "user_123")
    assert body["rules"]["pii"]["action"] == "block"
    assert body["rules"]["spam"]["action"] == "flag"
    assert (await compliance.get(f"{API}/policies/mine")).json() == body


async def test_a_change_is_a_new_version_and_the_old_one_stays(compliance: httpx.AsyncClient) -> None:
    first = await made(compliance)
    answer = await compliance.put(f"{API}/policies/mine", json={"rules": {"pii": {"action": "redact"}}})
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    versions = (await compliance.get(f"{API}/policies/mine/versions")).json()["items"]
    assert [(one["version"], one["rules"]["pii"]["action"]) for one in versions] == [(2, "redact"), (1, "block")]
    assert (await compliance.get(f"{API}/policies/mine/versions/1")).json() == first
    assert (await compliance.get(f"{API}/policies/mine")).json()["version"] == 2


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 6, 7])
async def test_the_built_in_policies_come_first_and_all_are_paged(compliance: httpx.AsyncClient, limit: int) -> None:
    for name in ("c", "a", "b"):
        await made(compliance, name=name)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await compliance.get(f"{API}/policies?limit={limit}{cursor and f'&cursor={cursor}'}")).json()
        assert len(page["items"]) <= limit
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["default", "strict", "chat", "a", "b", "c"]


async def test_versions_are_paged_newest_first(compliance: httpx.AsyncClient) -> None:
    await made(compliance)
    for _ in range(3):
        await compliance.put(f"{API}/policies/mine", json={})
    first = (await compliance.get(f"{API}/policies/mine/versions?limit=3")).json()
    second = (await compliance.get(f"{API}/policies/mine/versions?limit=3&cursor={first['next_cursor']}")).json()
    assert [one["version"] for one in first["items"] + second["items"]] == [4, 3, 2, 1]
    assert second["next_cursor"] is None


async def test_a_change_made_from_an_old_version_is_refused(compliance: httpx.AsyncClient) -> None:
    await made(compliance)
    assert (await compliance.put(f"{API}/policies/mine", json={"expected_version": 1})).status_code == 200
    answer = await compliance.put(f"{API}/policies/mine", json={"expected_version": 1})
    assert problem(answer)[:2] == (409, "policy_version_conflict")
    assert "2" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["default", "strict", "chat"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_built_in_policy_stays_as_it_is(compliance: httpx.AsyncClient, method: str, name: str) -> None:
    path = f"{API}/policies" if method == "POST" else f"{API}/policies/{name}"
    body = policy(name) if method == "POST" else {}
    answer = await compliance.request(method, path, json=None if method == "DELETE" else body)
    assert problem(answer)[:2] == (409, "policy_built_in")
    assert "make your own" in answer.json()["detail"]


async def test_a_built_in_policy_has_one_version(compliance: httpx.AsyncClient) -> None:
    assert [p["version"] for p in (await compliance.get(f"{API}/policies/chat/versions")).json()["items"]] == [1]
    assert (await compliance.get(f"{API}/policies/chat/versions/1")).json()["name"] == "chat"
    assert (await compliance.get(f"{API}/policies/chat/versions/2")).status_code == 404


async def test_a_name_is_taken_once(compliance: httpx.AsyncClient) -> None:
    await made(compliance)
    assert problem(await compliance.post(f"{API}/policies", json=policy()))[:2] == (409, "policy_exists")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "Spaces and Capitals"}, "name"),
        ({"rules": {"sarcasm": {"action": "block"}}}, "rules"),
        ({"rules": {"pii": {"action": "explode"}}}, "rules.pii.action"),
        ({"rules": {"pii": {"action": "flag", "threshold": 1.5}}}, "rules.pii.threshold"),
        ({"max_content_bytes": 2 * 1024 * 1024}, "max_content_bytes"),
        (
            {"block_list": [{"kind": "regex", "value": "fine"}, {"kind": "regex", "value": "(open"}]},
            "block_list[1].value",
        ),
        ({"allow_list": [{"kind": "term", "value": " \u200b "}]}, "allow_list[0].value"),
        ({"allow_list": [{"kind": "term", "value": "a " * 21}]}, "allow_list[0].value"),
        ({"block_list": [{"kind": "regex", "value": r"(\w{1,1000}){1000}"}]}, "block_list[0].value"),
        ({"block_list": [{"kind": "exact", "value": "x" * 501}]}, "block_list[0].value"),
    ],
)
async def test_a_malformed_policy_is_refused_and_the_place_named(
    compliance: httpx.AsyncClient, wrong: dict[str, Any], field: str
) -> None:
    status, code, fields = problem(await compliance.post(f"{API}/policies", json=policy() | wrong))
    assert (status, code) == (422, "invalid")
    assert fields[0].startswith(field)


async def test_settings_of_pii_are_refused_elsewhere(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(
        f"{API}/policies", json=policy(rules={"spam": {"action": "flag", "entities": ["email"]}})
    )
    assert answer.status_code == 422
    assert "rules.spam" in answer.json()["detail"]


async def test_more_patterns_than_a_list_may_hold_are_refused(compliance: httpx.AsyncClient) -> None:
    many = [{"kind": "regex", "value": f"a{n}"} for n in range(MAX_PATTERNS + 1)]
    assert (await compliance.post(f"{API}/policies", json=policy(block_list=many))).status_code == 422


async def test_an_archived_policy_stays_readable_but_judges_no_more(compliance: httpx.AsyncClient) -> None:
    await made(compliance)
    await check(compliance, MAIL, policy="mine")
    assert (await compliance.delete(f"{API}/policies/mine")).status_code == 204
    assert (await compliance.get(f"{API}/policies/mine")).json()["archived_at"]
    assert "mine" not in [p["name"] for p in (await compliance.get(f"{API}/policies")).json()["items"]]
    assert "mine" in [p["name"] for p in (await compliance.get(f"{API}/policies?archived=true")).json()["items"]]
    refused = await compliance.post(f"{API}/check", json={"content": MAIL, "policy": "mine"})
    assert problem(refused) == (422, "unknown_policy", ["policy"])
    assert problem(await compliance.put(f"{API}/policies/mine", json={}))[:2] == (409, "policy_archived")
    assert problem(await compliance.post(f"{API}/policies", json=policy()))[:2] == (409, "policy_exists")


async def test_a_change_is_in_the_audit_log_and_told_to_the_event_store(
    compliance: httpx.AsyncClient, database_url: str, tenant: str
) -> None:
    await made(compliance)
    await compliance.put(f"{API}/policies/mine", json={})
    await compliance.delete(f"{API}/policies/mine")
    with psycopg.connect(plain_url(database_url)) as connection:
        logged = connection.execute(
            "SELECT event_type, actor_id FROM audit.events WHERE tenant_id = %s ORDER BY seq", (tenant,)
        ).fetchall()
        told = connection.execute(
            "SELECT payload->>'change' FROM event.events WHERE tenant_id = %s ORDER BY seq", (tenant,)
        ).fetchall()
    verbs = ["created", "changed", "archived"]
    assert logged == [(f"compliance.policy_{verb}", "user_123") for verb in verbs]
    assert [row[0] for row in told] == verbs


async def test_users_and_services_read_policies_and_admins_change_them(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient
) -> None:
    await made(compliance)
    for scope in ("user", "service"):
        async with await doors.client("compliance", headers(scope=scope)) as client:
            assert (await client.get(f"{API}/policies/mine/versions/1")).status_code == 200
            for method, path in (("POST", ""), ("PUT", "/mine"), ("DELETE", "/mine")):
                answer = await client.request(method, f"{API}/policies{path}", json=policy())
                assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")


async def test_another_tenant_knows_nothing_of_a_policy(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient, tenant: str
) -> None:
    await made(compliance)
    async with await doors.client("compliance", headers(of_tenant=f"{tenant}-other")) as other:
        assert (await other.get(f"{API}/policies/mine")).status_code == 404
        assert len((await other.get(f"{API}/policies")).json()["items"]) == 3
        assert (await other.put(f"{API}/policies/mine", json={})).status_code == 404
        assert (await other.post(f"{API}/check", json={"content": "x", "policy": "mine"})).status_code == 422


# ---- judging


async def test_a_check_is_judged_by_the_present_version(compliance: httpx.AsyncClient) -> None:
    await made(compliance)
    first = await check(compliance, MAIL, policy="mine")
    await compliance.put(f"{API}/policies/mine", json={"rules": {"pii": {"action": "flag"}}})
    second = await check(compliance, MAIL, policy="mine")
    assert [(one["status"], one["policy_version"]) for one in (first, second)] == [("blocked", 1), ("flagged", 2)]


async def test_a_text_over_the_policys_limit_is_refused(compliance: httpx.AsyncClient) -> None:
    await made(compliance, max_content_bytes=10)
    await check(compliance, "x" * 10, policy="mine")
    answer = await compliance.post(f"{API}/check", json={"content": "é" * 6, "policy": "mine"})
    assert problem(answer) == (422, "invalid", ["content"])
    await made(compliance, name="large", max_content_bytes=1024 * 1024)
    assert (await check(compliance, "x " * 150_000, policy="large"))["content_length"] == 300_000


async def test_a_policy_redacts_in_its_own_style(compliance: httpx.AsyncClient) -> None:
    await made(compliance, rules={"pii": {"action": "redact", "redaction": "remove"}})
    assert (await check(compliance, MAIL, policy="mine"))["results"]["pii"]["redacted"] == "write to "


async def test_a_detector_is_chosen_by_name(compliance: httpx.AsyncClient) -> None:
    await made(compliance, rules={"pii": {"action": "flag", "detector": "presidio"}})
    assert (await check(compliance, MAIL, policy="mine"))["results"]["pii"]["detector"] == "presidio"


async def test_a_detector_that_is_not_set_up_is_refused_and_the_others_told(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(
        f"{API}/policies", json=policy(rules={"pii": {"action": "flag", "detector": "crystal-ball"}})
    )
    assert problem(answer) == (422, "invalid", ["rules.pii.detector"])
    assert "presidio" in answer.json()["detail"]


# ---- lists


async def test_the_block_list_blocks_whatever_detectors_say(compliance: httpx.AsyncClient) -> None:
    await made(compliance, block_list=[{"kind": "term", "value": "Forbidden Fruit"}])
    body = await check(compliance, "a forbidden\u200b  FRUIT, please", policy="mine")
    assert (body["status"], body["risk_level"], body["reasons"]) == ("blocked", "high", ["block_list"])
    assert body["results"]["pii"]["reasons"] == ["block_list"]
    kept = (await compliance.get(f"{API}/checks/{body['check_id']}")).json()
    assert kept["reasons"] == ["block_list"]


async def test_an_entry_for_types_speaks_for_those_only(compliance: httpx.AsyncClient) -> None:
    await made(compliance, block_list=[{"kind": "regex", "value": "fru+it", "check_types": ["spam"]}])
    body = await check(compliance, "fruuuit", policy="mine")
    assert (body["status"], body["reasons"]) == ("passed", [])


async def test_the_allow_list_spares_values_and_whole_texts(compliance: httpx.AsyncClient) -> None:
    allowed = [{"kind": "term", "value": "example.com"}, {"kind": "exact", "value": "Mail bob@other.org"}]
    await made(compliance, allow_list=allowed)
    for text in (MAIL, "mail  BOB@other.org"):
        body = await check(compliance, text, policy="mine")
        assert (body["status"], body["reasons"]) == ("passed", ["allow_list"])
    body = await check(compliance, f"{MAIL} and bob@other.org", policy="mine")
    assert body["status"] == "blocked"
    assert body["results"]["pii"]["redacted"] == f"{MAIL} and [EMAIL]"


async def test_the_block_list_goes_before_the_allow_list(compliance: httpx.AsyncClient) -> None:
    entry = {"kind": "exact", "value": MAIL}
    await made(compliance, allow_list=[entry], block_list=[entry])
    assert (await check(compliance, MAIL, policy="mine"))["status"] == "blocked"


# ---- assignments


async def assign(client: httpx.AsyncClient, scope: str, subject: str, name: str) -> httpx.Response:
    return await client.put(f"{API}/policy-assignments", json={"scope": scope, "subject": subject, "policy": name})


async def test_the_most_specific_assignment_wins_and_the_answer_says_why(compliance: httpx.AsyncClient) -> None:
    def why(body: dict[str, Any]) -> tuple[str, str]:
        return body["policy"], body["policy_source"]

    assert why(await check(compliance, "a")) == ("default", "default")
    await made(compliance)
    assert (await assign(compliance, "tenant", "", "chat")).status_code == 200
    assert why(await check(compliance, "a")) == ("chat", "tenant")
    await assign(compliance, "category", "mails", "strict")
    assert why(await check(compliance, "a", category="mails")) == ("strict", "category")
    assert why(await check(compliance, "a", category="posts")) == ("chat", "tenant")
    await assign(compliance, "caller", "user_123", "mine")
    assert why(await check(compliance, "a", category="mails")) == ("mine", "caller")
    body = await check(compliance, "a", category="mails", policy="default")
    assert (*why(body), body["category"]) == ("default", "request", "mails")


async def test_an_assignment_is_listed_replaced_and_taken_back(compliance: httpx.AsyncClient) -> None:
    await assign(compliance, "category", "mails", "strict")
    await assign(compliance, "category", "mails", "chat")
    (item,) = (await compliance.get(f"{API}/policy-assignments")).json()["items"]
    assert (item["scope"], item["subject"], item["policy"], item["assigned_by"]) == (
        "category", "mails", "chat", "user_123",
    )  # fmt: skip
    query = {"scope": "category", "subject": "mails"}
    assert (await compliance.delete(f"{API}/policy-assignments", params=query)).status_code == 204
    answer = await compliance.delete(f"{API}/policy-assignments", params=query)
    assert problem(answer)[:2] == (404, "not_assigned")
    assert (await check(compliance, "a", category="mails"))["policy"] == "default"


async def test_assignments_are_paged(compliance: httpx.AsyncClient) -> None:
    for name in ("c", "a", "b"):
        await assign(compliance, "category", name, "chat")
    await assign(compliance, "tenant", "", "chat")
    first = (await compliance.get(f"{API}/policy-assignments?limit=3")).json()
    second = (await compliance.get(f"{API}/policy-assignments?cursor={first['next_cursor']}")).json()
    assert [one["subject"] for one in first["items"] + second["items"]] == ["a", "b", "c", ""]


async def test_an_assigned_policy_cannot_be_archived(compliance: httpx.AsyncClient) -> None:
    await made(compliance)
    await assign(compliance, "category", "mails", "mine")
    answer = await compliance.delete(f"{API}/policies/mine")
    assert problem(answer)[:2] == (409, "policy_assigned")
    assert "category mails" in answer.json()["detail"]


@pytest.mark.parametrize("subject", ["my mails", "mails\n", "-", "x" * 101])
async def test_what_no_check_can_have_as_its_category_gets_no_policy(
    compliance: httpx.AsyncClient, subject: str
) -> None:
    body = {"content": "x", "check_types": ["pii"], "category": subject}
    assert (await compliance.post(f"{API}/check", json=body)).status_code == 422
    answer = await assign(compliance, "category", subject, "chat")
    assert answer.status_code == 422
    assert "category" in answer.json()["detail"]


async def test_only_a_policy_in_use_can_be_assigned(compliance: httpx.AsyncClient) -> None:
    assert problem(await assign(compliance, "tenant", "", "lenient")) == (422, "unknown_policy", ["policy"])
    for scope, subject in (("tenant", "x"), ("category", "")):
        assert (await assign(compliance, scope, subject, "chat")).status_code == 422


async def test_a_user_sees_of_the_callers_only_themselves(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient
) -> None:
    for user in ("ann", "bob"):
        await assign(compliance, "caller", user, "chat")
    await assign(compliance, "category", "mails", "chat")
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        listed = (await ann.get(f"{API}/policy-assignments")).json()["items"]
        assert [one["subject"] for one in listed] == ["ann", "mails"]
        assert (await assign(ann, "tenant", "", "chat")).status_code == 403


# ---- the same text again


async def test_the_same_text_is_not_looked_at_twice(compliance: httpx.AsyncClient) -> None:
    first, second = await check(compliance, MAIL), await check(compliance, MAIL)
    assert (first["cached"], first["cached_from"]) == (False, None)
    assert (second["cached"], second["cached_from"]) == (True, first["check_id"])
    assert second["cached_age_seconds"] >= 0
    assert second["check_id"] != first["check_id"]
    for name in ("status", "risk_level", "results", "content_hash"):
        assert second[name] == first[name]
    history = (await compliance.get(f"{API}/checks")).json()["items"]
    assert [one["check_id"] for one in history] == [second["check_id"], first["check_id"]]
    assert [one["cached_from"] for one in history] == [first["check_id"], None]


@pytest.mark.parametrize(
    "other",
    [{"content": "write to bob@example.com"}, {"policy": "chat"}, {"check_types": ["pii", "spam"]},
     {"content_type": "markdown"}],
)  # fmt: skip
async def test_what_differs_is_looked_at_anew(compliance: httpx.AsyncClient, other: dict[str, Any]) -> None:
    await check(compliance, MAIL)
    again = await check(compliance, **{"content": MAIL, **other})
    assert not again["cached"]


async def test_a_new_version_of_the_policy_is_judged_anew(compliance: httpx.AsyncClient) -> None:
    await made(compliance)
    await check(compliance, MAIL, policy="mine")
    assert (await check(compliance, MAIL, policy="mine"))["cached"]
    await compliance.put(f"{API}/policies/mine", json={})
    assert not (await check(compliance, MAIL, policy="mine"))["cached"]


async def test_a_policy_may_want_every_text_looked_at(compliance: httpx.AsyncClient) -> None:
    await made(compliance, cache_seconds=0)
    assert not any([(await check(compliance, MAIL, policy="mine"))["cached"] for _ in range(2)])


class Silent:
    """Detectors of which one never judges, and the other has a new version at every turn, if told to."""

    def __init__(self, *, changing: bool) -> None:
        self.changing, self.turns = changing, 0

    async def inspect(
        self, texts: Sequence[str], check_types: Sequence[CheckType], chosen: Mapping[CheckType, str]
    ) -> list[dict[CheckType, DetectorResult]]:
        self.turns += self.changing
        judged = DetectorResult(flagged=False, score=0, detector="one", detector_version=str(self.turns))
        silent = DetectorResult(available=False, reason="detector_failed")
        return [{word: silent if word is CheckType.SPAM else judged for word in check_types} for _ in texts]


@pytest.mark.parametrize(
    ("types", "changing", "cached"),
    [
        (["nsfw"], False, [False, True, True]),
        (["nsfw", "spam"], False, [False] * 3),
        (["nsfw"], True, [False, True, False]),
    ],
)
async def test_only_what_the_present_detectors_judged_is_used_again(
    settings: Settings, headers: Callable[..., Headers], types: list[str], changing: bool, cached: list[bool]
) -> None:
    silent = Silent(changing=changing)
    door = replace(
        DOOR, extras=lambda *known: DOOR.extras(*known) | {DETECTORS: silent}, parts=lambda _: {}, closing=None
    )
    app = create_app(door, settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", headers=headers()) as client,
    ):
        told = [(await check(client, MAIL, check_types=types))["cached"] for _ in range(2)]
        await check(client, "another text shows what version the detectors have now", check_types=types)
        told.append((await check(client, MAIL, check_types=types))["cached"])
    assert told == cached


async def test_a_user_never_learns_that_somebody_else_sent_the_same_text(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient
) -> None:
    await check(compliance, MAIL)
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        assert not (await check(ann, MAIL))["cached"]
        assert (await check(ann, MAIL))["cached"]


async def test_front_doors_use_each_others_checks(
    compliance: httpx.AsyncClient, settings: Settings, headers: Callable[..., Headers]
) -> None:
    made = await check(compliance, MAIL)
    app = create_app(DOOR, settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", headers=headers()) as other,
    ):
        await check(other, "Only now does the other door know what its detector is.")
        assert (await check(other, MAIL))["cached_from"] == made["check_id"]


async def test_after_many_texts_that_never_repeat_one_that_does_is_still_known(compliance: httpx.AsyncClient) -> None:
    for number in range(VAIN_LOOKS + 3):
        await check(compliance, f"text {number}")
    made = await check(compliance, MAIL)
    assert (await check(compliance, MAIL))["cached_from"] == made["check_id"]


async def test_an_answer_used_again_leaves_no_trace_of_the_text(
    compliance: httpx.AsyncClient, database_url: str, tenant: str
) -> None:
    for _ in range(2):
        body = await check(compliance, f"marker-in-the-text {MAIL}", policy="chat")
    assert body["cached"]
    kept = (await compliance.get(f"{API}/checks/{body['check_id']}")).json()
    assert kept["results"]["pii"]["redacted"] == "marker-in-the-text write to [EMAIL]"
    assert "ann@example.com" not in stored(database_url, tenant)


# ---- content


@pytest.mark.parametrize(
    ("content_type", "content", "redacted"),
    [
        ("prompt", MAIL, "write to [EMAIL]"),
        ("html", "<p>ann&#64;example.com</p>", "<p>[EMAIL]</p>"),
        ("markdown", "**ann@example.com**", "**[EMAIL]**"),
        ("json", '{"user": {"mail": "ann@example.com"}}', '{"user": {"mail": "[EMAIL]"}}'),
    ],
)
async def test_structured_content_is_read_and_redacted_where_it_stands(
    compliance: httpx.AsyncClient, content_type: str, content: str, redacted: str
) -> None:
    body = await check(compliance, content, content_type=content_type)
    assert body["results"]["pii"]["redacted"] == redacted
    assert body["content_type"] == content_type
    (span,) = body["results"]["pii"]["spans"]
    assert span.get("path") == ("$.user.mail" if content_type == "json" else None)


async def test_a_term_is_found_in_what_is_read(compliance: httpx.AsyncClient) -> None:
    await made(compliance, block_list=[{"kind": "term", "value": "forbidden"}])
    body = await check(compliance, "<b>for</b>bidden", content_type="html", policy="mine")
    assert body["status"] == "blocked"


@pytest.mark.parametrize(
    ("content", "code"), [("{not json", "content_malformed"), ("[" * 10_000 + "]" * 10_000, "content_too_deep")]
)
async def test_content_that_is_not_what_it_says_is_refused(
    compliance: httpx.AsyncClient, content: str, code: str
) -> None:
    answer = await compliance.post(f"{API}/check", json={"content": content, "content_type": "json"})
    assert problem(answer) == (422, code, ["content"])
