"""What a report on compliance checks shows, before anybody decides in what form: facts, charts, tables."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from core.adapters.charts import Chart, ChartKind, Point
from core.contracts.compliance import CheckStatus, NewReport, ReportDetails, ReportResult, ReportType, ReviewFigures
from core.contracts.platform import Answer

TITLES = {
    ReportType.PII_SUMMARY: "Personal data in checked texts",
    ReportType.MODERATION_SUMMARY: "Moderation of checked texts",
    ReportType.POLICY_EFFECTIVENESS: "What the policies led to",
    ReportType.REVIEW_SLA: "The review queue",
}
CHARTED_POLICIES = 12
ACTED = (CheckStatus.BLOCKED, CheckStatus.REVIEW, CheckStatus.FLAGGED)
Cell = str | int
CHECKED_BY = "Checked by"


class Titled(NamedTuple):
    """A chart with the line above it."""

    title: str
    chart: Chart


class Table(Answer):
    """A table; a column is numeric when every cell in it is a number."""

    caption: str
    columns: list[str]
    rows: list[list[Cell]]
    remark: str = ""

    def numeric(self, column: int) -> bool:
        """Whether this column is set to the right."""
        return all(isinstance(row[column], int) for row in self.rows)

    def names_people(self, column: int) -> bool:
        """Whether this column holds ids of people."""
        return self.columns[column] == CHECKED_BY


class Sheet(NamedTuple):
    """A whole report."""

    report_id: str
    title: str
    subtitle: str
    requested_by: str
    facts: list[tuple[str, Cell]]
    remark: str
    charts: list[Titled]
    tables: list[Table]


def sheet_of(report: NewReport, result: ReportResult) -> Sheet:
    """The sheet of any type of report."""
    whose = f"checks of {report.only_of}" if report.only_of else "all checks"
    of_reviews = result.reviews is not None
    return Sheet(
        report_id=report.report_id,
        title=TITLES[report.report_type],
        subtitle=f"{report.first_day} to {report.last_day}, days in UTC, both included · {whose}",
        requested_by=report.requested_by,
        facts=list(_review_facts(result.reviews) if result.reviews else _facts(result)),
        remark="" if result.total_checks or of_reviews else "There were no such checks on these days.",
        charts=list(_review_charts(result.reviews) if result.reviews else _charts(result)),
        tables=list(_review_tables(result.reviews) if result.reviews else _tables(result)),
    )


def _facts(result: ReportResult) -> Iterator[tuple[str, Cell]]:
    yield "checks", result.total_checks
    yield "with findings", result.flagged_checks
    if result.by_policy is not None:
        yield "policies in use", len(result.by_policy)


def _charts(result: ReportResult) -> Iterator[Titled]:
    if not result.total_checks:
        return
    clean = [Point(day.day.isoformat(), day.checks - day.flagged, "without findings") for day in result.by_day]
    found = [Point(day.day.isoformat(), day.flagged, "with findings") for day in result.by_day]
    yield Titled("Checks by day", Chart(kind=ChartKind.DAYS, points=[*clean, *found], unit="checks"))
    if result.by_policy:
        shares = {name: round(100 * one.acted / one.checks) for name, one in result.by_policy.items() if one.checks}
        most = sorted(shares.items(), key=lambda one: -one[1])[:CHARTED_POLICIES]
        yield _bars("Checks that a policy acted on, in percent", most, unit="percent of its checks")
        return
    yield _bars("Checks by status", result.by_status.items())
    yield _bars("Checks by risk", result.by_risk.items())
    if result.by_entity:
        yield _bars("Checks by kind of personal data", result.by_entity.items())


def _bars(title: str, counts: Iterable[tuple[str, int]], unit: str = "checks") -> Titled:
    return Titled(title, Chart(kind=ChartKind.BARS, points=[Point(word, count) for word, count in counts], unit=unit))


def _tables(result: ReportResult) -> Iterator[Table]:
    if result.by_policy:
        yield _policies(result)
    if result.by_type:
        yield Table(
            caption="By type of check",
            columns=["Type", "Checked", "With findings", "No detector could judge"],
            rows=[[word.value, one.checked, one.flagged, one.unavailable] for word, one in result.by_type.items()],
        )
    yield from _counted("By status", "Status", result.by_status.items())
    yield from _counted("By risk", "Risk", result.by_risk.items())
    yield from _counted("By kind of personal data", "Kind", result.by_entity.items())
    if result.details:
        yield _details(result.details)


def _policies(result: ReportResult) -> Table:
    known = (result.by_policy or {}).items()
    return Table(
        caption="By policy",
        columns=["Policy", "Checks", "Acted on", "Blocked", "In review", "Flagged", "Decided by a person", "Upheld"],
        rows=[
            [
                name,
                one.checks,
                one.acted,
                *(
                    one.by_status.get(word, 0)
                    for word in (CheckStatus.BLOCKED, CheckStatus.REVIEW, CheckStatus.FLAGGED)
                ),
                *(count if count is not None else "–" for count in (one.reviewed, one.upheld)),
            ]
            for name, one in known
        ],
        remark="Upheld: a person rejected the text that the policy had sent to review.",
    )


def _counted(caption: str, column: str, counts: Iterable[tuple[str, int]]) -> Iterator[Table]:
    if rows := [list[Cell]([str(word), count]) for word, count in counts]:
        yield Table(caption=caption, columns=[column, "Checks"], rows=rows)


def _details(details: ReportDetails) -> Table:
    more = "; there are more than are listed here" if details.truncated else ""
    return Table(
        caption="Checks with findings",
        columns=["Time", "Status", "Risk", "Personal data", "Policy", CHECKED_BY, "Id"],
        rows=[
            [
                check.created_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
                check.status.value,
                check.risk_level.value,
                ", ".join(check.entities),
                check.policy,
                check.checked_by,
                check.check_id,
            ]
            for check in details.checks
        ],
        remark=f"{len(details.checks)} checks, the newest first{more}.",
    )


def _review_facts(found: ReviewFigures) -> Iterator[tuple[str, Cell]]:
    yield "opened", found.opened
    yield "decided", found.decided
    yield "decided in time", f"{round(100 * found.in_time / found.decided)} %" if found.decided else "none"
    yield "median time", _minutes(found.median_minutes)
    yield "slowest tenth from", _minutes(found.slowest_tenth_minutes)
    yield "waiting now", found.waiting
    yield "of these overdue", found.overdue


def _minutes(value: float | None) -> str:
    if value is None:
        return "none"
    hours, minutes = divmod(round(value), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _review_charts(found: ReviewFigures) -> Iterator[Titled]:
    if not found.by_day:
        return
    in_time = [Point(day.day.isoformat(), day.decided - day.late, "decided in time") for day in found.by_day]
    late = [Point(day.day.isoformat(), day.late, "decided late") for day in found.by_day]
    opened = [Point(day.day.isoformat(), day.opened, "opened") for day in found.by_day]
    yield Titled("Decisions by day", Chart(kind=ChartKind.DAYS, points=[*in_time, *late], unit="reviews"))
    yield Titled("Reviews opened by day", Chart(kind=ChartKind.DAYS, points=opened, unit="reviews"))


def _review_tables(found: ReviewFigures) -> Iterator[Table]:
    if found.by_decision:
        yield Table(
            caption="By decision",
            columns=["Decision", "Reviews"],
            rows=[[word, count] for word, count in found.by_decision.items()],
        )
    if found.by_day:
        yield Table(
            caption="By day",
            columns=["Day", "Opened", "Decided", "Late"],
            rows=[[day.day.isoformat(), day.opened, day.decided, day.late] for day in found.by_day],
        )
