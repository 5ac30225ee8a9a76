"""Postal addresses in running text."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.compliance import addresses
from core.domain.compliance.addresses.grammar import Grammar
from core.domain.compliance.addresses.tokens import tokenise


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in addresses.find(text)]


@pytest.mark.parametrize(
    "address",
    [
        "1600 Pennsylvania Avenue NW, Washington, DC 20500",
        "742 Evergreen Terrace, Springfield, OR 97477",
        "12 East Stow Road, Suite 210\nMarlton, New Jersey 08053",
        "427-3 Amherst Street, Suite 319, Nashua, NH 03063",
        "103 West Main, Ute, IA 51060",
        "221B Baker Street, London NW1 6XE",
        "P.O. Box 1533, Bonsall, CA 92003",
        "PSC 3294, Box 9168\nAPO AA 61487",
        "USS Lexington\nFPO AP 70381",
        "12 rue de la Paix, 75002 Paris",
        "Via Roma 131, 20121 Milano",
        "Calle de Alcalá 45, 28014 Madrid",
        "Rua das Pedras 930",
        "ul. Narewska 94",
        "Hauptstraße 12, 10115 Berlin",
        "Erzsébet tér 19",
        "Prinsengracht 263, 1016 GV Amsterdam",
        "Mannerheimintie 13\n00100 Helsinki",
        "5049 Harjukuja 54",
    ],
)
def test_an_address_is_found_whole(address: str) -> None:
    assert found(f"Please note this. {address}") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "He ran 5 miles down the road and 3 blocks up the hill.",
        "The 2012 Olympics took place in London; 26 sports, 39 disciplines.",
        "In April 2007 Volume 1 appeared, on page 20.",
        "In 2019 Wall Street fell. Since 2010 Baker Street has changed.",
        "10 correct answers in a row win a prize.",
        "It costs $360 for 2 nights, or 11,078 in all.",
        "Version 8.14 replaces 8.12 since 3 March 2020.",
        "I love u 2, call me l8r",
        "Step 1 and Step 2 are the same.",
        "Score 3 - 1 at half time.",
        "The murder took place. 4 suspects ran.",
        "",
        "no digits at all in Main Street",
    ],
)
def test_prose_with_figures_is_no_address(text: str) -> None:
    assert found(text) == []


def test_a_number_and_a_name_are_an_address_only_where_the_words_before_ask_for_one() -> None:
    assert found("She lives at 33 Dora Creek.") == ["33 Dora Creek"]
    assert found("She scored 33 Dora points.") == []


def test_small_letters_need_a_word_that_asks_for_an_address() -> None:
    assert found("my address is 52 huntly street") == ["52 huntly street"]
    assert found("we saw 52 huntly street signs") == []


def test_quoted_lines_are_read_as_one_address() -> None:
    text = "> 26 Rue de Pologne\n> Suite 377\n> Hyvinkää\n> Finland 41600\nthanks"
    assert found(text) == [text[2 : text.index("\nthanks")]]


class Counted(list[Any]):
    """Counts how often one of its tokens is looked at."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:  # as in list, for one index and for a slice
        self.looks += 1
        return super().__getitem__(at)


@pytest.mark.parametrize("unit", ["1,", "1 A ", "rue de la ", "p.o. box ", "apt 1 ", "A B C D 1 ", "\n", "# ", "1\n>"])
def test_the_grammar_never_looks_far(unit: str) -> None:
    grammar = Grammar(tokenise(unit * 1000))
    tokens, kinds = Counted(grammar._tokens), Counted(grammar._kinds)
    grammar._tokens, grammar._kinds = tokens, kinds
    grammar.address(0, asked=True)
    assert tokens.looks + kinds.looks < 5000


@given(st.text())
def test_readings_are_in_order_and_inside_the_text(text: str) -> None:
    spans = addresses.find(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))


@given(st.text())
def test_every_character_but_white_space_and_full_stops_belongs_to_a_token(text: str) -> None:
    covered = {index for token in tokenise(text) for index in range(token.start, token.end)}
    assert all(index in covered or char.isspace() or char == "." for index, char in enumerate(text))
