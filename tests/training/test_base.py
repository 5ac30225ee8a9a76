"""The base of the training: data, heads, blends, and that training and run time see the same features."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from core.adapters.classifiers.features import Family, FeatureSpec, Kind, read, rows
from core.adapters.classifiers.model import Layer
from core.adapters.classifiers.windows import Window
from training.baseline import baseline_score, train_baseline
from training.blending import calibrated, linear_blend, mean_blend, network_blend
from training.data import TextSet, dev_sets, lexicon, merged, read_set, sample, train_sets
from training.evaluate import figures, measured, table
from training.linear import fit_head, heads, matrix
from training.stacking import FOLDS, Expert, fit_experts, head_scores, prepare, row_weights

SPEC = FeatureSpec((Family(Kind.WORD, 1, 2, 10), Family(Kind.CHAR, 2, 3, 10)))
COLOURS, SOUNDS = ("red", "green", "blue", "grey"), ("loud", "quiet", "shrill", "dull")


def labelled(name: str, count: int = 200) -> TextSet:
    """Sentences on colours (0) and on sounds (1)."""
    texts = [f"a {(COLOURS, SOUNDS)[row % 2][row // 2 % 4]} thing number {row}" for row in range(count)]
    return TextSet(name, texts, np.arange(count) % 2)


def test_a_set_is_read_with_whatever_else_its_rows_say(tmp_path: Path) -> None:
    folder = tmp_path / "toxicity" / "train"
    folder.mkdir(parents=True)
    row = json.dumps({"text": "one\u2028line", "label": 1, "kind": "x"})
    (folder / "some.jsonl.gz").write_bytes(gzip.compress(f"{row}\n\n".encode()))
    (folder / "more.jsonl").write_text(row)
    found = train_sets(tmp_path, "toxicity")
    assert list(found) == ["more", "some"]
    assert (found["some"].texts, found["some"].labels.tolist()) == (["one\u2028line"], [1])
    assert found["some"].extras == [{"kind": "x"}]
    assert read_set(folder / "more.jsonl").texts == found["some"].texts


def test_missing_data_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"toxicity/dev.*--data"):
        dev_sets(tmp_path, "toxicity")


def test_word_lists_are_read_plain_and_as_tables(tmp_path: Path) -> None:
    (tmp_path / "lexicons").mkdir()
    (tmp_path / "lexicons" / "a.txt").write_text("one\n\ntwo words\n")
    (tmp_path / "lexicons" / "b.csv").write_text("text,kind\none,x\n")
    assert lexicon(tmp_path, "a.txt") == [{"text": "one"}, {"text": "two words"}]
    assert lexicon(tmp_path, "b.csv") == [{"text": "one", "kind": "x"}]


def test_samples_are_the_same_for_the_same_seed_and_keep_their_order() -> None:
    found = labelled("some")
    first, again = sample(found, 50, 1), sample(found, 50, 1)
    numbers = [int(text.rpartition(" ")[2]) for text in first.texts]
    assert first.texts == again.texts
    assert numbers == sorted(numbers)
    assert sample(found, 500, 1) is found
    assert len(merged("both", [first, found])) == 250


def test_training_sees_the_features_that_the_run_time_sees() -> None:
    texts = ["A loud thing", "", "grey grey GREY", "😀 blue!"]
    weights = np.random.default_rng(0).normal(size=SPEC.columns + 1)
    head = heads({"one": weights})
    exact = matrix(texts, SPEC) @ weights[:-1] + weights[-1]
    shipped = head.scores(rows(read(texts, SPEC.normaliser), SPEC))[:, 0]
    assert shipped == pytest.approx(exact, abs=4 * head.steps[0])


def test_weights_near_zero_are_pruned() -> None:
    weights = np.append(np.tile([0.001, 1.0], SPEC.columns // 2), 0.5)
    table_ = heads({"one": weights}, prune=1).table
    assert set(table_.ravel().tolist()) == {0, 127}


def test_a_head_and_both_blends_learn_what_there_is_to_learn() -> None:
    found = labelled("some")
    weights = np.ones(len(found))
    features = matrix(found.texts, SPEC)
    head = fit_head(features, found.labels, weights, strength=10.0)
    scores = (features @ head[:-1] + head[-1])[:, None]
    for layers in (
        linear_blend(scores, found.labels, weights),
        mean_blend([network_blend(scores, found.labels, weights, hidden=(4,), seed=seed) for seed in range(2)]),
    ):
        logits = _forward(layers, scores)
        calibration = calibrated(logits, found.labels)
        assert figures(found.labels, calibration(logits)).auc == 1.0


def test_the_mean_of_networks_is_one_network() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.normal(size=(30, 3))
    nets = [network_blend(vectors, np.arange(30) % 2, np.ones(30), hidden=(5,), seed=seed) for seed in range(3)]
    together = _forward(mean_blend(nets), vectors)
    assert together == pytest.approx(np.mean([_forward(net, vectors) for net in nets], axis=0), abs=1e-5)


def test_a_threshold_becomes_one_half() -> None:
    logits = np.array([-3.0, -1.0, 0.5, 2.0, 3.0, -0.5])
    calibration = calibrated(logits, np.array([0, 0, 1, 1, 1, 1]), threshold=1.25)
    assert calibration(np.array([1.25]))[0] == pytest.approx(0.5)
    assert np.all(np.diff(calibration(np.sort(logits))) > 0)


def test_rows_that_trained_a_head_are_scored_by_heads_that_missed_them() -> None:
    one = labelled("some")
    prepared = {"some": prepare(one, SPEC, Window(100)), "other": prepare(labelled("other"), SPEC, Window(100))}
    experts = {"some": Expert(("some",), 1.0), "kind": Expert(("some",), 1.0, domain=True)}
    fitted = fit_experts(experts, prepared)
    assert [len(found) for found in fitted.values()] == [FOLDS + 1] * 2
    mean, most = head_scores(experts["some"], fitted["some"], "some", prepared["some"])
    rows_ = prepared["some"].rows
    for fold, weights in enumerate(fitted["some"][1:]):
        mine = prepared["some"].folds == fold
        assert mean[mine] == pytest.approx((rows_ @ weights[:-1] + weights[-1])[mine], abs=1e-5)
    assert most == pytest.approx(mean)
    unknown, _ = head_scores(experts["some"], fitted["some"], "other", prepared["other"])
    assert unknown == pytest.approx(prepared["other"].rows @ fitted["some"][0][:-1] + fitted["some"][0][-1], abs=1e-5)


def test_a_text_of_many_windows_has_their_mean_row() -> None:
    text = TextSet("long", ["red thing " * 30, "blue"], np.array([1, 0]))
    prepared = prepare(text, SPEC, Window(100))
    assert prepared.counts.tolist() == [prepared.pieces.shape[0] - 1, 1]
    mean = prepared.pieces[:-1].mean(axis=0)
    assert np.asarray(prepared.rows[0].todense()) == pytest.approx(np.asarray(mean), abs=1e-6)


def test_both_labels_of_a_set_weigh_the_same() -> None:
    labels = np.array([1, 0, 0, 0])
    weights = row_weights(labels, 2.0)
    assert weights[labels == 1].sum() == pytest.approx(1.0)
    assert weights.sum() == pytest.approx(2.0)


def test_the_baseline_is_measured_like_a_model() -> None:
    sets = {"some": labelled("some")}
    baseline = train_baseline(sets)
    found = measured(lambda texts: baseline_score(baseline, texts), sets)
    assert found["some"].auc == 1.0
    assert "| some | 200 | 100 | 1.000 |" in table(found)


def _forward(
    layers: tuple[Layer, ...], vectors: np.ndarray[tuple[int, int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    for layer in layers[:-1]:
        vectors = np.maximum(vectors @ layer.weights + layer.biases, 0)
    return np.asarray((vectors @ layers[-1].weights + layers[-1].biases)[:, 0], dtype=np.float64)
