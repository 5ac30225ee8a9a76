"""The shipped classifiers on lists that trained nothing: what the bench says is held, stays held."""

import pytest

from bench.unseen import BARS, SECOND, Bar, flagged
from core.contracts.compliance import CheckType


@pytest.mark.parametrize("bar", [pytest.param(bar, id=bar.kind) for bar in BARS])
def test_texts_that_nobody_trained_on_are_judged_as_well_as_ever(bar: Bar) -> None:
    figure = bar.figure()
    assert bar.held(figure), figure


@pytest.mark.parametrize(("check_type", "most"), [("prompt_injection", 0), ("toxicity", 0), ("nsfw", 0), ("spam", 4)])
def test_notices_and_work_chat_and_posts_pass(check_type: str, most: int) -> None:
    """116 texts of which a company has many checked: four seem advertising."""
    assert flagged(CheckType(check_type), SECOND / "everyday.txt")() <= most / 116


def test_most_wanted_messages_with_links_and_numbers_pass() -> None:
    """No bar; the model flags 9 of 30, where one without messages of our own making flagged 20."""
    assert flagged(CheckType.SPAM, SECOND / "messages_wanted.txt")() <= 0.3


def test_half_of_the_newer_kinds_of_advertising_are_found() -> None:
    assert flagged(CheckType.SPAM, SECOND / "messages_unwanted.txt")() >= 0.5
