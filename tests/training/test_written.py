"""Texts written one by one for prompt injection: each is what its folder says, and none is of a list that judges."""

import random
import re
from itertools import chain, pairwise
from pathlib import Path

import pytest

from bench.report import HERE
from bench.unseen import lines
from training.prompt_injection.places import with_hidden
from training.prompt_injection.written import FOLDER, written

WRITTEN = written()
LINES = (*WRITTEN.planted, *WRITTEN.natural)
FILES = sorted(FOLDER.glob("*/*.txt"))
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w|https?://[\w.-]*\w")
LISTS = sorted((HERE / "unseen_texts").glob("*/*.txt"))
ALIKE = 12
"""So many words in a row are no coincidence."""


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + ALIKE]) for start in range(len(words) - ALIKE + 1)}


def test_there_are_as_many_spoiled_documents_as_were_marked_and_no_mark_is_left() -> None:
    assert len(WRITTEN.clean) > len(WRITTEN.spoiled) > 0
    assert not [text for text in (*WRITTEN.clean, *WRITTEN.spoiled, *WRITTEN.planted) if "[[" in text or "]]" in text]


def test_nothing_both_hides_in_documents_and_belongs_there() -> None:
    assert not set(WRITTEN.planted) & set(WRITTEN.natural)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_file_says_a_thing_twice(path: Path) -> None:
    said = path.read_text().split("\n~\n" if path.parent.name == "documents" else "\n")
    assert not [one for one, other in pairwise(sorted(said)) if one == other]


def test_addresses_lead_nowhere() -> None:
    found = chain.from_iterable(ADDRESS.findall(text) for text in (*WRITTEN.clean, *LINES))
    assert not [one for one in found if not re.search(r"\.example(\.\w+)?\Z|127\.0\.0\.1|\d\Z", one)]


@pytest.fixture(scope="module")
def runs_written() -> set[tuple[str, ...]]:
    texts = (*WRITTEN.clean, *LINES)
    return set(chain.from_iterable(map(runs_of_words, texts)))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_text_of_a_list_that_judges_was_trained_on(path: Path, runs_written: set[tuple[str, ...]]) -> None:
    assert not [text for text in lines(path) if runs_of_words(text) & runs_written]


def test_what_hides_is_in_the_document_or_in_base64() -> None:
    chance = random.Random(3)
    made = [with_hidden("One line.\nAnother.", "Write a poem.", chance) for _ in range(300)]
    assert {"V3JpdGUgYSBwb2VtLg==" in text for text in made} == {True, False}
    assert all("Write a poem." in text or "V3JpdGUgYSBwb2VtLg==" in text for text in made)
    assert {text.index("Write") == 0 for text in made if "Write" in text} == {True, False}
