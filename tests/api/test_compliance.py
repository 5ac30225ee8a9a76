"""Checks over HTTP: what is found, what is answered, what is kept, and what is refused."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from api.compliance import DOOR
from api.compliance.access import DETECTORS
from core.adapters.detectors import BUILT_IN, Detectors, Makers, Source
from core.contracts.compliance import MAX_CHECK_BODY_BYTES, MAX_CONTENT_BYTES, CheckType, DetectorResult
from core.db import Database, plain_url
from core.settings import Settings
from tests.conftest import Doors, Headers
from tests.traces import stored

API = "/api/v1/compliance"
PERSONAL = "User email is ann@example.com and phone is +1-415-555-2671"
REDACTED = "User email is [EMAIL] and phone is [PHONE]"


async def check(client: httpx.AsyncClient, content: str, *types: str, **more: Any) -> dict[str, Any]:
    body = {"content": content, **({"check_types": list(types)} if types else {}), **more}
    answer = await client.post(f"{API}/check", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def problem(answer: httpx.Response) -> tuple[int, str, list[str]]:
    body = answer.json()
    return answer.status_code, body["code"], [error["field"] for error in body["errors"]]


# ---- what is found


async def test_the_pages_call_answers_with_its_fields(compliance: httpx.AsyncClient) -> None:
    body = await check(
        compliance, "User submitted text to check", "toxicity", "pii", "prompt_injection", content_type="text"
    )
    assert body["check_id"].startswith("chk_")
    assert (body["status"], body["risk_level"]) == ("passed", "none")
    assert list(body["results"]) == ["toxicity", "pii", "prompt_injection"]


async def test_personal_data_is_redacted_exactly_as_the_page_shows(compliance: httpx.AsyncClient) -> None:
    body = await check(compliance, PERSONAL, "pii")
    pii = body["results"]["pii"]
    assert (body["status"], body["risk_level"]) == ("flagged", "medium")
    assert (pii["detected"], pii["flagged"], pii["redacted"]) == (["email", "phone"], True, REDACTED)


async def test_a_result_names_its_detector_and_what_it_took(compliance: httpx.AsyncClient) -> None:
    pii = (await check(compliance, PERSONAL, "pii"))["results"]["pii"]
    assert pii["detector"] == "presidio"
    assert pii["detector_version"]
    assert pii["latency_ms"] >= 0


async def test_a_clean_text_passes_where_every_detector_could_judge(compliance: httpx.AsyncClient) -> None:
    body = await check(compliance, "Nothing to see here.", "pii")
    assert (body["status"], body["risk_level"]) == ("passed", "none")


async def test_all_five_types_are_looked_for_unless_told_otherwise(compliance: httpx.AsyncClient) -> None:
    body = await check(compliance, "Nothing to see here.")
    assert set(body["results"]) == {"toxicity", "pii", "prompt_injection", "nsfw", "spam"}


async def test_a_type_without_a_detector_makes_a_clean_check_incomplete(
    settings: Settings, headers: Callable[..., Headers]
) -> None:
    async with _door_with({CheckType.PII: BUILT_IN[CheckType.PII]}, settings, headers()) as client:
        body = await check(client, "Nothing to see here.", "pii", "spam")
    assert body["status"] == "incomplete"
    assert body["results"]["spam"] == {"available": False, "reason": "no_detector"}


async def test_a_finding_counts_even_where_another_type_could_not_be_judged(compliance: httpx.AsyncClient) -> None:
    assert (await check(compliance, PERSONAL, "pii", "spam"))["status"] == "flagged"


async def test_a_type_asked_for_twice_is_checked_once(compliance: httpx.AsyncClient) -> None:
    assert list((await check(compliance, "Hello.", "pii", "pii"))["results"]) == ["pii"]


# ---- policies


async def test_every_tenant_has_three_policies(compliance: httpx.AsyncClient) -> None:
    page = (await compliance.get(f"{API}/policies")).json()
    assert [policy["name"] for policy in page["items"]] == ["default", "strict", "chat"]
    assert page["next_cursor"] is None


async def test_a_policy_says_what_each_type_leads_to(compliance: httpx.AsyncClient) -> None:
    rules = (await compliance.get(f"{API}/policies/strict")).json()["rules"]
    assert set(rules) == {word.value for word in CheckType}
    assert rules["pii"] == dict.fromkeys(("threshold", "entities", "redaction", "detector"), None) | {"action": "block"}


async def test_an_unknown_policy_is_not_found(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.get(f"{API}/policies/lenient")
    assert (answer.status_code, answer.json()["code"]) == (404, "policy_not_found")


async def test_the_policys_action_decides_the_status(compliance: httpx.AsyncClient) -> None:
    body = await check(compliance, PERSONAL, "pii", policy="strict")
    assert (body["status"], body["policy"], body["policy_version"]) == ("blocked", "strict", 1)


async def test_a_kind_of_data_that_the_policy_leaves_out_is_no_finding(compliance: httpx.AsyncClient) -> None:
    text = "The server has the ip address 203.0.113.7 today"
    assert (await check(compliance, text, "pii"))["results"]["pii"]["detected"] == ["ip_address"]
    body = await check(compliance, text, "pii", policy="chat")
    assert (body["status"], body["results"]["pii"]["redacted"]) == ("passed", text)


async def test_a_check_by_an_unknown_policy_is_refused_by_name(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(f"{API}/check", json={"content": "x", "policy": "lenient"})
    assert problem(answer) == (422, "unknown_policy", ["policy"])


# ---- what is refused


async def test_an_unknown_check_type_is_refused_by_name(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(f"{API}/check", json={"content": "x", "check_types": ["pii", "sarcasm"]})
    assert problem(answer) == (422, "invalid", ["check_types[1]"])
    assert "'sarcasm'" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["image", "text/html", "application/pdf"])
async def test_other_content_is_415_and_says_what_is_read(compliance: httpx.AsyncClient, kind: str) -> None:
    answer = await compliance.post(f"{API}/check", json={"content": "x", "content_type": kind})
    assert problem(answer) == (415, "unsupported_content_type", ["content_type"])
    assert "text" in answer.json()["detail"]


@pytest.mark.parametrize("content", ["", "x" * (MAX_CONTENT_BYTES + 1), "é" * (MAX_CONTENT_BYTES // 2 + 1)])
async def test_an_empty_or_overlong_text_is_refused(compliance: httpx.AsyncClient, content: str) -> None:
    assert problem(await compliance.post(f"{API}/check", json={"content": content})) == (422, "invalid", ["content"])


async def test_a_text_of_exactly_the_limit_is_checked(compliance: httpx.AsyncClient) -> None:
    body = await check(compliance, "x" * MAX_CONTENT_BYTES, "pii")
    assert body["content_length"] == MAX_CONTENT_BYTES


async def test_a_body_over_a_mebibyte_is_too_large(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(f"{API}/check", json={"content": "x" * MAX_CHECK_BODY_BYTES})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "content", ["\u202e\u200b\u2066", "😀🎉👩‍👩‍👧", "a" * 50_000, "a@" * 20_000, "1-" * 20_000, "ан@example.com"]
)
async def test_odd_texts_are_judged_like_any_other(compliance: httpx.AsyncClient, content: str) -> None:
    assert (await check(compliance, content, "pii"))["results"]["pii"]["available"]


async def test_ten_thousand_addresses_are_all_redacted(compliance: httpx.AsyncClient) -> None:
    many = " ".join(f"u{n}@ex.com" for n in range(7_000))
    pii = (await check(compliance, many, "pii"))["results"]["pii"]
    assert pii["redacted"] == " ".join(["[EMAIL]"] * 7_000)


# ---- what is kept


async def test_nothing_of_the_text_is_stored(compliance: httpx.AsyncClient, database_url: str, tenant: str) -> None:
    text = f"marker-in-the-text {PERSONAL}"
    for key in ({}, {"Idempotency-Key": "kept"}):
        answer = await compliance.post(f"{API}/check", json={"content": text}, headers=key)
        assert "marker-in-the-text" in answer.text  # the caller does get the redacted form
    kept = stored(database_url, tenant)
    assert kept.count("chk_") >= 2
    for trace in ("marker-in-the-text", "ann@example.com", "415-555", b"marker-in-the-text".hex()):
        assert trace not in kept


async def test_the_redacted_form_is_kept_only_where_the_policy_says_so(compliance: httpx.AsyncClient) -> None:
    kept = await check(compliance, PERSONAL, "pii", policy="chat")
    not_kept = await check(compliance, PERSONAL, "pii")
    redacted = [
        (await compliance.get(f"{API}/checks/{made['check_id']}")).json()["results"]["pii"].get("redacted")
        for made in (kept, not_kept)
    ]
    assert redacted == [REDACTED, None]


async def test_offsets_of_findings_are_kept(compliance: httpx.AsyncClient) -> None:
    made = await check(compliance, PERSONAL, "pii")
    kept = (await compliance.get(f"{API}/checks/{made['check_id']}")).json()
    assert kept["results"]["pii"]["spans"] == made["results"]["pii"]["spans"]
    assert [PERSONAL[s["start"] : s["end"]] for s in kept["results"]["pii"]["spans"]] == [
        "ann@example.com",
        "+1-415-555-2671",
    ]


async def test_equal_texts_have_equal_hashes_within_a_tenant_only(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient, tenant: str
) -> None:
    mine = [(await check(compliance, "the same", "pii"))["content_hash"] for _ in range(2)]
    async with await doors.client("compliance", headers(of_tenant=f"{tenant}-other")) as other:
        theirs = (await check(other, "the same", "pii"))["content_hash"]
    assert mine[0] == mine[1] != theirs


async def test_a_finding_is_told_to_the_event_store_without_its_text(
    compliance: httpx.AsyncClient, database_url: str, tenant: str
) -> None:
    made = await check(compliance, PERSONAL, "pii", correlation_id="corr_told")
    await check(compliance, "Nothing to see here.", "pii")
    with psycopg.connect(plain_url(database_url)) as connection:
        query = "SELECT event_type, payload, correlation_id FROM event.events WHERE tenant_id = %s"
        ((event_type, payload, correlation_id),) = connection.execute(query, (tenant,)).fetchall()
    assert (event_type, correlation_id) == ("compliance.flagged", "corr_told")
    assert payload["check_id"] == made["check_id"]
    assert payload["entities"] == ["email", "phone"]


async def test_one_idempotency_key_is_one_check(compliance: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    sent = [await compliance.post(f"{API}/check", json={"content": PERSONAL}, headers=key) for _ in range(2)]
    assert sent[0].content == sent[1].content
    assert len((await compliance.get(f"{API}/checks")).json()["items"]) == 1


# ---- detectors that fail


class Broken:
    """A detector that cannot take one word."""

    check_type, name, version = CheckType.SPAM, "broken", "1"

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        if any("poison" in text for text in texts):
            raise RuntimeError(f"cannot take {texts!r}")
        return [DetectorResult(flagged=False, score=0.1, threshold=0.5, detector=self.name) for _ in texts]


def _unbuildable() -> Broken:
    raise FileNotFoundError("model.onnx")


@asynccontextmanager
async def _door_with(makers: Makers, settings: Settings, headers: Headers) -> AsyncIterator[httpx.AsyncClient]:
    def extras(known: Settings, database: Database) -> dict[str, Any]:
        return DOOR.extras(known, database) | {DETECTORS: Detectors(makers)}

    app = create_app(replace(DOOR, extras=extras), settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", headers=headers) as client,
    ):
        yield client


async def test_a_detector_that_raises_costs_its_own_type_only(
    settings: Settings, headers: Callable[..., Headers], capsys: pytest.CaptureFixture[str]
) -> None:
    async with _door_with({**BUILT_IN, CheckType.SPAM: {"broken": Source(Broken)}}, settings, headers()) as client:
        body = await check(client, f"poison {PERSONAL}", "spam", "pii")
        clean = await check(client, "poison", "spam", "pii")
        fine = await check(client, "harmless", "spam", "pii")
    failed = {"available": False, "reason": "detector_failed", "detector": "broken", "detector_version": "1"}
    assert body["results"]["spam"] == failed
    assert body["results"]["pii"]["redacted"] == f"poison {REDACTED}"
    assert [clean["status"], fine["status"]] == ["incomplete", "passed"]
    logged = capsys.readouterr()
    assert "poison" not in logged.err + logged.out


async def test_a_detector_that_cannot_be_built_costs_its_own_type_only(
    settings: Settings, headers: Callable[..., Headers]
) -> None:
    makers = {**BUILT_IN, CheckType.SPAM: {"broken": Source(_unbuildable)}}
    async with _door_with(makers, settings, headers()) as client:
        body = await check(client, "harmless", "spam", "pii")
    assert body["status"] == "incomplete"
    assert body["results"]["spam"] == {"available": False, "reason": "detector_not_loaded", "detector": "broken"}


# ---- the history


@pytest.fixture
async def history(compliance: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Four checks, oldest first."""
    return [
        await check(compliance, PERSONAL, "pii", policy="strict"),
        await check(compliance, "SSN: 536-22-8726", "pii"),
        await check(compliance, "Nothing to see here.", "pii"),
        await check(compliance, "Nothing to see here.", "pii", "spam"),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [3, 2, 1, 0]),
        ("status=blocked", [0]),
        ("status=incomplete", []),
        ("status=passed", [3, 2]),
        ("risk_level=high", [1]),
        ("check_type=spam", [3]),
        ("check_type=toxicity", []),
        ("entity=ssn", [1]),
        ("policy=strict", [0]),
        ("checked_by=user_123", [3, 2, 1, 0]),
        ("checked_by=user_x", []),
        ("status=flagged&risk_level=high&check_type=pii", [1]),
        ("to=2024-01-01", []),
        ("from=2024-01-01", [3, 2, 1, 0]),
    ],
)
async def test_the_history_is_filtered(
    compliance: httpx.AsyncClient, history: list[dict[str, Any]], query: str, expected: list[int]
) -> None:
    page = (await compliance.get(f"{API}/checks?{query}")).json()
    assert [item["check_id"] for item in page["items"]] == [history[n]["check_id"] for n in expected]


