"""Phone numbers in text, in the forms that people write."""

import pytest

from core.adapters import phonenumbers

ENOUGH = 0.4


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in phonenumbers.find(text) if span.score >= ENOUGH]


@pytest.mark.parametrize(
    "number",
    [
        "+1 212-555-0187",
        "+44 20 7946 0958",
        "+41 (0)44 668 18 00",
        "0049 30 901820",
        "212-555-0187",
        "(212) 555-0187",
        "212.555.0187",
        "1-800-555-0199 ext. 22",
        "212-555-0187x4401",
        "020 7946 0958",
        "01 42 68 53 00",
        "01.42.68.53.00",
        "030 901820",
        "06 6982 1234",
        "91 123 45 67",
        "08-123 456 78",
        "0171 5550123",
    ],
)
def test_national_and_international_forms_are_found_whole(number: str) -> None:
    assert found(f"You can call {number}, or write.") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "Order 212-555-0187 has left the house.",
        "Tracking number 9400 1118 9922 3197 4284 90",
        "My NPI is 1234567893",
        "From 1863-1922 he painted; the years 2019-2020 were bad.",
        "On 12/05/1987, 2024-01-31 10:15 and 20240131",
        "The host 155.245.229.20 answered, 10.0.12.0/24 did not.",
        "Release 1.3 (2026-01-15) is out.",
        "UUID 550e8400-e29b-41d4-a716-446655440000",
        "isbn 978-3-16-148410-0",
        "It had 851.247.920 views and 8 336 817 readers, 7000-10000 a day.",
        "Mean 0.896 0.417 0.68, pi 3.14159265358979",
        "coordinates 40.712776, -74.005974",
        "ssn 219-09-9999",
        "a bare figure: 5551234567",
    ],
)
def test_figures_that_look_alike_are_no_phone_numbers(text: str) -> None:
    assert found(text) == []


def test_bare_digits_count_where_a_word_says_phone() -> None:
    assert found("My phone number is 2125550187.") == ["2125550187"]


def test_a_local_number_counts_where_a_word_says_phone() -> None:
    assert found("Call 555-0123 after five.") == ["555-0123"]
    assert found("It stands in row 555-0123.") == []


def test_a_word_after_the_number_counts_too() -> None:
    assert found("Ref. 555-0123 office") == ["555-0123"]


def test_numbers_in_a_row_are_told_one_by_one() -> None:
    assert found("212-555-0187 212-555-0188 212-555-0189") == ["212-555-0187", "212-555-0188", "212-555-0189"]


@pytest.mark.parametrize("rest", [" 2 days", " 20:15"])
def test_a_figure_after_the_number_is_no_part_of_it(rest: str) -> None:
    assert found("call +41 44 668 18 00" + rest) == ["+41 44 668 18 00"]
