"""audit.report on a real Temporal: right figures, a page with charts, CSV, a failure that says why; the pump."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import Worker

from activities.audit import AuditReports
from core.auth import Scope, mint_token
from core.contracts.audit import REPORT_RUN, CreateReport, ReportHead, ReportRef, ReportResult, report_run_id
from core.db import Database
from core.errors import Unavailable
from core.ids import new_id
from core.ports import ReportPrinter
from core.settings import Settings
from core.store import audit as store
from core.temporal import sandbox
from tests.conftest import Doors, Headers, StartWorkers, eventually
from workflows.audit import AuditReport

AUDIT = "/api/v1/audit"
REPORTS = f"{AUDIT}/compliance/reports"
JANUARY: dict[str, Any] = {"standard": "GDPR", "period_start": "2024-01-01", "period_end": "2024-01-31"}
EVENTS: list[dict[str, Any]] = [
    {"event_type": "user.login", "category": "authentication", "actor_id": "ann", "occurred_at": "2024-01-01"},
    {"event_type": "user.login.failed", "category": "authentication", "actor_id": "bob", "occurred_at": "2024-01-02"},
    {"event_type": "user.login.failed", "category": "authentication", "actor_id": "bob", "occurred_at": "2024-01-02"},
    {"event_type": "role.granted", "severity": "high", "actor_id": "root", "occurred_at": "2024-01-03"},
    {"event_type": "file.view", "actor_id": "ann", "occurred_at": "2024-01-31T23:59:59Z"},
    {"event_type": "user.deleted", "actor_id": "root", "occurred_at": "2024-01-31T12:00:00Z"},
    {"event_type": "file.view", "actor_id": "too early", "occurred_at": "2023-12-31T23:59:59Z"},
    {"event_type": "file.view", "actor_id": "too late", "occurred_at": "2024-02-01T00:00:00Z"},
]


async def asked(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await client.post(REPORTS, json={**JANUARY, **more})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"{REPORTS}/{answer.json()['report_id']}"
    report: dict[str, Any] = answer.json()
    return report


async def finished(client: httpx.AsyncClient, report: dict[str, Any]) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        now: dict[str, Any] = (await client.get(f"{REPORTS}/{report['report_id']}")).json()
        return now if now["status"] in ("completed", "failed") else None

    return await eventually(look, within=60) or {}


@pytest.fixture(scope="module")
async def reader(doors: Doors, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An admin of a tenant that the tests of one report share."""
    token = mint_token(settings, user="admin", scope=Scope.ADMIN, tenant=new_id("org"))
    async with await doors.client("audit", {"Authorization": f"Bearer {token}"}) as client:
        yield client


@pytest.fixture(scope="module")
async def completed(reader: httpx.AsyncClient, workers: StartWorkers) -> dict[str, Any]:
    """January's report, with details."""
    await workers("platform", "audit")
    sent = await reader.post(f"{AUDIT}/events/batch", json={"events": EVENTS})
    assert sent.status_code == 201
    report = await finished(reader, await asked(reader, include_details=True))
    assert report["status"] == "completed", report
    return report


def _counts(listed: list[dict[str, Any]]) -> dict[str, int]:
    return {count["name"]: count["events"] for count in listed}


async def test_a_report_counts_its_period_and_nothing_else(completed: dict[str, Any]) -> None:
    result = completed["result"]
    assert result["totals"] == {"events": 6, "actors": 3, "event_types": 5, "failures": 2, "grave": 1}
    assert _counts(result["by_category"]) == {
        "authentication": 3,
        "authorization": 1,
        "data_access": 1,
        "data_change": 1,
    }
    assert _counts(result["by_severity"]) == {"info": 5, "high": 1}
    assert _counts(result["by_outcome"]) == {"success": 4, "failure": 2}
    assert [(day["day"], day["events"], day["failures"]) for day in result["by_day"]] == [
        ("2024-01-01", 1, 0),
        ("2024-01-02", 2, 2),
        ("2024-01-03", 1, 0),
        ("2024-01-31", 2, 0),
    ]


async def test_a_report_looks_closer_at_what_auditors_ask(completed: dict[str, Any]) -> None:
    sections = {section["key"]: section for section in completed["result"]["sections"]}
    failed = sections["failed_logins"]
    assert (failed["events"], failed["actors"]) == (2, 1)
    assert [(actor["actor_id"], actor["events"]) for actor in failed["top_actors"]] == [("bob", 2)]
    assert sections["privileged_actions"]["events"] == 1
    assert sections["personal_data_access"]["events"] == 1
    assert sections["security_events"]["events"] == 0


