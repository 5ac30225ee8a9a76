"""Personal data written so that no pattern finds it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.compliance.disguises import undisguised

KIB = 1024


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ann (at) example (dot) com", "ann@example.com"),
        ("ann.lee at example dot com", "ann.lee@example.com"),
        ("ann dot lee at example dot co dot uk", "ann.lee@example.co.uk"),
        ("ann[@]example[.]com", "ann@example.com"),
        ("ann @ example.com", "ann@example.com"),
        ("mail=ann%40example.com", "mail=ann@example.com"),
        ("call two zero two, five five five - oh one four three.", "call 2025550143."),
        ("one eight hundred five five five zero one four three", "18005550143"),
        ("double five five zero one four three", "5550143"),
        ("no 2 1 9-0 9-9 9 9 9", "no 219099999"),
    ],
)
def test_what_is_disguised_is_written_plainly(text: str, plain: str) -> None:
    read = undisguised(text)
    assert read is not None
    assert read.text == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "look at example dot com",
        "we met at the cafe. Dot the i's",
        "meet me @ 5pm",
        "x @ y . z",
        "one two three testing",
        "take one or two of the three",
        "1 2 3 4 5 6",
        "1.2.3.4.5.6.7.8",
        "someone phoned nine times, alone",
    ],
)
def test_what_is_not_is_left_alone(text: str) -> None:
    assert undisguised(text) is None


@given(st.lists(st.sampled_from(["ann", " at ", " dot ", "(at)", "com", "five ", "1 ", "@", ".", "x", "é", "\n"])))
def test_every_stretch_leads_back_into_the_text(parts: list[str]) -> None:
    text = "".join(parts)
    read = undisguised(text)
    if read is None:
        return
    places = [read.original(index, index + 1) for index in range(len(read.text))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(a[0] <= b[0] for a, b in pairwise(places))


def test_a_replacement_leads_to_both_ends_of_what_it_replaces() -> None:
    text = "to ann (at) example (dot) com now"
    read = undisguised(text)
    assert read is not None
    start = read.text.index("ann@example.com")
    assert text[slice(*read.original(start, start + len("ann@example.com")))] == "ann (at) example (dot) com"


@pytest.mark.parametrize(
    "unit",
    ["a at ", "a dot ", "a.", "a@", "%40", "five ", "five-five ", "1 ", "1", "[at]", "a [at] b [dot] ", "-", "dot"],
)
def test_a_hundred_kib_of_anything_come_to_an_end(unit: str) -> None:
    undisguised(unit * (100 * KIB // len(unit)) + " dot @ one two three")
