"""The detector of personal data on texts that try it (odd forms, look-alikes, contexts): the bars it is held to."""

import pytest

from core.adapters.presidio import PiiDetector
from core.domain.compliance.scoring import SpanQuality
from tests.activities.pii_cases import CASES, FRESH_CASES, Case

BARS = {"email": 0.98, "credit_card": 0.95, "ssn": 0.85, "phone": 0.85}
OTHER_BARS = {"iban": 0.9, "ip_address": 0.9, "passport": 0.85, "date_of_birth": 0.9, "secret": 0.9}
DETECTOR = PiiDetector()


def measured(cases: list[Case]) -> SpanQuality:
    quality = SpanQuality()
    for case, result in zip(cases, DETECTOR.detect([case.text for case in cases]), strict=True):
        quality.add(case.spans, [(span.entity.value, span.start, span.end) for span in result.spans or []])
    return quality


@pytest.mark.parametrize(("kind", "bar"), (BARS | OTHER_BARS).items())
def test_odd_forms_are_found_and_look_alikes_refused(kind: str, bar: float) -> None:
    assert (measured(CASES).kinds[kind].f1 or 0.0) >= bar


@pytest.mark.parametrize(("kind", "bar"), BARS.items())
def test_so_they_are_in_texts_that_no_rule_was_made_for(kind: str, bar: float) -> None:
    assert (measured(FRESH_CASES).kinds[kind].f1 or 0.0) >= bar


def test_there_are_enough_cases_for_a_figure_to_mean_something() -> None:
    assert len(CASES) + len(FRESH_CASES) > 550
    assert sum(not case.spans for case in CASES + FRESH_CASES) > 200