async def test_controls_tell_whether_the_log_has_evidence(completed: dict[str, Any]) -> None:
    controls = {control["reference"]: control for control in completed["result"]["controls"]}
    assert (controls["Art. 32"]["events"], controls["Art. 32"]["has_evidence"]) == (4, True)
    assert controls["Art. 17"]["events"] == 1
    assert (controls["Art. 7"]["events"], controls["Art. 7"]["has_evidence"]) == (0, False)


async def test_details_list_the_events_newest_first(completed: dict[str, Any]) -> None:
    details = completed["result"]["details"]
    assert details["truncated"] is False
    assert [event["event_type"] for event in details["events"]][:2] == ["file.view", "user.deleted"]
    assert len(details["events"]) == 6


async def test_a_report_can_be_read_as_a_page_with_charts(reader: httpx.AsyncClient, completed: dict[str, Any]) -> None:
    page = await reader.get(f"{REPORTS}/{completed['report_id']}/html")
    assert page.headers["content-type"].startswith("text/html")
    assert page.text.count("<svg") == 4
    assert "user.login.failed" in page.text
    assert "<script" not in page.text


async def test_a_report_can_be_read_as_csv(reader: httpx.AsyncClient, completed: dict[str, Any]) -> None:
    url = f"{REPORTS}/{completed['report_id']}/csv"
    figures = list(csv.DictReader(io.StringIO((await reader.get(url)).text)))
    assert {"section": "totals", "item": "", "measure": "events", "value": "6"} in figures
    events = list(csv.DictReader(io.StringIO((await reader.get(url, params={"part": "events"})).text)))
    assert [event["actor_id"] for event in events][:2] == ["ann", "root"]


async def test_a_report_tells_what_became_of_alerts(audit: httpx.AsyncClient, workers: StartWorkers) -> None:
    await workers("platform", "audit")
    alerts = f"{AUDIT}/security/alerts"
    alert = {"alert_type": "malware", "severity": "critical", "description": "found"}
    made = [(await audit.post(alerts, json=alert)).json()["alert_id"] for _ in range(3)]
    await audit.patch(f"{alerts}/{made[0]}", json={"status": "resolved"})
    await audit.patch(f"{alerts}/{made[1]}", json={"status": "false_positive"})
    this_year = {"period_start": f"{datetime.now(UTC).year}-01-01", "period_end": f"{datetime.now(UTC).year}-12-31"}
    report = await finished(audit, await asked(audit, **this_year))
    told = report["result"]["alerts"]
    assert (told["opened"], told["resolved"], told["false_positive"], told["open_at_end"]) == (3, 1, 1, 1)
    assert _counts(told["by_severity"]) == {"critical": 3}
    assert 0 <= told["mean_seconds_to_close"] <= told["longest_seconds_to_close"]


async def test_a_report_over_nothing_is_completed_and_says_so(audit: httpx.AsyncClient, workers: StartWorkers) -> None:
    await workers("platform", "audit")
    report = await finished(audit, await asked(audit, standard="PCI_DSS"))
    assert report["result"]["totals"]["events"] == 0
    assert not any(control["has_evidence"] for control in report["result"]["controls"])
    page = (await audit.get(f"{REPORTS}/{report['report_id']}/html")).text
    assert "The log holds no event of this period." in page


async def test_what_a_user_wrote_cannot_become_part_of_the_page(
    audit: httpx.AsyncClient, workers: StartWorkers
) -> None:
    await workers("platform", "audit")
    evil = {"event_type": "file.view", "actor_id": "<script>alert(1)</script>", "occurred_at": "2024-01-01"}
    await audit.post(f"{AUDIT}/events", json=evil)
    report = await finished(audit, await asked(audit, include_details=True))
    page = await audit.get(f"{REPORTS}/{report['report_id']}/html")
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


# ---- failure


class _BrokenPrinter:
    """A printer that cannot print."""

    async def html(self, report: ReportHead, result: ReportResult) -> str:
        raise Unavailable("The printer is out of ink.", code="out_of_ink")


