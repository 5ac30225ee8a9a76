"""Rules of the audit service: what is derived, how alerts move, what the standards ask, what a report says."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from core.contracts.audit import (
    ActorCount,
    AlertFigures,
    AlertStatus,
    Count,
    DayCount,
    Details,
    Figures,
    LogEvent,
    Outcome,
    Section,
    Selected,
    Severity,
    Standard,
    Totals,
)
from core.domain import audit as rules

NOW = datetime(2024, 1, 31, 12, tzinfo=UTC)
PATTERN = re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9_.:\-]*(\.\*)?")
statuses = some.sampled_from(AlertStatus)
words = some.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,40}", fullmatch=True)


# ---- what is derived


@pytest.mark.parametrize(
    ("event_type", "category"),
    [
        ("user.login", "authentication"),
        ("session.created", "authentication"),
        ("role.granted", "authorization"),
        ("file.view", "data_access"),
        ("file.upload", "data_change"),
        ("user.profile_update", "data_change"),
        ("payment.created", "payment"),
        ("config.changed", "configuration"),
        ("security.scan", "security"),
        ("consent.given", "privacy"),
        ("button.click", "activity"),
    ],
)
def test_a_category_comes_from_the_subject_else_from_the_verb(event_type: str, category: str) -> None:
    assert rules.category_of(event_type) == category


@pytest.mark.parametrize(
    ("event_type", "outcome"),
    [
        ("user.login", Outcome.SUCCESS),
        ("user.login.failed", Outcome.FAILURE),
        ("user.login_failed", Outcome.FAILURE),
        ("access.denied", Outcome.DENIED),
        ("file.failsafe", Outcome.SUCCESS),
    ],
)
def test_an_outcome_comes_from_the_words_of_the_type(event_type: str, outcome: Outcome) -> None:
    assert rules.outcome_of(event_type) is outcome


@given(words)
def test_every_type_has_a_category_and_an_outcome(event_type: str) -> None:
    assert rules.category_of(event_type)
    assert rules.outcome_of(event_type) in Outcome


@given(words, some.sampled_from(Severity), some.sampled_from(Outcome), words, words)
def test_what_the_caller_says_is_never_derived(
    event_type: str, severity: Severity, outcome: Outcome, category: str, actor: str
) -> None:
    wanted = LogEvent(event_type=event_type, severity=severity, outcome=outcome, category=category, actor_id=actor)
    kept = rules.recorded(wanted, event_id="aud_1", actor_id="caller", correlation_id="corr", now=NOW)
    assert (kept.severity, kept.outcome, kept.category, kept.actor_id) == (severity, outcome, category, actor)


@given(some.timedeltas(timedelta(0), timedelta(days=400)))
def test_only_what_clocks_cannot_explain_lies_in_the_future(ahead: timedelta) -> None:
    assert rules.is_future(NOW + ahead, NOW) is (ahead > rules.CLOCK_TOLERANCE)
    assert not rules.is_future(NOW - ahead, NOW)


# ---- how alerts move


@given(some.lists(statuses, max_size=10))
def test_whatever_is_asked_an_alert_ends_closed_for_good(asked: list[AlertStatus]) -> None:
    at, closed = AlertStatus.OPEN, None
    for wanted in asked:
        if rules.may_move(at, wanted):
            assert closed is None
            at = wanted
        if rules.is_closed(at):
            closed = closed or at
    assert closed in (None, at)


@given(statuses, statuses)
def test_no_move_leads_back(at: AlertStatus, to: AlertStatus) -> None:
    assert not (rules.may_move(at, to) and rules.may_move(to, at))


@given(statuses)
def test_nothing_moves_to_where_it_is(at: AlertStatus) -> None:
    assert not rules.may_move(at, at)


@given(statuses, statuses)
def test_a_refusal_names_exactly_the_allowed_moves(at: AlertStatus, to: AlertStatus) -> None:
    offered = rules.why_not(at).partition(" can go to ")[2].rstrip(".").split(", ")
    assert (to.value in offered) is rules.may_move(at, to)


# ---- what the standards ask


@pytest.mark.parametrize("standard", Standard)
def test_each_control_looks_for_something_that_events_can_be(standard: Standard) -> None:
    for selection in rules.control_selections(standard):
        assert selection.types or selection.categories, selection.key
        assert all(PATTERN.fullmatch(pattern) for pattern in selection.types), selection.key


@pytest.mark.parametrize("standard", Standard)
def test_no_control_shares_its_key_with_another_or_a_section(standard: Standard) -> None:
    keys = [selection.key for selection in [*rules.control_selections(standard), *rules.section_selections()]]
    assert len(keys) == len(set(keys))


# ---- what a report says


def _figures(actor: str = "ann") -> Figures:
    counted = Selected(events=3, failures=1, actors=1, last_activity=NOW)
    return Figures(
        totals=Totals(events=3, actors=1, event_types=1, failures=1),
        by_type=[Count(name="user.login", events=3)],
        by_day=[DayCount(day=date(2024, 1, 31), events=3, failures=1, grave=0)],
        top_actors=[ActorCount(actor_id=actor, events=3, last_activity=NOW)],
        selected={"Art. 32": counted, "failed_logins": counted},
        selected_actors={"failed_logins": [ActorCount(actor_id=actor, events=3, last_activity=NOW)]},
        selected_types={"failed_logins": [Count(name="user.login", events=3)]},
    )


def test_a_report_has_every_control_with_or_without_evidence() -> None:
    report = rules.assemble(Standard.GDPR, _figures(), alerts=AlertFigures(), details=None, counted_at=NOW)
    evidence = {control.reference: control.has_evidence for control in report.controls}
    assert len(evidence) == len(rules.FRAMEWORKS[Standard.GDPR].requirements)
    assert [reference for reference, found in evidence.items() if found] == ["Art. 32"]


def test_a_report_has_every_section_with_its_actors() -> None:
    report = rules.assemble(Standard.SOC2, _figures(), alerts=AlertFigures(), details=None, counted_at=NOW)
    sections: dict[str, Section] = {section.key: section for section in report.sections}
    assert set(sections) == {key for key, _, _ in rules.SECTIONS}
    assert [actor.actor_id for actor in sections["failed_logins"].top_actors] == ["ann"]


@given(some.text(min_size=1, max_size=20).filter(lambda text: "\x00" not in text))
@example("\n=1+1")
@example("\uff1d1+1")
def test_no_cell_of_the_csv_is_a_formula(actor: str) -> None:
    report = rules.assemble(Standard.GDPR, _figures(actor), alerts=AlertFigures(), details=None, counted_at=NOW)
    rows = list(csv.reader(io.StringIO(rules.figures_csv(report), newline="")))
    starts = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
    assert not [cell for row in rows for cell in row if cell.startswith(starts)]
    assert all(len(row) == 4 for row in rows)


def test_the_csv_of_no_events_is_its_header() -> None:
    assert rules.events_csv(Details(events=[], truncated=False)).startswith("event_id,occurred_at,event_type")
