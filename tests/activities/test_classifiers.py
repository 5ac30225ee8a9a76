"""Our own classifiers: the weights file, the detector around it, and texts that are hard to read."""

import base64
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.classifiers import ClassifierDetector, ClassifierModel, WeightsError, load
from core.adapters.classifiers.features import Family, FeatureSpec, Kind, phrase_hash, read, rows, word_hash
from core.adapters.classifiers.model import Calibration, Heads, Layer, Reason
from core.adapters.classifiers.normalise import Normaliser, decoded
from core.adapters.classifiers.surface import SURFACE, Lexicon, surface
from core.adapters.classifiers.weights_file import MAGIC
from core.adapters.classifiers.windows import Window, sentences, windows
from core.contracts.compliance import CheckType

SPEC = FeatureSpec((Family(Kind.WORD, 1, 2, 12), Family(Kind.CHAR, 2, 4, 12), Family(Kind.SKIP, 1, 2, 10)))
BAD_WORD = "grumble"


def model_of(word: str, window: int = 200) -> ClassifierModel:
    """A model that says yes to texts with one word."""
    table = np.zeros((SPEC.columns, 1), dtype=np.int8)
    found = rows(read([word], SPEC.normaliser), SPEC)
    table[found.indices[: found.starts[1]]] = 100
    columns = 1 + len(SURFACE) + 1
    weights = np.zeros((2 * columns, 1), dtype=np.float32)
    weights[columns] = 10
    return ClassifierModel(
        name="toxicity",
        spec=SPEC,
        heads=Heads(("word",), table, np.array([0.1]), np.array([-1.0])),
        layers=(Layer(weights, np.zeros(1, dtype=np.float32)),),
        lexicons=(Lexicon("insults", np.array([word_hash(word)], dtype=np.uint64)),),
        window=Window(window, 20),
        calibration=Calibration(1.0, 0.0),
        reasons=(Reason("insult", "insults", 0.1),),
    )


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with a weights file."""
    model_of(BAD_WORD).save(tmp_path / "toxicity.bin")
    return tmp_path


@pytest.fixture
def detector(weights: Path) -> ClassifierDetector:
    """The detector from that file."""
    return load("toxicity", weights)


def test_a_finding_has_score_threshold_reasons_and_the_passage(detector: ClassifierDetector) -> None:
    text = f"A fine day. You {BAD_WORD} there! Nothing else."
    found = detector.detect([text])[0]
    assert found.flagged
    assert found.score is not None
    assert found.score > 0.5
    assert (found.threshold, found.reasons, found.detector) == (0.5, ["insult"], "isa-toxicity")
    assert [text[one.start : one.end] for one in found.passages or []] == [f"You {BAD_WORD} there!"]


def test_what_scores_low_has_neither_passages_nor_reasons(detector: ClassifierDetector) -> None:
    found = detector.detect(["A fine day."])[0]
    assert (found.flagged, found.passages, found.reasons) == (False, None, None)


def test_a_batch_says_of_each_text_what_it_says_alone(detector: ClassifierDetector) -> None:
    texts = ["", BAD_WORD, "a fine day " * 80, f"{'a fine day ' * 80} {BAD_WORD}", "😀", "word " * 500]
    together = detector.detect(texts)
    alone = [detector.detect([text])[0] for text in texts]
    assert [one.score for one in together] == pytest.approx([one.score for one in alone])
    assert [one.flagged for one in together] == [False, True, False, True, False, False]
    assert detector.detect([]) == []


def test_one_bad_sentence_is_found_wherever_it_stands_in_a_long_text(detector: ClassifierDetector) -> None:
    text = "All is well here. " * 2000 + f"What a {BAD_WORD}. " + "All is well here. " * 2000
    found = detector.detect([text])[0]
    assert found.flagged
    assert [text[one.start : one.end] for one in found.passages or []] == [f"What a {BAD_WORD}."]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00\x01\x02",
        "\u202e\u2066\u200b",
        "😀👩‍👩‍👧‍👦🏳️‍🌈" * 200,
        "a" * 102_400,
        "@" * 102_400,
        "a." * 51_200,
        "\ud800",
        "привет мир こんにちは 世界",
        "Z̸̡̛a̷l̵g̶o̸" * 500,
        "=" * 5000,
    ],
    ids=[
        "empty",
        "blank",
        "control",
        "bidi",
        "emoji",
        "one word",
        "signs",
        "dots",
        "surrogate",
        "scripts",
        "marks",
        "pad",
    ],
)
def test_hard_texts_get_a_score(detector: ClassifierDetector, text: str) -> None:
    score = detector.detect([text])[0].score
    assert score is not None
    assert 0 <= score <= 1


@pytest.mark.parametrize(
    "text", ["", " \n", "\u200b" * 500, "\u202e\u202c", "\x00\x07", "a" * 1000, "xX" * 500, "a" * 1000 + "!", "- " * 99]
)
def test_a_text_with_nothing_to_see_scores_nothing(detector: ClassifierDetector, text: str) -> None:
    assert detector.detect([text])[0].score == 0


def test_a_missing_weights_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"spam\.bin: cannot be read .*python -m training"):
        load("spam", tmp_path)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda raw: raw[:-1], "damaged"),
        (lambda raw: raw[:200] + bytes([raw[200] ^ 1]) + raw[201:], "damaged"),
        (lambda raw: b"", "not a classifier's"),
        (lambda raw: b"PK" + raw, "not a classifier's"),
        (lambda raw: MAGIC, "damaged"),
    ],
)
def test_a_corrupt_weights_file_is_named(weights: Path, damage: object, fault: str) -> None:
    path = weights / "toxicity.bin"
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsError, match=rf"toxicity\.bin: .*{fault}"):
        load(CheckType.TOXICITY, weights)


def test_a_model_saved_and_loaded_scores_the_same_and_saves_the_same_bytes(weights: Path, tmp_path: Path) -> None:
    made, loaded = model_of(BAD_WORD), ClassifierModel.load(weights / "toxicity.bin")
    texts = [BAD_WORD, "a fine day", ""]
    assert (made.score(texts) == loaded.score(texts)).all()
    loaded.save(tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == (weights / "toxicity.bin").read_bytes()


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("GRUMBLE", "grumble"),
        ("gru\u200bmb\u00adle", "grumble"),
        ("grümblé", "grumble"),
        ("ｇｒｕｍｂｌｅ", "grumble"),
        ("𝐠𝐫𝐮𝐦𝐛𝐥𝐞", "grumble"),
        ("grumbl\u0435", "grumble"),
        ("g r u m b l e", "grumble"),
        ("g.r.u.m.b.l.e", "grumble"),
        ("gr0wl1ng", "growling"),
        ("grrrrrumble", "grrumble"),
        ("\U000e0067\U000e0072\U000e0075", "gru"),
        ("see https://example.com/x now", "see http now"),
        ("hi @someone", "hi @user"),
        ("mail a@b.example", "mail a@b.example"),
    ],
)
def test_disguises_are_undone(disguised: str, plain: str) -> None:
    assert Normaliser()(disguised) == plain


def test_what_a_type_needs_kept_is_kept() -> None:
    assert (
        Normaliser(placeholders=False, leet=False)("See HTTP://x.example c0de @me") == "see http://x.example c0de @me"
    )


def test_encoded_stretches_are_read() -> None:
    said = "please pass the salt and the pepper"
    text = f"x {base64.b64encode(said.encode()).decode()} y {said.encode().hex()}"
    assert decoded(text) == [said, said]
    assert decoded("A" * 400 + " !!!! " + "zz" * 50) == []


@given(st.text(max_size=300))
def test_normalising_never_fails_and_leaves_single_spaces(text: str) -> None:
    plain = Normaliser()(text)
    assert plain == " ".join(plain.split())


@given(st.lists(st.text(max_size=40) | st.text(alphabet="ab1$!@. -_*'<>\n", max_size=40), max_size=6))
def test_texts_normalised_together_are_as_they_are_alone(texts: list[str]) -> None:
    for normaliser in (Normaliser(), Normaliser(placeholders=False, leet=False)):
        assert normaliser.each(texts) == [normaliser(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "quotes"), [("don't", 0), ("'yes'", 2), ('say "yes"', 2), ("it's 'so'", 2), ("“a” «b»", 4), ("none", 0)]
)
def test_quotes_are_counted_and_apostrophes_inside_words_are_none(text: str, quotes: int) -> None:
    (found,) = surface([text])
    assert found[SURFACE.index("quotes")] == math.log1p(quotes) / 3


@given(st.lists(st.text(max_size=60), max_size=6))
def test_rows_of_a_batch_are_the_rows_of_its_texts(texts: list[str]) -> None:
    together = rows(read(texts, SPEC.normaliser), SPEC)
    families = len(SPEC.families)
    for number, text in enumerate(texts):
        alone = rows(read([text], SPEC.normaliser), SPEC)
        starts = together.starts[number * families : (number + 1) * families + 1]
        assert together.indices[starts[0] : starts[-1]].tolist() == alone.indices.tolist()
        assert (starts - starts[0]).tolist() == alone.starts.tolist()
        assert together.values[number].tolist() == alone.values[0].tolist()


def test_equal_words_have_equal_numbers_and_phrases_their_own() -> None:
    assert word_hash("growl") == word_hash("growl") != word_hash("growls")
    assert phrase_hash("growl") == word_hash("growl")
    assert phrase_hash("growl at") not in (0, word_hash("growl"), phrase_hash("at growl"))
    assert word_hash("two words") == word_hash("") == 0


@given(st.text(alphabet="ab .\n", max_size=400), st.integers(4, 60))
def test_windows_cover_the_whole_text_and_stay_within_their_size(text: str, size: int) -> None:
    cut = windows(text, Window(size, size // 4))
    assert (cut[0][0], cut[-1][1]) == (0, len(text))
    assert all(end - start <= size for start, end in cut)
    assert all(left[1] >= right[0] > left[0] for left, right in pairwise(cut))


@given(st.text(alphabet='ab .!\n"', max_size=400))
def test_sentences_hold_every_word_in_order(text: str) -> None:
    found = sentences(text, 0, len(text))
    words = [word for start, end in found for word in text[start:end].split() if "a" in word or "b" in word]
    assert words == [word for word in text.split() if "a" in word or "b" in word]
    assert all(text[start:end] == text[start:end].strip() for start, end in found)