class _SlowPrinter:
    """A printer that waits to be told."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def html(self, report: ReportHead, result: ReportResult) -> str:
        self.asked.set()
        await self.go.wait()
        return "printed too late"


@pytest.fixture
async def waiting(database: Database, tenant: str) -> ReportRef:
    """A report that was asked for and nobody makes yet."""
    ref = ReportRef(tenant_id=tenant, report_id=new_id("report"))
    wanted = CreateReport.model_validate(JANUARY)
    async with database.begin(tenant) as session:
        await store.add_report(session, tenant, ref.report_id, wanted, requested_by="ann", correlation_id=None)
    return ref


@asynccontextmanager
async def running(
    temporal: Client, database: Database, printer: ReportPrinter, ref: ReportRef
) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """The report's workflow, on a worker of its own that prints with this printer."""
    reports, queue = AuditReports(database, printer), new_id("queue")
    activities: list[Callable[..., Any]] = [reports.build, reports.fail]
    async with Worker(
        temporal, task_queue=queue, workflows=[AuditReport], activities=activities, workflow_runner=sandbox()
    ):
        yield await temporal.start_workflow(REPORT_RUN, ref, id=report_run_id(ref.report_id), task_queue=queue)


async def test_a_report_that_cannot_be_made_fails_and_says_why(
    audit: httpx.AsyncClient, database: Database, temporal: Client, waiting: ReportRef
) -> None:
    async with running(temporal, database, _BrokenPrinter(), waiting) as report:
        with pytest.raises(WorkflowFailureError):
            await report.result()
    told = (await audit.get(f"{REPORTS}/{waiting.report_id}")).json()
    assert told["status"] == "failed"
    assert told["failure"] == {"code": "out_of_ink", "message": "The printer is out of ink."}


async def test_a_report_that_an_operator_cancels_stays_failed(
    audit: httpx.AsyncClient, database: Database, temporal: Client, waiting: ReportRef
) -> None:
    printer = _SlowPrinter()
    async with running(temporal, database, printer, waiting) as report:
        await printer.asked.wait()
        await report.cancel()
        with pytest.raises(WorkflowFailureError):
            await report.result()
        printer.go.set()
    told = (await audit.get(f"{REPORTS}/{waiting.report_id}")).json()
    assert (told["status"], told["failure"]["code"]) == ("failed", "report_cancelled")


async def test_an_unfinished_report_has_no_documents_yet(audit: httpx.AsyncClient, waiting: ReportRef) -> None:
    answer = await audit.get(f"{REPORTS}/{waiting.report_id}/html")
    assert (answer.status_code, answer.json()["code"]) == (409, "report_not_ready")


# ---- asking


async def test_an_unknown_standard_is_told_the_known_ones(audit: httpx.AsyncClient) -> None:
    answer = await audit.post(REPORTS, json={**JANUARY, "standard": "GDRP"})
    assert answer.status_code == 422
    assert "'GDPR', 'SOC2', 'HIPAA', 'PCI_DSS' or 'ISO27001'" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"period_end": "2023-12-31"}, "period_end"),
        ({"period_start": "1990-01-01"}, "period_end"),
        ({"period_start": "0001-01-01"}, "period_start"),
        ({"period_end": "2024-02-30"}, "period_end"),
        ({"include_details": "perhaps"}, "include_details"),
    ],
)
async def test_a_bad_request_is_refused_by_field(audit: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await audit.post(REPORTS, json={**JANUARY, **body})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_reports_are_for_those_who_manage(doors: Doors, headers: Callable[..., Headers]) -> None:
    async with await doors.client("audit", headers(scope="user")) as user:
        answers = [await user.post(REPORTS, json=JANUARY), await user.get(REPORTS)]
    assert [answer.status_code for answer in answers] == [403, 403]


async def test_reports_are_listed_newest_first(audit: httpx.AsyncClient) -> None:
    made = [(await asked(audit))["report_id"] for _ in range(3)]
    page = (await audit.get(REPORTS, params={"limit": 2})).json()
    assert [report["report_id"] for report in page["items"]] == made[:0:-1]
    rest = (await audit.get(REPORTS, params={"cursor": page["next_cursor"]})).json()
    assert [report["report_id"] for report in rest["items"]] == made[:1]


# ---- the pump


async def test_the_pump_rolls_up_what_is_logged(
    audit: httpx.AsyncClient, database: Database, tenant: str, workers: StartWorkers
) -> None:
    await workers("platform", "audit")
    await audit.post(f"{AUDIT}/events/batch", json={"events": [{"event_type": "a.b"}] * 7})

    async def rolled() -> int:
        async with database.begin(tenant) as session:
            return await store.rolled_up(session, "user_123")

    assert await eventually(rolled) == 7
    assert (await audit.get(f"{AUDIT}/users/user_123/summary")).json()["total_events"] == 7
