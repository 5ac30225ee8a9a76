"""Rules of tasks, for every input."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.contracts.task import TaskStatus
from core.domain import task as rules

NOW = datetime(2026, 1, 1, tzinfo=UTC)
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))
percents = st.floats(min_value=0, max_value=100)
starts = st.builds(lambda ago: NOW - ago, st.timedeltas(min_value=timedelta(days=-30), max_value=timedelta(days=30)))


# ---- estimates


@given(starts, percents, st.none() | spans)
def test_an_estimate_never_lies_in_the_past(starts_at: datetime, progress: float, typical: timedelta | None) -> None:
    found = rules.estimate_completion(NOW, starts_at=starts_at, progress=progress, typical=typical)
    assert found is None or found >= NOW


@given(starts)
def test_without_history_or_progress_there_is_no_estimate(starts_at: datetime) -> None:
    assert rules.estimate_completion(NOW, starts_at=starts_at, progress=0, typical=None) is None


@given(starts, spans)
def test_without_progress_the_history_speaks_alone(starts_at: datetime, typical: timedelta) -> None:
    found = rules.estimate_completion(NOW, starts_at=starts_at, progress=0, typical=typical)
    assert found == max(NOW, starts_at + typical)


@given(spans.filter(bool), st.none() | spans)
def test_at_a_hundred_percent_it_is_done_now(elapsed: timedelta, typical: timedelta | None) -> None:
    found = rules.estimate_completion(NOW, starts_at=NOW - elapsed, progress=100, typical=typical)
    assert found is not None
    assert abs(found - NOW) <= timedelta(milliseconds=1)


@given(spans.filter(bool), st.floats(min_value=1, max_value=100), spans)
def test_history_and_progress_meet_between_what_each_says(
    elapsed: timedelta, progress: float, typical: timedelta
) -> None:
    start = NOW - elapsed
    both = rules.estimate_completion(NOW, starts_at=start, progress=progress, typical=typical)
    history = rules.estimate_completion(NOW, starts_at=start, progress=0, typical=typical)
    alone = rules.estimate_completion(NOW, starts_at=start, progress=progress, typical=None)
    assert both is not None
    assert history is not None
    assert alone is not None
    tolerance = timedelta(milliseconds=1)
    assert both <= max(history, alone) + tolerance


@given(starts, percents, spans, spans)
def test_a_slower_type_is_never_done_sooner(
    starts_at: datetime, progress: float, typical: timedelta, more: timedelta
) -> None:
    sooner, later = (
        rules.estimate_completion(NOW, starts_at=starts_at, progress=progress, typical=one)
        for one in (typical, typical + more)
    )
    assert sooner is not None
    assert later is not None
    assert sooner <= later + timedelta(microseconds=1)


@given(st.lists(spans, min_size=1))
def test_a_typical_duration_is_one_that_happened_or_lies_between_two(durations: list[timedelta]) -> None:
    typical = rules.typical_duration(durations)
    assert typical is not None
    assert min(durations) - timedelta(milliseconds=1) <= typical <= max(durations) + timedelta(milliseconds=1)


def test_without_executions_nothing_is_typical() -> None:
    assert rules.typical_duration([]) is None


# ---- types, first status, rates


@given(st.text(min_size=1, max_size=200))
def test_a_type_taken_from_a_name_can_name_a_queue(name: str) -> None:
    found = rules.type_of(name, None)
    assert found is None or (found == name and ":" not in found and found.isascii() and len(found) <= 100)


@given(st.none() | starts)
def test_only_a_time_to_come_schedules(scheduled_at: datetime | None) -> None:
    later = scheduled_at is not None and scheduled_at > NOW
    assert rules.first_status(scheduled_at, NOW) is (TaskStatus.SCHEDULED if later else TaskStatus.PENDING)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_success_rate_is_a_share_or_unknown(completed: int, failed: int) -> None:
    rate = rules.success_rate(completed, failed)
    assert (rate is None) == (completed + failed == 0)
    assert rate is None or 0 <= rate <= 1
