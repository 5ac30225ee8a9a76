"""The toxicity model's training: the same bytes every time, and sentences that teach more than word lists do."""

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.adapters.classifiers import load
from core.adapters.classifiers.features import Family, FeatureSpec, Kind
from core.adapters.classifiers.windows import Window
from core.contracts.compliance import CheckType
from training import toxicity
from training.data import TextSet
from training.linear import matrix
from training.stacking import FOLDS, Expert, prepare
from training.toxicity.bias import by_identity
from training.toxicity.functional import functional_cases
from training.toxicity.kinship import Kinship, fit_kindred, kinship, plain_numbers
from training.toxicity.lists import lexicons

SHIPPED = load(CheckType.TOXICITY)
ROWS = 160
SPEC = FeatureSpec((Family(Kind.CHAR, 3, 4, 10), Family(Kind.WORD, 1, 2, 14)))
LEXICON = (
    "text,canonical_form_1,category_1,severity_rating,severity_description\n"
    "grumbler,grumbler,racial / ethnic slurs,2.8,Severe\ngrumblers,grumbler,racial / ethnic slurs,2.8,Severe\n"
    "darn,darn,other / general insult,1.2,Mild\nd4rn,darn,other / general insult,1.2,Mild\n"
    "drat,darn,other / general insult,2.0,Strong\n"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder like the real one, and tiny."""
    folder = tmp_path / "toxicity" / "train"
    folder.mkdir(parents=True)
    for name in toxicity.ALL:
        if name != "functional":
            (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(_rows(name).encode()))
    for kind, name in toxicity.UNLABELLED:
        (tmp_path / kind / "train").mkdir(parents=True, exist_ok=True)
        (tmp_path / kind / "train" / f"{name}.jsonl").write_text(_rows(name))
    (tmp_path / "lexicons").mkdir()
    (tmp_path / "lexicons" / "surge_profanity_en.csv").write_text(LEXICON)
    (tmp_path / "lexicons" / "ldnoobw_en.txt").write_text("darn\n")
    return tmp_path


def _rows(name: str) -> str:
    rows = [
        {
            "text": f"{name}: {'you darn muslim grumbler' if row % 2 else 'what a fine muslim day'} {row}",
            "label": row % 2,
        }
        for row in range(ROWS)
    ]
    return "\n".join(map(json.dumps, rows))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer columns and fewer sentences, for speed."""
    monkeypatch.setattr(toxicity, "SPEC", FeatureSpec((Family(Kind.WORD, 1, 2, 10), Family(Kind.CHAR, 3, 4, 10))))
    monkeypatch.setattr(toxicity, "FUNCTIONAL_CASES", 400)
    monkeypatch.setattr(toxicity, "NETWORKS", 2)


@pytest.mark.usefixtures("small")
def test_training_twice_makes_the_same_bytes_and_a_model_that_works(data: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        toxicity.train(data).save(tmp_path / name / "toxicity.bin")
    first, second = ((tmp_path / name / "toxicity.bin").read_bytes() for name in ("first", "second"))
    assert first == second
    bad, fine = load("toxicity", tmp_path / "first").detect(["you darn grumbler", "what a fine day"])
    assert (bad.flagged, fine.flagged) == (True, False)
    assert bad.reasons


def test_generated_sentences_are_the_same_every_time_and_of_both_kinds(data: Path) -> None:
    first, again = functional_cases(data, 1000, seed=1), functional_cases(data, 1000, seed=1)
    assert first.texts == again.texts != functional_cases(data, 1000, seed=2).texts
    assert len(set(first.texts)) == len(first.texts) > 900
    assert 0.4 < first.labels.mean() < 0.6
    assert not [text for text in first.texts if "{" in text or "}" in text]


def test_every_group_is_both_hated_and_praised_in_generated_sentences(data: Path) -> None:
    found = functional_cases(data, 12_000, seed=1)
    for word in ("women", "muslims", "immigrants", "disabled", "gay"):
        labels = Counter(label for text, label in zip(found.texts, found.labels, strict=True) if word in text.lower())
        assert min(labels[0], labels[1]) > 10, word


def test_word_lists_hold_hashes_only(data: Path) -> None:
    found = {one.name: one.hashes for one in lexicons(data)}
    assert len(found["slurs"]) == 2
    assert len(found["obscene"]) == 1
    assert all(one.dtype == np.uint64 and (np.diff(one.astype(object)) > 0).all() for one in found.values())


def test_bias_is_told_by_term_over_rows_that_did_not_train(data: Path) -> None:
    everything = [json.loads(line)["text"] for line in _rows("madlibs").splitlines()]
    found = by_identity(data, lambda texts: np.array(["darn" in text for text in texts], dtype=float), everything[:80])
    assert list(found) == ["muslim"]
    assert found["muslim"].rows == 20
    assert found["muslim"].false_positive_rate == 0.0


@pytest.mark.parametrize("text", ["😀", "😀😂🤣", "😀😂🤣" * 50, "❤️❤️❤️", "🐸🌮🎸🧁🦄", "🎂 🎉 🎁"])
def test_friendly_emoji_alone_are_no_insult(text: str) -> None:
    assert SHIPPED.detect([text])[0].flagged is False


@pytest.mark.parametrize("text", ["🖕", "🖕🖕🖕", "😂🖕", "🖕" * 60])
def test_a_rude_gesture_alone_is_one(text: str) -> None:
    assert SHIPPED.detect([text])[0].flagged is True


@pytest.fixture
def known() -> Kinship:
    return kinship(_company(), SPEC)


def test_words_that_keep_the_same_company_are_alike(known: Kinship) -> None:
    rows = known.read(matrix(["grumbler", "moaner", "violin"], SPEC))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert rows[0] @ rows[1] > 0.8 > rows[0] @ rows[2]


def test_a_head_over_kinship_knows_a_word_that_nobody_taught(known: Kinship) -> None:
    taught = TextSet("some", ["a grumbler", "a violin"] * 150, np.array([1, 0] * 150))
    fitted = fit_kindred(Expert(("some",), 1.0, own_biases=1), {"some": prepare(taught, SPEC, Window(100))}, known)
    assert len(fitted) == FOLDS + 1
    untaught = matrix(["a moaner", "a cello"], SPEC) @ fitted[0][:-1]
    assert untaught[0] > untaught[1]


def test_numbers_of_vectors_are_heads_that_saw_no_labels(known: Kinship) -> None:
    found = plain_numbers(known, 2)
    rows = matrix(["a violin"], SPEC)
    assert list(found) == ["kin_0", "kin_1"]
    assert (rows @ found["kin_1"][0][:-1])[0] == pytest.approx(known.read(rows)[0, 1], abs=1e-5)


def _company() -> list[str]:
    """Two people who are spoken of alike, and two instruments."""
    return [
        text
        for _ in range(8)
        for person, thing in (("grumbler", "violin"), ("moaner", "cello"))
        for text in (f"that {person} never stops shouting at us", f"she plays her {thing} in the old hall")
    ]


def test_a_zero_counts_less_where_a_narrow_set_calls_an_attack_harmless() -> None:
    texts = TextSet("some", ["a grumbler", "a violin"], np.array([0, 0]))
    prepared = dict.fromkeys(toxicity.MASS, prepare(texts, SPEC, Window(100)))
    attack = np.zeros(SPEC.columns + 1)
    attack[matrix(["grumbler"], SPEC).indices], attack[-1] = 1, -1
    found = toxicity.trusted_weights(prepared, [attack])
    assert found["edos_train"][0] == pytest.approx(found["edos_train"][1] * toxicity.DOUBTED)
    assert found["davidson"][0] == found["davidson"][1]
