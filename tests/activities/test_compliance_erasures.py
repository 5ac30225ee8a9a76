"""What an erasure must not leave behind, even of a person whose id could be any word."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.audit import AuditReports
from activities.compliance.data_requests import DataRequestActivities
from activities.compliance.reports import ReportActivities
from core.adapters.report_page import ReportPage
from core.adapters.report_page.compliance import CheckReportPage
from core.contracts.audit import CreateReport, ReportRef
from core.contracts.compliance import NewReport, ReportInput, ReportType
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
from core.ports import Printed
from core.settings import Settings
from core.store import audit as log
from core.store import compliance as checks
from core.store.compliance import data_requests as store
from core.tables.compliance import DataRequestRow
from tests.conftest import Doors, Headers

API, AUDIT = "/api/v1/compliance", "/api/v1/audit"
TERMS = {"rules": {"pii": {"action": "review"}}, "second_reviewer": True}
ANN = re.compile(r"\bann\b")
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


async def running(database: Database, tenant: str, **more: Any) -> DataRequestInput:
    request = await asked(database, tenant, RequestKind.ERASE, **more)
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


# ---- reports under way


async def report_on_checks(database: Database, tenant: str, requested_by: str) -> ReportInput:
    today, report = datetime.now(UTC).date(), ReportInput(tenant_id=tenant, report_id=new_id("report"))
    wanted = NewReport(
        **report.model_dump(),
        report_type=ReportType.PII_SUMMARY,
        first_day=today,
        last_day=today,
        include_details=True,
        requested_by=requested_by,
    )
    async with database.begin(tenant) as session:
        await checks.open_report(session, wanted)
    return report


async def report_on_the_log(database: Database, tenant: str, requested_by: str) -> ReportRef:
    now, ref = datetime.now(UTC), ReportRef(tenant_id=tenant, report_id=new_id("report"))
    period = {"period_start": now - timedelta(days=1), "period_end": now + timedelta(days=1)}
    wanted = CreateReport.model_validate({"standard": "SOC2", "include_details": True, **period})
    async with database.begin(tenant) as session:
        await log.add_report(session, tenant, ref.report_id, wanted, requested_by=requested_by, correlation_id=None)
    return ref


async def logged(doors: Doors, headers: Callable[..., Headers]) -> None:
    """Something that ann did."""
    wrote = {"event_type": "user.login", "category": "authentication", "action": "login"}
    async with await doors.client("audit", headers(user="ann")) as client:
        assert (await client.post(f"{AUDIT}/events", json=wrote)).is_success


class SlowPrinter:
    """Prints all that it is given, when it is told to."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def print(self, report: Any, result: Any) -> Printed:
        return Printed(await self.html(report, result), b"%PDF")

    async def html(self, report: Any, result: Any) -> str:
        self.asked.set()
        await self.go.wait()
        return f"{report.model_dump_json()} {result.model_dump_json()}"


async def meanwhile(printer: SlowPrinter, making: Awaitable[Any], erasing: Awaitable[None]) -> None:
    """The erasure comes while the report is being drawn, and has every chance to be over first."""
    made = asyncio.create_task(_of(making))
    await printer.asked.wait()
    erased = asyncio.create_task(_of(erasing))
    await asyncio.wait([erased], timeout=2)
    printer.go.set()
    await asyncio.gather(made, erased)


async def _of(work: Awaitable[Any]) -> None:
    await work


@pytest.mark.parametrize("asked_by", ["ann", "bob"])
async def test_a_report_on_checks_that_is_drawn_during_an_erasure_does_not_bring_the_name_back(
    activities: DataRequestActivities, ann: httpx.AsyncClient, database: Database, tenant: str, asked_by: str
) -> None:
    assert (await ann.post(f"{API}/check", json={"content": "joe@example.com", "check_types": ["pii"]})).is_success
    report = await report_on_checks(database, tenant, asked_by)
    printer, request = SlowPrinter(), await running(database, tenant)
    making = ReportActivities(database, printer=printer).build_report(report)
    await meanwhile(printer, making, erase(activities, request, Service.COMPLIANCE, Service.EVENT))
    [row] = await rows(database, tenant, "SELECT (to_jsonb(r) - 'html')::text AS whole FROM compliance.reports r")
    assert "completed" in row["whole"]
    assert "erased_ann" in row["whole"]
    assert '"ann"' not in row["whole"]
    told = await rows(database, tenant, "SELECT payload::text AS told FROM event.events")
    assert not [one for one in told if '"ann"' in one["told"]]


