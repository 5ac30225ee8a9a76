"""What a report is made of: counts from one look at the log, charts from a process of their own; made once."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from activities.audit import AuditReports
from core.adapters.aside import AsideFailed, ask
from core.adapters.charts import MODULE, Chart, ChartKind, Point, draw
from core.contracts.audit import (
    LISTED_EVENTS,
    AuditEvent,
    CreateReport,
    LogEvent,
    Outcome,
    ReportHead,
    ReportRef,
    ReportResult,
    Selection,
)
from core.db import Database
from core.domain import audit as rules
from core.errors import Invalid
from core.ids import new_id
from core.store import audit as store

AT = datetime(2024, 1, 15, tzinfo=UTC)
MONTH = store.Period(AT - timedelta(days=14), AT + timedelta(days=16))
EVERYTHING = [Selection(key="all", types=("*",))]


def _events(*types: str, actor: str = "ann") -> list[AuditEvent]:
    ids = [new_id("aud") for _ in types]
    return [
        rules.recorded(
            LogEvent(event_type=name, occurred_at=AT), event_id=one, actor_id=actor, correlation_id="", now=AT
        )
        for one, name in zip(ids, types, strict=True)
    ]


async def _log(database: Database, tenant: str, events: list[AuditEvent]) -> None:
    async with database.begin(tenant) as session:
        await store.append(session, tenant, events)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(key="s", types=("user.*",)), 2),
        (Selection(key="s", types=("user_x",)), 1),
        (Selection(key="s", types=("user.login", "user_x")), 2),
        (Selection(key="s", categories=("authentication",)), 2),
        (Selection(key="s", types=("*",), outcomes=(Outcome.FAILURE,)), 1),
        (Selection(key="s", types=("nothing",)), 0),
    ],
)
async def test_a_selection_counts_what_it_names(
    database: Database, tenant: str, selection: Selection, expected: int
) -> None:
    await _log(database, tenant, _events("user.login", "user.login.failed", "user_x", "userax"))
    async with database.begin(tenant) as session:
        found = await store.figures(session, MONTH, [selection])
        listed = await store.details(session, MONTH, [selection])
    assert (found.selected["s"].events if "s" in found.selected else 0) == expected
    assert len(listed.events) == expected


async def test_details_say_when_there_are_more(database: Database, tenant: str) -> None:
    await _log(database, tenant, _events(*["a.b"] * LISTED_EVENTS))
    async with database.begin(tenant) as session:
        assert not (await store.details(session, MONTH, EVERYTHING)).truncated
    await _log(database, tenant, _events("a.b"))
    async with database.begin(tenant) as session:
        listed = await store.details(session, MONTH, EVERYTHING)
    assert (len(listed.events), listed.truncated) == (LISTED_EVENTS, True)


async def test_a_period_that_takes_too_long_to_count_is_told_so(database: Database, tenant: str) -> None:
    await _log(database, tenant, _events(*[f"a.b{i}" for i in range(2000)]))
    with pytest.raises(Invalid) as refused:
        async with database.begin(tenant) as session:
            await (await session.connection()).execute(text("SET LOCAL statement_timeout = '1ms'"))
            await store.figures(session, MONTH, EVERYTHING)
    assert refused.value.code == "audit.report_too_large"


# ---- made once


class _Printer:
    """Prints one word, and counts."""

    def __init__(self) -> None:
        self.printed = 0

    async def html(self, report: ReportHead, result: ReportResult) -> str:
        self.printed += 1
        return f"events: {result.totals.events}"


async def test_an_activity_that_runs_again_leaves_one_report_and_one_fact(database: Database, tenant: str) -> None:
    await _log(database, tenant, _events("a.b"))
    ref = ReportRef(tenant_id=tenant, report_id=new_id("report"))
    wanted = CreateReport.model_validate({"standard": "SOC2", "period_start": "2024-01-01", "period_end": "2024-01-31"})
    async with database.begin(tenant) as session:
        await store.add_report(session, tenant, ref.report_id, wanted, requested_by="ann", correlation_id=None)
    printer = _Printer()
    reports = AuditReports(database, printer)
    built = [await reports.build(ref) for _ in range(2)]
    assert [one.events for one in built] == [1, 1]
    assert printer.printed == 1
    async with database.begin(tenant) as session:
        told = await (await session.connection()).execute(text("SELECT event_type FROM event.events"))
        assert told.scalars().all() == ["compliance.report.completed"]


# ---- charts


async def test_charts_are_drawn_with_their_labels() -> None:
    days = Chart(kind=ChartKind.DAYS, points=[Point("2024-01-31", 3, "succeeded"), Point("2024-02-01", 1, "failed")])
    bars = Chart(kind=ChartKind.BARS, points=[Point("user.login", 3), Point("<b>&", 1)])
    drawn = await draw([days, bars])
    assert [svg.startswith("<svg") for svg in drawn] == [True, True]
    assert "succeeded" in drawn[0]
    assert "user.login" in drawn[1]
    assert "&lt;b&gt;&amp;" in drawn[1]
    assert not re.search(r"<(script|image|foreignObject)|href=", "".join(drawn))


async def test_one_day_stands_once_below_its_chart() -> None:
    (drawn,) = await draw([Chart(kind=ChartKind.DAYS, points=[Point("2024-01-31", 3)])])
    assert drawn.count(">31 Jan 2024<") == 1


async def test_a_single_day_is_no_bar_as_wide_as_the_chart_of_a_week() -> None:
    week = [Point(f"2024-01-{day:02d}", 3) for day in range(1, 8)]
    drawn = await draw([Chart(kind=ChartKind.DAYS, points=points) for points in (week[:1], week)])
    one, seven = (float(found[1]) for svg in drawn if (found := re.search(r'width="([\d.]+)"', svg)))
    assert one < seven / 3


async def test_a_chart_that_cannot_be_drawn_says_why() -> None:
    with pytest.raises(AsideFailed, match="Input should be a valid array"):
        await ask(MODULE, b'"no charts"')
