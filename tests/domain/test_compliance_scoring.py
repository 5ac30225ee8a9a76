"""Figures of quality, against what their definitions say when they are spelled out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.compliance.scoring import SpanQuality, auc, average_precision, quality, recall_at

ROWS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])), max_size=40)


def split(rows: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [label for label, _ in rows], [score for _, score in rows]


@given(ROWS)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, float]]) -> None:
    labels, scores = split(rows)
    highs, lows = [s for y, s in rows if y], [s for y, s in rows if not y]
    pairs = [1.0 if high > low else 0.5 if high == low else 0.0 for high in highs for low in lows]
    expected = sum(pairs) / len(pairs) if pairs else None
    assert auc(labels, scores) == (None if expected is None else pytest.approx(expected))


@given(ROWS)
def test_average_precision_sums_precision_over_the_steps_of_recall(rows: list[tuple[int, float]]) -> None:
    labels, scores = split(rows)
    total, before = 0.0, 0
    for threshold in sorted(set(scores), reverse=True):
        taken = [label for label, score in rows if score >= threshold]
        total += (sum(taken) - before) * sum(taken) / len(taken)
        before = sum(taken)
    expected = total / sum(labels) if sum(labels) else None
    assert average_precision(labels, scores) == (None if expected is None else pytest.approx(expected))


@given(ROWS, st.sampled_from([0.0, 0.01, 0.2, 1.0]))
def test_recall_is_told_at_the_best_threshold_that_is_allowed(rows: list[tuple[int, float]], rate: float) -> None:
    labels, scores = split(rows)
    negatives = labels.count(0)
    allowed = [0]
    for threshold in set(scores):
        taken = [label for label, score in rows if score >= threshold]
        if negatives and taken.count(0) / negatives <= rate:
            allowed.append(sum(taken))
    told = recall_at(labels, scores, rate)
    assert told == (max(allowed) / sum(labels) if negatives and sum(labels) else None)


@given(ROWS)
def test_a_perfect_order_is_told_as_one(rows: list[tuple[int, float]]) -> None:
    labels, _ = split(rows)
    told = quality(labels, [float(label) for label in labels], [bool(label) for label in labels])
    figures = (told.auc, told.average_precision, told.f1, told.accuracy, told.recall, told.recall_at_1_percent)
    assert all(figure in (1.0, None) for figure in figures)


def test_the_figures_at_the_threshold_come_from_what_was_flagged() -> None:
    told = quality([1, 1, 1, 0, 0], [0.9, 0.6, 0.2, 0.7, 0.1], [True, True, False, True, False])
    assert (told.rows, told.positives) == (5, 3)
    assert (told.accuracy, told.false_positive_rate) == (pytest.approx(0.6), pytest.approx(0.5))
    assert (told.precision, told.recall, told.f1) == (pytest.approx(2 / 3),) * 3
    assert told.macro_f1 == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_what_rows_of_one_class_cannot_tell_is_left_open() -> None:
    told = quality([0, 0], [0.2, 0.8], [False, True])
    assert (told.auc, told.recall, told.f1, told.recall_at_1_percent) == (None, None, None, None)
    assert told.false_positive_rate == pytest.approx(0.5)


def test_a_span_is_right_when_it_overlaps_one_of_its_kind() -> None:
    measured = SpanQuality()
    measured.add([("phone", 5, 12), ("ssn", 20, 31)], [("phone", 4, 8), ("phone", 20, 31)])
    phone, ssn = measured.kinds["phone"], measured.kinds["ssn"]
    assert (phone.precision, phone.recall) == (pytest.approx(0.5), pytest.approx(1.0))
    assert (ssn.precision, ssn.recall, ssn.f1) == (None, pytest.approx(0.0), pytest.approx(0.0))


def test_spans_that_only_touch_do_not_overlap() -> None:
    measured = SpanQuality()
    measured.add([("phone", 5, 12)], [("phone", 12, 15)])
    assert measured.kinds["phone"].f1 == pytest.approx(0.0)


def test_kinds_add_up() -> None:
    measured = SpanQuality()
    measured.add([("phone", 0, 2), ("email", 4, 6)], [("phone", 0, 2)])
    assert measured.total().recall == pytest.approx(0.5)
    assert measured.total({"phone"}).recall == pytest.approx(1.0)
