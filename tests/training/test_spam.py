"""What the shipped spam model says of texts of each kind, and that training it is repeatable."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.adapters.classifiers import ClassifierDetector, load
from core.adapters.classifiers.windows import windows
from core.contracts.compliance import CheckType
from training import spam
from training.data import TextSet

SMALL = replace(spam.SPEC, families=tuple(replace(family, bits=10) for family in spam.SPEC.families))
PRIZE = "WINNER! You have been selected for a £1000 prize. Call 09061701461 now to claim, 150p/min, 18+ only"
OFFER = """Subject: lowest rates guaranteed

Refinance your mortgage today and save thousands! No credit check, no obligation. Click here:
http://www.best-rates-4u.biz/apply and earn extra money working from home.
To be removed from our list reply with REMOVE."""
CHANNEL = "Hey guys please check out my channel and subscribe!! I post new music covers every week http://youtu.be/abc"
LATE = "Running ten minutes late, can you order me a coffee? x"
MEETING = """Subject: Thursday's review

Hi Maria, the numbers for the second quarter are attached. Could you look over the table on page three before we
meet on Thursday? I moved the slides about hiring to the end. Thanks, Tom"""
PATCH = """Re: [dev] build fails on arm64
> The linker says that the symbol is missing.
I see the same with gcc 3.2; the attached patch adds the library to the Makefile. Does it work for you?"""
PRAISE = "I love this song so much, her voice in the second half gives me chills every time"


@pytest.fixture(scope="module")
def detector() -> ClassifierDetector:
    return load(CheckType.SPAM)


@pytest.mark.parametrize("text", [PRIZE, OFFER, CHANNEL], ids=["message", "mail", "comment"])
def test_advertising_of_each_kind_is_flagged(detector: ClassifierDetector, text: str) -> None:
    assert detector.detect([text])[0].flagged


@pytest.mark.parametrize("text", [LATE, MEETING, PATCH, PRAISE], ids=["message", "mail", "mailing_list", "comment"])
def test_what_people_write_to_each_other_is_not_flagged(detector: ClassifierDetector, text: str) -> None:
    assert not detector.detect([text])[0].flagged


def test_a_mail_scores_much_the_same_in_the_spaced_out_form_of_mail_corpora(detector: ClassifierDetector) -> None:
    plain, spaced = detector.detect([OFFER, spam.spaced_out(OFFER)])
    assert plain.flagged and spaced.flagged


def test_a_mail_of_some_pages_is_judged_whole(detector: ClassifierDetector) -> None:
    assert detector.detect(["\n\n".join([OFFER] * 50)])[0].flagged
    assert len(windows("word " * 3900, spam.WINDOW)) == 1


def test_a_text_scores_the_same_alone_and_in_a_batch(detector: ClassifierDetector) -> None:
    texts = [PRIZE, MEETING, PRAISE, "", "x" * 21_000]
    together = [result.score for result in detector.detect(texts)]
    assert together == pytest.approx([detector.detect([text])[0].score for text in texts], abs=1e-9)


def test_training_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("once", "again"):
        spam.train_on(_sets(), SMALL).save(tmp_path / name)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "again").read_bytes()


def _sets() -> dict[str, TextSet]:
    samples = {
        spam.MAILBOX: (spam.spaced_out(OFFER), spam.spaced_out(MEETING)),
        spam.RAW: (OFFER, PATCH),
        spam.TEXTS: (PRIZE, LATE),
        spam.COMMENTS: (CHANNEL, PRAISE),
    }
    return {name: _many(name, *pair) for name, pair in samples.items()}


def _many(name: str, bad: str, good: str) -> TextSet:
    """Forty texts that begin differently, so that each fold holds some."""
    openings = [f"{word} {number}" for word in ("Listen", "Look", "Well", "So", "Today") for number in "abcd"]
    texts = [f"{opening} {text}" for opening in openings for text in (bad, good)]
    return TextSet(name, texts, np.array([1, 0] * len(openings), dtype=np.int64))
