"""What a policy makes of findings, and what counters make of days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.compliance import (
    BUILT_IN_POLICIES,
    Action,
    CheckStatus,
    CheckType,
    DayCount,
    DetectorResult,
    Figure,
    Passage,
    PiiEntity,
    Policy,
    ReportPeriod,
    ReportType,
    RiskLevel,
    Span,
    TypeRule,
)
from core.domain.compliance import unavailable
from core.domain.compliance.checks import Order, conclude
from core.domain.compliance.figures import days_of, summarise
from core.domain.compliance.policies import Rulebook, content_hash, judge
from core.domain.compliance.tables import as_csv

TEXT = "mail a@b.co or 203.0.113.7"
MAIL = Span(entity=PiiEntity.EMAIL, start=5, end=11, score=0.9)
HOST = Span(entity=PiiEntity.IP_ADDRESS, start=15, end=26, score=0.5)


def _policy(check_type: CheckType, rule: TypeRule) -> Rulebook:
    rules = {check_type: rule}
    return Rulebook(Policy(name="p", version=1, description="", built_in=False, keep_redacted=False, rules=rules))


def _pii(*spans: Span) -> DetectorResult:
    return DetectorResult(
        flagged=bool(spans), score=max((s.score for s in spans), default=0.0), threshold=0.4, spans=list(spans)
    )


scores = st.floats(0, 1)
rules = st.builds(TypeRule, action=st.sampled_from(Action), threshold=st.none() | scores)
classified = st.builds(DetectorResult, flagged=st.booleans(), score=scores, threshold=scores)
answered = classified | st.just(unavailable("no_detector"))
classifiers = st.sampled_from([check for check in CheckType if check is not CheckType.PII])


@given(classifiers, answered, rules)
def test_a_check_never_passes_where_a_detector_could_not_judge(
    check: CheckType, result: DetectorResult, rule: TypeRule
) -> None:
    judged = judge("text", {check: result}, _policy(check, rule))
    assert result.available or judged.status is CheckStatus.INCOMPLETE


@pytest.mark.parametrize(("threshold", "passages"), [(0.3, [Passage(start=0, end=4, score=0.4)]), (0.5, None)])
def test_passages_are_told_of_what_the_policy_flags_and_of_nothing_else(
    threshold: float, passages: list[Passage] | None
) -> None:
    found = DetectorResult(
        flagged=False, score=0.4, threshold=0.5, reasons=["insult"], passages=[Passage(start=0, end=4, score=0.4)]
    )
    rule = TypeRule(action=Action.BLOCK, threshold=threshold)
    judged = judge("text", {CheckType.TOXICITY: found}, _policy(CheckType.TOXICITY, rule)).results[CheckType.TOXICITY]
    assert judged.passages == passages


@given(classifiers, classified, rules)
def test_a_finding_is_a_score_at_or_over_the_policys_threshold(
    check: CheckType, result: DetectorResult, rule: TypeRule
) -> None:
    judged = judge("text", {check: result}, _policy(check, rule)).results[check]
    threshold = result.threshold if rule.threshold is None else rule.threshold
    assert judged.threshold == threshold
    assert threshold is not None
    assert judged.score is not None
    assert judged.flagged == (judged.score >= threshold)


@given(classifiers, classified)
def test_what_a_policy_allows_raises_neither_status_nor_risk(check: CheckType, result: DetectorResult) -> None:
    judged = judge("text", {check: result}, _policy(check, TypeRule(action=Action.ALLOW, threshold=0)))
    assert judged.results[check].flagged
    assert (judged.status, judged.risk_level) == (CheckStatus.PASSED, RiskLevel.NONE)


@pytest.mark.parametrize(
    ("action", "status"),
    [("flag", "flagged"), ("redact", "flagged"), ("review", "review"), ("block", "blocked"), ("allow", "passed")],
)
def test_the_action_decides_the_status(action: str, status: str) -> None:
    judged = judge(TEXT, {CheckType.PII: _pii(MAIL)}, _policy(CheckType.PII, TypeRule(action=Action(action))))
    assert judged.status == status


def test_findings_under_the_policys_threshold_are_not_redacted() -> None:
    rule = TypeRule(action=Action.FLAG, threshold=0.6)
    result = judge(TEXT, {CheckType.PII: _pii(MAIL, HOST)}, _policy(CheckType.PII, rule)).results[CheckType.PII]
    assert (result.redacted, result.detected) == ("mail [EMAIL] or 203.0.113.7", [PiiEntity.EMAIL])


def test_kinds_that_the_policy_leaves_out_are_not_redacted() -> None:
    rule = TypeRule(action=Action.FLAG, entities=[PiiEntity.IP_ADDRESS])
    result = judge(TEXT, {CheckType.PII: _pii(MAIL, HOST)}, _policy(CheckType.PII, rule)).results[CheckType.PII]
    assert (result.redacted, result.score) == ("mail a@b.co or [IP_ADDRESS]", 0.5)


def test_a_text_whose_every_finding_is_left_out_passes() -> None:
    rule = TypeRule(action=Action.BLOCK, entities=[PiiEntity.SSN])
    judged = judge(TEXT, {CheckType.PII: _pii(MAIL)}, _policy(CheckType.PII, rule))
    assert (judged.status, judged.risk_level) == (CheckStatus.PASSED, RiskLevel.NONE)


@pytest.mark.parametrize("policy", BUILT_IN_POLICIES.values(), ids=list(BUILT_IN_POLICIES))
def test_a_built_in_policy_has_a_rule_for_every_type(policy: Policy) -> None:
    assert set(policy.rules) == set(CheckType)


def test_a_check_says_whether_its_redacted_text_may_be_kept() -> None:
    for policy in BUILT_IN_POLICIES.values():
        order = Order(tenant_id="t", checked_by="u", rules=Rulebook(policy), content_type="text", hash_key=b"k")
        record = conclude(order, check_id="chk_1", text=TEXT, found={}, at=datetime.now(UTC))
        assert record.keep_redacted == policy.keep_redacted


@given(st.text(), st.text(), st.binary(min_size=1), st.binary(min_size=1))
def test_a_hash_depends_on_key_tenant_and_text(tenant: str, text: str, key: bytes, other: bytes) -> None:
    mine = content_hash(key, tenant, text)
    assert mine == content_hash(key, tenant, text)
    assert mine != content_hash(key, tenant + "x", text)
    assert mine != content_hash(key, tenant, text + "x")
    assert (mine == content_hash(other, tenant, text)) == (key.rstrip(b"\x00") == other.rstrip(b"\x00"))


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.sampled_from(ReportPeriod))
def test_a_period_begins_at_or_before_today_and_the_day_before_belongs_to_another(
    today: date, period: ReportPeriod
) -> None:
    first, last = days_of(period, today)
    assert first <= today == last
    assert days_of(period, first)[0] == first
    assert days_of(period, first - timedelta(days=1))[0] < first


@pytest.mark.parametrize(
    ("period", "first"),
    [("daily", "2024-05-15"), ("weekly", "2024-05-13"), ("monthly", "2024-05-01"), ("quarterly", "2024-04-01"),
     ("yearly", "2024-01-01")],
)  # fmt: skip
def test_periods_are_those_of_the_calendar(period: str, first: str) -> None:
    assert days_of(ReportPeriod(period), date(2024, 5, 15))[0].isoformat() == first


def _count(figure: Figure, word: str, count: int, day: int = 1) -> DayCount:
    return DayCount(day=date(2024, 5, day), figure=figure, word=word, count=count)


COUNTS = [
    _count(Figure.STATUS, "passed", 5), _count(Figure.STATUS, "blocked", 2), _count(Figure.STATUS, "review", 1, day=2),
    _count(Figure.PII_STATUS, "passed", 3), _count(Figure.PII_STATUS, "blocked", 1, day=2),
    _count(Figure.CHECKED, "pii", 4), _count(Figure.CHECKED, "spam", 8), _count(Figure.UNAVAILABLE, "spam", 8),
    _count(Figure.FLAGGED, "pii", 1, day=2), _count(Figure.ENTITY, "email", 1, day=2),
]  # fmt: skip


def test_a_moderation_summary_counts_every_check() -> None:
    result = summarise(ReportType.MODERATION_SUMMARY, COUNTS)
    assert (result.total_checks, result.flagged_checks) == (8, 3)
    assert result.by_status == {CheckStatus.PASSED: 5, CheckStatus.BLOCKED: 2, CheckStatus.REVIEW: 1}
    assert result.by_type[CheckType.SPAM].unavailable == 8
    assert [(day.checks, day.flagged) for day in result.by_day] == [(7, 2), (1, 1)]


def test_a_pii_summary_counts_checks_that_looked_for_personal_data() -> None:
    result = summarise(ReportType.PII_SUMMARY, COUNTS)
    assert (result.total_checks, result.flagged_checks) == (4, 1)
    assert set(result.by_type) == {CheckType.PII}
    assert result.by_entity == {PiiEntity.EMAIL: 1}
    assert [(day.checks, day.flagged) for day in result.by_day] == [(3, 0), (1, 1)]


def test_a_table_has_every_figure_once() -> None:
    lines = as_csv(summarise(ReportType.PII_SUMMARY, COUNTS)).splitlines()
    assert lines[0] == "figure,word,count"
    assert len(lines) == len(set(lines))
    assert {"checks,total,4", "entity,email,1", "type.pii,flagged,1", "day.checks,2024-05-02,1"} <= set(lines)
