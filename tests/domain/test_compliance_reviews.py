"""Rules of reviews: who may, which votes decide, when the clock speaks up, what counts as a label, how times add up."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.compliance import CheckType, DetectorResult
from core.contracts.compliance.reviews import (
    Refusal,
    ReviewAction,
    ReviewDecision,
    ReviewFigure,
    ReviewState,
    ReviewStatus,
    Vote,
)
from core.domain.compliance.review_figures import (
    detector_word,
    review_figures,
    reviewed_by_policy,
    statistics,
)
from core.domain.compliance.reviews import (
    DUE_NUDGE,
    bucket,
    disagree,
    judged,
    next_nudge,
    not_judged,
    nudge_time,
    precision,
    quantile,
    refusal,
    verdict,
)

NOW = datetime(2024, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HELD = ReviewState(status=ReviewStatus.CLAIMED, claimed_by="ann", claim_expires_at=NOW + HOUR)
people = st.sampled_from(["ann", "bob", "cid"])
states = st.builds(
    ReviewState,
    status=st.sampled_from(ReviewStatus),
    claimed_by=st.none() | people,
    claim_expires_at=st.none() | st.sampled_from([NOW - HOUR, NOW, NOW + HOUR]),
    voted=st.lists(people, max_size=3),
)


def vote(decision: ReviewDecision, by: str = "ann", **labels: bool) -> Vote:
    return Vote(by=by, decision=decision, at=NOW, labels={CheckType(word): right for word, right in labels.items()})


# ---- who may


@given(states, st.sampled_from(ReviewAction), people, st.booleans())
def test_a_decided_review_allows_nothing(state: ReviewState, action: ReviewAction, by: str, admin: bool) -> None:
    ended = state.model_copy(update={"status": ReviewStatus.APPROVED})
    assert refusal(ended, action, by=by, admin=admin, now=NOW) is Refusal.DECIDED


@given(states, st.sampled_from(ReviewAction), people)
def test_an_administrator_may_whatever_somebody_else_may(state: ReviewState, action: ReviewAction, by: str) -> None:
    if refusal(state, action, by=by, admin=False, now=NOW) is None:
        assert refusal(state, action, by=by, admin=True, now=NOW) is None


@given(states, people, st.booleans())
def test_nobody_decides_twice(state: ReviewState, by: str, admin: bool) -> None:
    voted = state.model_copy(update={"voted": [by]})
    for action in (ReviewAction.APPROVE, ReviewAction.REJECT, ReviewAction.CLAIM):
        assert refusal(voted, action, by=by, admin=admin, now=NOW) is not None


@pytest.mark.parametrize(
    ("state", "action", "by", "expected"),
    [
        (ReviewState(), ReviewAction.CLAIM, "ann", None),
        (ReviewState(), ReviewAction.APPROVE, "ann", Refusal.NOT_CLAIMED),
        (ReviewState(), ReviewAction.RELEASE, "ann", Refusal.NOT_CLAIMED),
        (ReviewState(), ReviewAction.ESCALATE, "ann", None),
        (HELD, ReviewAction.CLAIM, "ann", Refusal.CLAIMED),
        (HELD, ReviewAction.CLAIM, "bob", Refusal.CLAIMED),
        (HELD, ReviewAction.REJECT, "ann", None),
        (HELD, ReviewAction.REJECT, "bob", Refusal.NOT_YOURS),
        (HELD, ReviewAction.ESCALATE, "bob", Refusal.NOT_YOURS),
        (HELD, ReviewAction.RELEASE, "ann", None),
    ],
)
def test_who_may_do_what(state: ReviewState, action: ReviewAction, by: str, expected: Refusal | None) -> None:
    assert refusal(state, action, by=by, admin=False, now=NOW) is expected


@pytest.mark.parametrize("admin", [True, False])
def test_what_nobody_holds_is_not_given_back(admin: bool) -> None:
    assert refusal(ReviewState(), ReviewAction.RELEASE, by="ann", admin=admin, now=NOW) is Refusal.NOT_CLAIMED


def test_an_expired_claim_holds_nothing() -> None:
    later = NOW + HOUR
    assert refusal(HELD, ReviewAction.CLAIM, by="bob", admin=False, now=later) is None
    assert refusal(HELD, ReviewAction.APPROVE, by="ann", admin=False, now=later) is Refusal.NOT_CLAIMED


# ---- which votes decide

decisions = st.sampled_from(ReviewDecision)


@given(decisions)
def test_one_vote_decides_where_one_is_enough(decision: ReviewDecision) -> None:
    assert verdict([vote(decision)], second_reviewer=False) is decision
    assert verdict([vote(decision)], second_reviewer=True) is None


@given(decisions, decisions, decisions)
def test_three_people_always_settle_it(first: ReviewDecision, second: ReviewDecision, third: ReviewDecision) -> None:
    votes = [vote(first, "ann"), vote(second, "bob"), vote(third, "cid")]
    decided = verdict(votes, second_reviewer=True)
    assert decided is Counter(one.decision for one in votes).most_common(1)[0][0]
    assert disagree(votes) == (len({first, second, third}) > 1)


# ---- the clock

spans = st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=90))


@given(spans, st.integers(0, 3), st.floats(0, 4))
def test_the_clock_takes_each_step_once_and_never_passes_over_the_due_time(
    sla: timedelta, done: int, elapsed: float
) -> None:
    due, now = NOW + sla, NOW + sla * elapsed
    found = next_nudge(NOW, due, done=done, now=now)
    if done == 3:
        assert found is None
        return
    assert found is not None
    nudge, at = found
    assert nudge > done
    assert at == nudge_time(NOW, due, nudge)
    assert not (done < DUE_NUDGE < nudge)
    if at > now:
        assert nudge == done + 1


def test_a_review_is_reminded_of_at_half_time_and_escalated_when_it_is_due() -> None:
    due = NOW + 4 * HOUR
    assert next_nudge(NOW, due, done=0, now=NOW) == (1, NOW + 2 * HOUR)
    assert next_nudge(NOW, due, done=1, now=NOW + 2 * HOUR) == (DUE_NUDGE, due)
    assert next_nudge(NOW, due, done=2, now=due) == (3, NOW + 8 * HOUR)
    assert next_nudge(NOW, due, done=0, now=due + HOUR) == (DUE_NUDGE, due)


# ---- labels

FOUND = DetectorResult(flagged=True, score=0.9, detector="d", detector_version="1")
CLEAN = DetectorResult(flagged=False, score=0.1, detector="d", detector_version="1")
RESULTS = {CheckType.TOXICITY: FOUND, CheckType.SPAM: CLEAN, CheckType.NSFW: DetectorResult(available=False)}


def test_a_decision_says_of_findings_what_nobody_said_in_words() -> None:
    for decision, right in ((ReviewDecision.REJECTED, True), (ReviewDecision.APPROVED, False)):
        (label,) = judged(RESULTS, [vote(decision)], decision)
        assert (label.check_type, label.right, label.given) == (CheckType.TOXICITY, right, False)


def test_what_is_said_in_words_counts() -> None:
    votes = [vote(ReviewDecision.APPROVED, toxicity=True, spam=False)]
    found = {one.check_type: one for one in judged(RESULTS, votes, ReviewDecision.APPROVED)}
    assert found[CheckType.TOXICITY].figure is ReviewFigure.CONFIRMED
    assert found[CheckType.SPAM].figure is ReviewFigure.MISSED
    assert all(one.given for one in found.values())


def test_whoever_was_overruled_labels_nothing() -> None:
    votes = [
        vote(ReviewDecision.APPROVED, "ann", toxicity=False),
        vote(ReviewDecision.REJECTED, "bob"),
        vote(ReviewDecision.REJECTED, "cid", spam=True),
    ]
    found = {one.check_type: one.figure for one in judged(RESULTS, votes, ReviewDecision.REJECTED)}
    assert found == {CheckType.TOXICITY: ReviewFigure.CONFIRMED, CheckType.SPAM: ReviewFigure.CLEARED}


def test_only_what_a_detector_judged_can_be_labelled() -> None:
    assert not_judged([CheckType.TOXICITY, CheckType.NSFW, CheckType.PII], RESULTS) == [CheckType.NSFW, CheckType.PII]


# ---- figures


@given(st.lists(st.floats(1, 90 * 24 * 3600), min_size=1, max_size=200))
def test_a_median_from_counted_classes_is_within_three_percent(seconds: list[float]) -> None:
    told = quantile(Counter(bucket(one) for one in seconds), 0.5)
    real = sorted(seconds)[(len(seconds) + 1) // 2 - 1]
    assert told is not None
    assert abs(told - real) <= 0.03 * real


def test_without_any_there_is_no_median_and_no_precision() -> None:
    assert quantile({}, 0.5) is None
    assert precision(0, 0) is None


def test_days_add_up_to_statistics_and_reports() -> None:
    one, two = date(2024, 1, 30), date(2024, 1, 31)
    word = detector_word(CheckType.TOXICITY, "our own", "1.2")
    days = {
        (one, ReviewFigure.OPENED, "chat@1"): 3,
        (two, ReviewFigure.OPENED, "chat@1"): 1,
        (two, ReviewFigure.DECIDED, "approved"): 1,
        (two, ReviewFigure.DECIDED, "rejected"): 2,
        (two, ReviewFigure.LATE, ""): 1,
        (two, ReviewFigure.ESCALATED, ""): 1,
        (two, ReviewFigure.SECONDS, str(bucket(600))): 3,
        (two, ReviewFigure.POLICY, "chat@1 approved"): 1,
        (two, ReviewFigure.POLICY, "chat@1 rejected"): 2,
        (two, ReviewFigure.CONFIRMED, word): 3,
        (two, ReviewFigure.FALSE_POSITIVE, word): 1,
    }
    stats = statistics(days, waiting=1, overdue=0, first_day=one, last_day=two)
    assert (stats.opened, stats.decided, stats.approved, stats.rejected, stats.late) == (4, 3, 1, 2, 1)
    (detector,) = stats.detectors
    assert (detector.detector, detector.detector_version, detector.precision) == ("our own", "1.2", 0.75)
    report = review_figures(days, waiting=1, overdue=0)
    assert (report.in_time, report.late, report.by_decision) == (2, 1, {"approved": 1, "rejected": 2})
    assert report.median_minutes == pytest.approx(10, rel=0.03)
    assert [(day.day, day.opened, day.decided, day.late) for day in report.by_day] == [(one, 3, 0, 0), (two, 1, 3, 1)]
    assert reviewed_by_policy(days) == {"chat@1": (3, 2)}
