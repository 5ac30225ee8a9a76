"""Compliance reports: asked for as work, right in their figures, read as JSON, page and table."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import httpx
import psycopg
import pytest
from pypdf import PdfReader
from temporalio.client import Client

from core.contracts.compliance import (
    QUEUE,
    REPORTS_SCHEDULED,
    NewReport,
    OpenedReports,
    ReportInput,
    ReportType,
    ScheduledReports,
)
from core.db import Database, plain_url
from core.ids import new_id
from core.store import compliance as store
from tests.conftest import Doors, Headers, StartWorkers, eventually

API = "/api/v1/compliance"
MAIL, NUMBER = "write to ann@example.com", "SSN: 536-22-8726"
FRENCH = "Nous avons passé une belle journée au bord de la rivière avec nos amis et leurs enfants."
PII_MONTH = {"report_type": "pii_summary", "period": "monthly"}


@pytest.fixture(autouse=True)
async def running(workers: StartWorkers) -> None:
    await workers("compliance")


async def check(client: httpx.AsyncClient, content: str, **more: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/check", json={"content": content, "check_types": ["pii"], **more})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def report(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    asked = await client.post(f"{API}/reports", json=body)
    assert asked.status_code == 202, asked.text

    async def probe() -> dict[str, Any] | None:
        found: dict[str, Any] = (await client.get(asked.headers["location"])).json()
        return found if found["status"] == "completed" else None

    made = await eventually(probe, within=40)
    assert made is not None
    return made


async def test_a_report_is_accepted_at_once_and_says_where_to_look(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(f"{API}/reports", json=PII_MONTH | {"include_details": True})
    body = answer.json()
    today = datetime.now(UTC).date()
    assert (answer.status_code, body["status"], body["result"]) == (202, "pending", None)
    assert answer.headers["location"] == f"{API}/reports/{body['report_id']}"
    assert (body["from"], body["to"]) == (today.replace(day=1).isoformat(), today.isoformat())
    assert "compliance.report" in body["workflow_url"]


async def test_the_figures_are_those_of_the_checks(compliance: httpx.AsyncClient) -> None:
    await check(compliance, MAIL)
    await check(compliance, f"{MAIL}, {NUMBER}", policy="strict")
    await check(compliance, "Nothing to see here.")
    await check(compliance, MAIL, check_types=["spam"])
    result = (await report(compliance, PII_MONTH))["result"]
    assert (result["total_checks"], result["flagged_checks"]) == (3, 2)
    assert result["by_status"] == {"passed": 1, "flagged": 1, "blocked": 1}
    assert result["by_risk"] == {"none": 1, "medium": 1, "high": 1}
    assert result["by_type"] == {"pii": {"checked": 3, "flagged": 2, "unavailable": 0}}
    assert result["by_entity"] == {"email": 2, "ssn": 1}
    assert result["by_day"] == [{"day": datetime.now(UTC).date().isoformat(), "checks": 3, "flagged": 2}]
    assert result["details"] is None


async def test_a_moderation_summary_counts_what_nobody_could_judge(compliance: httpx.AsyncClient) -> None:
    await check(compliance, FRENCH, check_types=["spam", "nsfw"])
    result = (await report(compliance, {"report_type": "moderation_summary", "period": "daily"}))["result"]
    assert result["by_status"] == {"incomplete": 1}
    assert result["by_type"]["spam"] == {"checked": 1, "flagged": 0, "unavailable": 1}


async def test_checks_of_a_batch_count(compliance: httpx.AsyncClient) -> None:
    sent = {"items": [{"content": MAIL}, {"content": "fine"}], "check_types": ["pii"], "wait": 30}
    assert (await compliance.post(f"{API}/batch-check", json=sent)).status_code == 200
    assert (await report(compliance, PII_MONTH))["result"]["by_entity"] == {"email": 1}


async def test_days_outside_are_not_counted(compliance: httpx.AsyncClient) -> None:
    await check(compliance, MAIL)
    wanted = {"report_type": "pii_summary", "from": "2024-01-01", "to": "2024-01-31"}
    assert (await report(compliance, wanted))["result"]["total_checks"] == 0


async def test_details_list_the_checks_with_findings_newest_first(compliance: httpx.AsyncClient) -> None:
    made = [await check(compliance, text) for text in (MAIL, "Nothing to see here.", NUMBER)]
    details = (await report(compliance, PII_MONTH | {"include_details": True}))["result"]["details"]
    assert [one["check_id"] for one in details["checks"]] == [made[2]["check_id"], made[0]["check_id"]]
    assert details["checks"][0]["entities"] == ["ssn"]
    assert details["truncated"] is False


async def test_a_users_report_counts_that_users_checks_only(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient
) -> None:
    await check(compliance, MAIL)
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        own = await check(ann, NUMBER)
        made = await report(ann, PII_MONTH | {"include_details": True})
    assert made["result"]["by_entity"] == {"ssn": 1}
    assert [one["check_id"] for one in made["result"]["details"]["checks"]] == [own["check_id"]]
    assert (await report(compliance, PII_MONTH))["result"]["total_checks"] == 2


async def test_a_user_reaches_only_reports_of_their_own(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient
) -> None:
    report_id = (await compliance.post(f"{API}/reports", json=PII_MONTH)).json()["report_id"]
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        assert (await ann.get(f"{API}/reports")).json()["items"] == []
        for path in ("", "/html", "/csv"):
            assert (await ann.get(f"{API}/reports/{report_id}{path}")).status_code == 404


async def test_reports_are_listed_newest_first_without_their_results(compliance: httpx.AsyncClient) -> None:
    asked = [(await compliance.post(f"{API}/reports", json=PII_MONTH)).json()["report_id"] for _ in range(3)]
    first = (await compliance.get(f"{API}/reports?limit=2")).json()
    second = (await compliance.get(f"{API}/reports?limit=2&cursor={first['next_cursor']}")).json()
    assert [one["report_id"] for one in first["items"] + second["items"]] == asked[::-1]
    assert "result" not in first["items"][0]


async def test_a_completed_report_is_a_page_with_charts(compliance: httpx.AsyncClient) -> None:
    await check(compliance, f"{MAIL} marker-in-the-text")
    made = await report(compliance, PII_MONTH | {"include_details": True})
    page = await compliance.get(f"{API}/reports/{made['report_id']}/html")
    assert page.headers["content-type"].startswith("text/html")
    assert page.text.count("<svg") == 4
    assert "Personal data in checked texts" in page.text
    assert "marker-in-the-text" not in page.text


async def test_a_completed_report_is_a_pdf_with_the_same_words(compliance: httpx.AsyncClient) -> None:
    await check(compliance, f"{MAIL} marker-in-the-text")
    made = await report(compliance, PII_MONTH)
    answer = await compliance.get(f"{API}/reports/{made['report_id']}/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'attachment; filename="{made["report_id"]}.pdf"'
    words = " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)
    assert "Personal data in checked texts" in words
    assert made["report_id"] in words
    assert "marker-in-the-text" not in words


async def test_words_of_others_are_no_markup_in_a_pdf(doors: Doors, headers: Callable[..., Headers]) -> None:
    odd = '#panic("x") *bold* $a$ [b] \\ @c'
    async with await doors.client("compliance", headers(user=odd)) as client:
        await check(client, MAIL)
        made = await report(client, PII_MONTH)
        answer = await client.get(f"{API}/reports/{made['report_id']}/pdf")
    words = " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)
    assert odd in " ".join(words.split())


async def test_policy_effectiveness_tells_what_each_version_led_to(compliance: httpx.AsyncClient) -> None:
    await check(compliance, MAIL)
    await check(compliance, "Nothing to see here.")
    await check(compliance, MAIL, policy="strict")
    made = await report(compliance, {"report_type": "policy_effectiveness", "period": "daily"})
    policies = made["result"]["by_policy"]
    assert policies["default@1"]["by_status"] == {"flagged": 1, "passed": 1}
    assert (policies["default@1"]["checks"], policies["default@1"]["acted"]) == (2, 1)
    assert policies["strict@1"]["by_status"] == {"blocked": 1}
    assert policies["strict@1"]["by_type"] == {"pii": 1}
    page = await compliance.get(f"{API}/reports/{made['report_id']}/html")
    assert "strict@1" in page.text


async def _reviewed(compliance: httpx.AsyncClient, *actions: str) -> str:
    """A policy of the tenant's own, and a decision about a check for each action; the policy's name."""
    terms = {"name": "careful", "rules": {"pii": {"action": "review"}}, "cache_seconds": 0}
    assert (await compliance.post(f"{API}/policies", json=terms)).status_code == 201
    for action in actions:
        review_id = (await check(compliance, MAIL, policy="careful"))["review"]["review_id"]
        for step in ("claim", action):
            assert (await compliance.post(f"{API}/reviews/{review_id}/{step}", json={})).status_code == 200
    return "careful@1"


async def test_review_sla_tells_of_the_queue(compliance: httpx.AsyncClient) -> None:
    await _reviewed(compliance, "approve", "reject", "reject")
    await check(compliance, MAIL, policy="careful")
    made = await report(compliance, {"report_type": "review_sla", "period": "daily"})
    found = made["result"]["reviews"]
    assert (found["opened"], found["decided"], found["in_time"], found["waiting"]) == (4, 3, 3, 1)
    assert found["by_decision"] == {"approved": 1, "rejected": 2}
    page = await compliance.get(f"{API}/reports/{made['report_id']}/html")
    assert page.text.count("<svg") == 2
    assert "The review queue" in page.text


async def test_policy_effectiveness_tells_how_often_people_agreed(compliance: httpx.AsyncClient) -> None:
    policy = await _reviewed(compliance, "approve", "reject")
    made = await report(compliance, {"report_type": "policy_effectiveness", "period": "daily"})
    figures = made["result"]["by_policy"][policy]
    assert (figures["acted"], figures["reviewed"], figures["upheld"]) == (2, 2, 1)


async def test_a_decision_counts_on_its_day_whenever_its_check_was_made(
    compliance: httpx.AsyncClient, database_url: str, tenant: str
) -> None:
    policy = await _reviewed(compliance, "approve", "reject")
    with psycopg.connect(plain_url(database_url)) as connection:
        connection.execute("UPDATE compliance.days SET day = day - 40 WHERE tenant_id = %s", (tenant,))
    made = await report(compliance, {"report_type": "policy_effectiveness", "period": "daily"})
    figures = made["result"]["by_policy"][policy]
    assert (figures["checks"], figures["reviewed"], figures["upheld"]) == (0, 2, 1)
    for form in ("html", "pdf", "csv"):
        assert (await compliance.get(f"{API}/reports/{made['report_id']}/{form}")).status_code == 200


async def test_a_report_may_reach_to_the_end_of_the_calendar(compliance: httpx.AsyncClient) -> None:
    wanted = {"report_type": "pii_summary", "from": "9999-12-01", "to": "9999-12-31", "include_details": True}
    assert (await report(compliance, wanted))["result"]["details"] == {"checks": [], "truncated": False}


async def test_the_review_queue_is_not_a_users_to_report_on(doors: Doors, headers: Callable[..., Headers]) -> None:
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        answer = await ann.post(f"{API}/reports", json={"report_type": "review_sla", "period": "daily"})
    assert answer.status_code == 403
    assert "service" in answer.json()["detail"]


def _add_a_check(url: str, tenant: str, day: date) -> None:
    """A counter as a check of that day would have left it: the door knows only today."""
    with psycopg.connect(plain_url(url)) as connection:
        connection.execute(
            "INSERT INTO compliance.days (tenant_id, who, day, figure, word, shard, count)"
            " VALUES (%s, '', %s, 'status', 'passed', 0, 7)",
            (tenant, day),
        )


async def test_last_months_reports_are_made_for_whoever_had_checks_and_only_once(
    compliance: httpx.AsyncClient, temporal: Client, database_url: str, tenant: str, workers: StartWorkers
) -> None:
    await workers("platform")
    _add_a_check(database_url, tenant, date(1987, 3, 31))  # a month that no other test has checks in
    for attempt in range(2):
        await temporal.execute_workflow(
            REPORTS_SCHEDULED,
            ScheduledReports(today=date(1987, 4, 1)),
            id=f"{tenant}-{attempt}",
            task_queue=QUEUE,
            result_type=OpenedReports,
        )

    async def made() -> list[dict[str, Any]] | None:
        items: list[dict[str, Any]] = (await compliance.get(f"{API}/reports")).json()["items"]
        return items if items and all(one["status"] == "completed" for one in items) else None

    items = await eventually(made, within=60)
    assert items is not None
    assert sorted(one["report_type"] for one in items) == sorted(ReportType)
    assert {(one["from"], one["to"], one["requested_by"]) for one in items} == {
        ("1987-03-01", "1987-03-31", "(schedule)")
    }


async def test_a_page_escapes_whoever_checked(doors: Doors, headers: Callable[..., Headers]) -> None:
    async with await doors.client("compliance", headers(user="<script>alert(1)</script>")) as odd:
        await check(odd, MAIL)
        made = await report(odd, PII_MONTH | {"include_details": True})
        page = await odd.get(f"{API}/reports/{made['report_id']}/html")
    assert "<script>" not in page.text


async def test_a_report_over_nothing_is_a_page_without_charts(compliance: httpx.AsyncClient) -> None:
    made = await report(compliance, PII_MONTH)
    page = await compliance.get(f"{API}/reports/{made['report_id']}/html")
    assert "There were no such checks" in page.text
    assert "<svg" not in page.text


async def test_a_completed_report_is_a_table(compliance: httpx.AsyncClient) -> None:
    await check(compliance, MAIL)
    made = await report(compliance, PII_MONTH)
    table = await compliance.get(f"{API}/reports/{made['report_id']}/csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert "entity,email,1" in table.text.splitlines()


async def _open(database: Database, tenant: str) -> ReportInput:
    day = datetime.now(UTC).date()
    new = NewReport(
        report_id=new_id("report"),
        tenant_id=tenant,
        report_type=ReportType.PII_SUMMARY,
        first_day=day,
        last_day=day,
        requested_by="user_123",
    )
    async with database.begin(tenant) as session:
        await store.open_report(session, new)
    return ReportInput(tenant_id=tenant, report_id=new.report_id)


async def test_a_report_still_being_made_has_no_page_yet(
    compliance: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    waiting = await _open(database, tenant)
    answer = await compliance.get(f"{API}/reports/{waiting.report_id}/html")
    assert (answer.status_code, answer.json()["code"]) == (409, "report_not_ready")
    assert answer.headers["retry-after"] == "1"


async def test_a_completed_report_is_told_to_the_event_store_once(
    compliance: httpx.AsyncClient, database_url: str, tenant: str
) -> None:
    made = await report(compliance, PII_MONTH)
    with psycopg.connect(plain_url(database_url)) as connection:
        query = "SELECT payload->>'report_id' FROM event.events WHERE tenant_id = %s AND event_type = %s"
        told = connection.execute(query, (tenant, "compliance.report_completed")).fetchall()
    assert told == [(made["report_id"],)]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"report_type": "weather", "period": "monthly"}, "moderation_summary"),
        ({"report_type": "pii_summary", "period": "hourly"}, "quarterly"),
        ({"report_type": "pii_summary"}, "period"),
        (PII_MONTH | {"from": "2024-01-01", "to": "2024-01-31"}, "period"),
        ({"report_type": "pii_summary", "from": "2024-01-01"}, "from and to"),
        ({"report_type": "pii_summary", "from": "2024-02-01", "to": "2024-01-01"}, "before"),
        ({"report_type": "pii_summary", "from": "1000-01-01", "to": "2024-01-01"}, "days"),
        ({"report_type": "pii_summary", "from": "soon", "to": "2024-01-01"}, "from"),
    ],
)
async def test_a_report_that_cannot_be_is_refused_with_what_can(
    compliance: httpx.AsyncClient, body: dict[str, Any], named: str
) -> None:
    answer = await compliance.post(f"{API}/reports", json=body)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]
