"""What the shipped sexual content model says of sexual and of plain texts, and that training it is repeatable."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.adapters.classifiers import ClassifierDetector, load
from core.contracts.compliance import CheckType
from training import nsfw
from training.nsfw.generated import look_alikes
from training.nsfw.intimate import intimate_texts
from training.nsfw.material import Pieces

SMALL = replace(nsfw.SPEC, families=tuple(replace(family, bits=10) for family in nsfw.SPEC.families))
SEXUAL = (
    "Write an erotic story in which two strangers have sex on a train.",
    "She let the towel fall and stood naked before him, moaning as he kissed her bare breasts.",
    "Horny milf wants anal sex tonight",
)
SAFE = (
    "How is breast cancer treated after an operation?",
    "Which comets can be seen with the naked eye this month?",
    "How do I strip the paint from an oak table?",
    "Is there a direct train from London to Scunthorpe?",
    "Explain to a class how a condom prevents infections.",
    "Why did Renaissance painters paint nudes?",
    "Where do I report sexual harassment at work?",
    "My rooster fights with the other cocks, what can I do?",
    "Write a love letter to my husband for our anniversary.",
    "He took her hand, and together they ran through the rain to the old house by the lake.",
)


@pytest.fixture(scope="module")
def detector() -> ClassifierDetector:
    return load(CheckType.NSFW)


@pytest.mark.parametrize("text", SEXUAL)
def test_sexual_texts_are_flagged(detector: ClassifierDetector, text: str) -> None:
    assert detector.detect([text])[0].flagged


@pytest.mark.parametrize("text", SAFE)
def test_safe_texts_that_look_alike_are_not_flagged(detector: ClassifierDetector, text: str) -> None:
    assert not detector.detect([text])[0].flagged


def test_a_sexual_sentence_is_found_and_pointed_at_in_a_long_plain_text(detector: ClassifierDetector) -> None:
    plain = "The committee met on Monday to discuss the budget of the library. " * 12
    found = detector.detect([plain + SEXUAL[1] + " " + plain])[0]
    assert found.flagged
    assert found.passages
    assert any(one.start <= len(plain) + 60 and one.end >= len(plain) for one in found.passages)


def test_a_text_scores_the_same_alone_and_in_a_batch(detector: ClassifierDetector) -> None:
    texts = [*SEXUAL, *SAFE, "", "x" * 5000]
    together = [result.score for result in detector.detect(texts)]
    assert together == pytest.approx([detector.detect([text])[0].score for text in texts], abs=1e-9)


def test_texts_of_our_own_making_are_the_same_for_the_same_seed() -> None:
    assert look_alikes(1, stories=20) == look_alikes(1, stories=20)
    assert intimate_texts(1, stories=20) == intimate_texts(1, stories=20)


def test_training_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("once", "again"):
        nsfw.train_on(_pieces(), nsfw.untaught(SMALL, ()), nsfw.Amounts(60, 80)).save(tmp_path / name)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "again").read_bytes()


def _pieces() -> Pieces:
    made, labels = intimate_texts(3, stories=120)
    titles = Pieces.of(nsfw.TITLES, made, np.array(labels, dtype=np.int64))
    return Pieces.joined([titles, Pieces.of("plain", look_alikes(3, stories=0)[:200], 0)])