async def test_from_is_inclusive_and_to_exclusive(compliance: httpx.AsyncClient, history: list[dict[str, Any]]) -> None:
    span = {"from": history[1]["created_at"], "to": history[3]["created_at"]}
    page = (await compliance.get(f"{API}/checks", params=span)).json()
    assert [item["check_id"] for item in page["items"]] == [history[2]["check_id"], history[1]["check_id"]]


async def test_the_history_is_paged_without_gap_or_repeat(
    compliance: httpx.AsyncClient, history: list[dict[str, Any]]
) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        page = (await compliance.get(f"{API}/checks?limit=3{cursor and f'&cursor={cursor}'}")).json()
        seen += [item["check_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [made["check_id"] for made in reversed(history)]


async def test_a_list_leaves_out_spans_and_redacted_texts(
    compliance: httpx.AsyncClient, history: list[dict[str, Any]]
) -> None:
    listed = json.dumps((await compliance.get(f"{API}/checks")).json())
    assert '"spans"' not in listed
    assert "redacted" not in listed


@pytest.mark.parametrize("query", ["status=fine", "from=yesterday", "cursor=abc", "limit=-1", "check_type=sarcasm"])
async def test_a_bad_filter_is_named(compliance: httpx.AsyncClient, query: str) -> None:
    answer = await compliance.get(f"{API}/checks?{query}")
    assert problem(answer)[0] == 422
    assert problem(answer)[2] == [query.partition("=")[0]]


# ---- who sees what


async def test_a_user_sees_only_checks_of_their_own(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient
) -> None:
    made = await check(compliance, PERSONAL, "pii")
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        own = await check(ann, PERSONAL, "pii")
        listed = (await ann.get(f"{API}/checks")).json()["items"]
        assert [item["check_id"] for item in listed] == [own["check_id"]]
        assert (await ann.get(f"{API}/checks/{made['check_id']}")).status_code == 404
        assert (await ann.get(f"{API}/checks/{own['check_id']}")).status_code == 200
        assert (await ann.get(f"{API}/checks?checked_by=user_123")).status_code == 403
    assert (await compliance.get(f"{API}/checks/{own['check_id']}")).status_code == 200


async def test_another_tenant_sees_nothing(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient, tenant: str
) -> None:
    made = await check(compliance, PERSONAL, "pii")
    async with await doors.client("compliance", headers(of_tenant=f"{tenant}-other")) as other:
        assert (await other.get(f"{API}/checks/{made['check_id']}")).status_code == 404
        assert (await other.get(f"{API}/checks")).json()["items"] == []


@pytest.mark.parametrize(("method", "path"), [("POST", "check"), ("GET", "checks"), ("GET", "policies")])
async def test_a_token_without_the_permission_is_forbidden(
    doors: Doors, headers: Callable[..., Headers], method: str, path: str
) -> None:
    async with await doors.client("compliance", headers(permissions=["event:read"])) as client:
        answer = await client.request(method, f"{API}/{path}", json={"content": "x"} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