@pytest.mark.parametrize("asked_by", ["ann", "bob"])
async def test_a_report_on_the_log_that_is_drawn_during_an_erasure_does_not_bring_the_name_back(
    activities: DataRequestActivities,
    doors: Doors,
    headers: Callable[..., Headers],
    database: Database,
    tenant: str,
    asked_by: str,
) -> None:
    await logged(doors, headers)
    ref = await report_on_the_log(database, tenant, asked_by)
    printer, request = SlowPrinter(), await running(database, tenant)
    making = AuditReports(database, printer).build(ref)
    await meanwhile(printer, making, erase(activities, request, Service.AUDIT))
    [row] = await rows(database, tenant, "SELECT to_jsonb(r)::text AS whole FROM audit.reports r")
    assert "completed" in row["whole"]
    assert "erased_ann" in row["whole"]
    assert '"ann"' not in row["whole"]


# ---- reports that are done


async def test_the_page_of_a_report_on_checks_names_nobody_who_is_erased(
    activities: DataRequestActivities,
    compliance: httpx.AsyncClient,
    ann: httpx.AsyncClient,
    database: Database,
    tenant: str,
) -> None:
    assert (await ann.post(f"{API}/check", json={"content": "joe@example.com", "check_types": ["pii"]})).is_success
    report = await report_on_checks(database, tenant, "ann")
    await ReportActivities(database, printer=CheckReportPage()).build_report(report)
    await erase(activities, await running(database, tenant), Service.COMPLIANCE)
    page = (await compliance.get(f"{API}/reports/{report.report_id}/html")).text
    assert page.count(">erased_ann<") == 2
    assert not ANN.findall(page)


async def test_the_page_of_a_report_names_nobody_whose_id_it_has_to_escape(
    activities: DataRequestActivities, compliance: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    report = await report_on_checks(database, tenant, "o'hara")
    await ReportActivities(database, printer=CheckReportPage()).build_report(report)
    await erase(activities, await running(database, tenant, subject="o'hara"), Service.COMPLIANCE)
    page = (await compliance.get(f"{API}/reports/{report.report_id}/html")).text
    assert page.count(">erased_ann<") == 1
    assert "hara" not in page


async def test_no_form_of_a_report_on_the_log_names_anybody_who_is_erased(
    activities: DataRequestActivities,
    doors: Doors,
    headers: Callable[..., Headers],
    audit: httpx.AsyncClient,
    database: Database,
    tenant: str,
) -> None:
    await logged(doors, headers)
    ref = await report_on_the_log(database, tenant, "ann")
    await AuditReports(database, ReportPage()).build(ref)
    await erase(activities, await running(database, tenant), Service.AUDIT)
    place = f"{AUDIT}/compliance/reports/{ref.report_id}"
    for form in ("", "/html", "/csv", "/csv?part=events"):
        told = (await audit.get(place + form)).text
        assert "erased_ann" in told
        assert not ANN.findall(told)


async def test_the_log_tells_of_a_policy_assigned_to_somebody_under_the_pseudonym(
    activities: DataRequestActivities, compliance: httpx.AsyncClient, database: Database, tenant: str
) -> None:
    for who in ("ann", "bob"):
        wanted = {"policy": "strict", "scope": "caller", "subject": who}
        assert (await compliance.put(f"{API}/policy-assignments", json=wanted)).is_success
    await erase(activities, await running(database, tenant), Service.AUDIT)
    found = await rows(database, tenant, "SELECT resource_id FROM audit.events WHERE action = 'assigned'")
    assert {one["resource_id"] for one in found} == {"caller:erased_ann", "caller:bob"}


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
