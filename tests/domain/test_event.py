"""Rules of the event log: wildcards, categories, failure classes, delays, addresses, ids."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typeid import TypeID

from core.contracts.event import EventCategory
from core.contracts.event.webhook import FailureClass
from core.domain.event import (
    category_of,
    failure_class,
    is_private,
    is_public_address,
    next_delay,
    percent,
    retry_after_seconds,
    span,
)
from core.ids import MOST_AT_ONCE, new_id, new_ids

WORD = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,20}", fullmatch=True)
NOW = datetime(2024, 1, 1, tzinfo=UTC)


def _means(pattern: str, event_type: str) -> bool:
    low, high = span(pattern)
    found = event_type.encode()
    return found == low.encode() if high is None else low.encode() <= found < high.encode()


@given(WORD, WORD)
def test_a_wildcard_means_what_begins_with_it(word: str, event_type: str) -> None:
    assert _means(f"{word}.*", event_type) == event_type.startswith(f"{word}.")
    assert _means(f"{word}.*", f"{word}.{event_type}")


@given(WORD, WORD)
def test_a_word_means_itself_only(word: str, event_type: str) -> None:
    assert _means(word, event_type) == (word == event_type)


@given(WORD)
def test_a_star_means_every_type(event_type: str) -> None:
    assert _means("*", event_type)


@given(st.sampled_from(EventCategory), WORD)
def test_the_first_word_names_the_category(category: EventCategory, rest: str) -> None:
    assert category_of(f"{category.value}.{rest}") is category
    assert category_of(f"{category.value}x.{rest}") is EventCategory.CUSTOM


@given(st.integers(100, 599), st.none() | st.floats(0, 1e6))
def test_every_status_has_its_class(status: int, retry_after: float | None) -> None:
    found = failure_class(status, retry_after=retry_after)
    assert (found is None) == (200 <= status < 300)
    if status == 410:
        assert found is FailureClass.PERMANENT
    if status >= 500:
        assert found in (FailureClass.TRANSIENT, FailureClass.THROTTLED)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, "permanent"), (404, "permanent"), (302, "permanent"), (408, "transient"), (409, "transient"),
     (425, "transient"), (429, "throttled"), (500, "transient"), (503, "transient")],
)  # fmt: skip
def test_the_table_of_classes(status: int, expected: str) -> None:
    assert failure_class(status) == expected


def test_no_answer_may_pass_but_a_forbidden_address_does_not() -> None:
    assert failure_class(None, error="timeout") is FailureClass.TRANSIENT
    assert failure_class(None, error="address_not_allowed") is FailureClass.PERMANENT


@given(st.floats(0, 1e6), st.none() | st.floats(0, 1e9), st.floats(0, 1e6))
def test_a_delay_is_at_least_the_planned_one(planned: float, asked: float | None, longest: float) -> None:
    delay = next_delay(planned, asked, longest=longest)
    assert delay is not None
    assert planned <= delay <= max(planned, longest)


@given(st.none() | st.floats(0, 1e9))
def test_an_endpoint_cannot_ask_for_tries_beyond_the_last(asked: float | None) -> None:
    assert next_delay(None, asked, longest=1e9) is None


@given(st.integers(0, 10**6))
def test_retry_after_reads_seconds_and_dates(seconds: int) -> None:
    assert retry_after_seconds(str(seconds), NOW) == seconds
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_seconds(date, NOW) == seconds


@given(st.text())
def test_no_retry_after_breaks_the_reader(text: str) -> None:
    found = retry_after_seconds(text, NOW)
    assert found is None or found >= 0


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_only_all_is_a_hundred_percent(done: int, total: int) -> None:
    assert 0 <= percent(done, total) <= 100
    assert (percent(done, total) == 100) == (done >= total)


@given(st.ip_addresses())
def test_a_private_address_is_no_public_one(address: object) -> None:
    if getattr(address, "is_private", False) or getattr(address, "is_multicast", False):
        assert not is_public_address(str(address))


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_an_ipv4_inside_an_ipv6_is_judged_itself(inside: str) -> None:
    number = int.from_bytes(bytes(map(int, inside.split("."))), "big")
    tail = f"{number >> 16:x}:{number & 0xFFFF:x}"
    for outside in (f"::ffff:{inside}", f"64:ff9b::{tail}", f"2002:{tail}::1"):
        assert not is_public_address(outside)


@pytest.mark.parametrize("address", ["fec0::1", "64:ff9b:1::7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1", "5f00::1"])
def test_an_ipv6_that_is_not_routed_on_the_internet_is_no_public_one(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize("address", ["2606:4700::1111", "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_an_ipv6_of_the_internet_is_public(address: str) -> None:
    assert is_public_address(address)


def test_names_are_judged_when_they_are_resolved() -> None:
    assert is_private("localhost")
    assert is_private("LOCALHOST.")
    assert is_private("192.168.1.1")
    assert not is_private("example.com")
    assert not is_private("8.8.8.8")


@given(st.integers(0, MOST_AT_ONCE))
def test_ids_made_together_are_type_ids_in_order(count: int) -> None:
    made = new_ids("evt", count)
    assert len(set(made)) == count
    assert made == sorted(made)
    parsed = [TypeID.from_string(one) for one in (*made[:1], *made[-1:])]
    assert all((one.prefix, one.uuid.version) == ("evt", 7) for one in parsed)


def test_ids_made_together_sort_among_the_others() -> None:
    before = new_id("evt")
    assert before[:14] <= new_ids("evt", 1)[0][:14] <= new_id("evt")[:14]
