"""Word classes: words that play one part are read alike, their order counts, and company changes nothing."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.classifiers.features import Family, FeatureSpec, Kind, gathered, grams, read, word_hash
from core.adapters.classifiers.normalise import Normaliser
from core.adapters.classifiers.word_classes import NO_CLASSES, WordClasses, class_grams
from training.prompt_injection import SPEC, neighbours

ORDER, THING, JOINING = 1, 2, 3
WORDS = {"write": ORDER, "draw": ORDER, "poem": THING, "horse": THING, "a": JOINING}


def known(words: dict[str, int]) -> WordClasses:
    hashes = {word_hash(word): number for word, number in words.items()}
    ordered = sorted(hashes)
    return WordClasses(
        np.array(ordered, dtype=np.uint64), np.array([[hashes[one] for one in ordered]], dtype=np.uint8), bits=12
    )


def columns(texts: list[str], classes: WordClasses) -> list[set[int]]:
    reading = read(texts, Normaliser())
    found = gathered(reading, [class_grams(reading, classes)])
    return [set(found.indices[a:b].tolist()) for a, b in pairwise(found.bounds)]


def test_words_of_one_class_are_read_alike() -> None:
    first, second = columns(["Write a poem.", "Draw a horse."], known(WORDS))
    assert first == second


@pytest.mark.parametrize(
    "other", ["A poem write.", "Write a poem?", "3 write a poem.", "Write a poem", "Write a write."]
)
def test_order_beginning_and_end_count(other: str) -> None:
    first, second = columns(["Write a poem.", other], known(WORDS))
    assert first != second


def test_each_way_of_sorting_words_adds_columns_of_its_own() -> None:
    one = known(WORDS)
    two = WordClasses(one.hashes, np.vstack([one.classes, one.classes]), one.bits)
    (first,), (both,) = columns(["Write a poem."], one), columns(["Write a poem."], two)
    assert first < both


@pytest.mark.parametrize("text", ["", "?", "zzz", "😀😀"])
def test_a_text_of_unknown_words_or_none_has_a_row(text: str) -> None:
    assert columns([text], known(WORDS))[0]
    assert columns([text], NO_CLASSES)[0]


@given(st.lists(st.text(alphabet="writeapom .?1\n", max_size=30), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_a_text_is_read_among_others_as_it_is_alone(texts: list[str]) -> None:
    classes = known(WORDS)
    assert columns(texts, classes) == [columns([text], classes)[0] for text in texts]


def test_columns_lie_behind_those_of_the_family_before_and_within_the_width() -> None:
    reading, first = read(["Write a poem about a horse that can draw."], Normaliser()), Family(Kind.WORD, 1, 1, bits=10)
    found = gathered(reading, [*grams(reading, FeatureSpec((first,))), class_grams(reading, known(WORDS))])
    words, classes = found.indices[: found.starts[1]], found.indices[found.starts[1] :]
    assert max(words) < 1 << 10 <= min(classes)
    assert max(classes) < (1 << 10) + (1 << 12)


def test_words_between_the_same_neighbours_are_of_one_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_COMMONEST", 3)
    monkeypatch.setattr(neighbours, "_LEARNED", (2,))
    things, orders = ("poem", "horse", "lamp"), ("write", "draw", "paint")
    texts = [
        f"please {order} the {thing} and the {thing} and please {order} the" for order in orders for thing in things
    ]
    learned = neighbours.word_classes(texts * 3, SPEC)
    class_of = dict(zip(learned.hashes.tolist(), learned.classes[0].tolist(), strict=True))
    parts = [{class_of[word_hash(word)] for word in words} for words in (things, orders)]
    assert [len(part) for part in parts] == [1, 1]
    assert parts[0] != parts[1]
