"""The toxicity model's training: the same bytes every time, and sentences that teach more than word lists do."""

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.adapters.classifiers import load
from core.adapters.classifiers.features import Family, FeatureSpec, Kind
from training import toxicity
from training.toxicity.bias import by_identity
from training.toxicity.functional import functional_cases
from training.toxicity.lists import lexicons

ROWS = 160
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
