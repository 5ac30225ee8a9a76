"""Trains the toxicity model: an expert for each kind of text, and a small network that weighs them up."""

from pathlib import Path

import numpy as np

from core.adapters.classifiers.features import Family, FeatureSpec, Kind
from core.adapters.classifiers.model import Calibration, ClassifierModel, Layer, Reason
from core.adapters.classifiers.surface import SURFACE
from core.adapters.classifiers.windows import Window
from training.blending import Labels, Matrix, mean_blend, network_blend
from training.data import TextSet, sample, train_sets
from training.linear import Vector, heads
from training.stacking import FOLDS, Expert, Prepared, fit_experts, prepare, row_weights, unseen_vectors
from training.toxicity.functional import functional_cases
from training.toxicity.lists import lexicons

SPEC = FeatureSpec(
    (Family(Kind.CHAR, 2, 5, 18), Family(Kind.WORD, 1, 2, 18), Family(Kind.SKIP, 1, 2, 17)),
)
WINDOW = Window(800, 100)
WIKI = ("jigsaw_train20k", "wiki_cat_gn")
SHORT = ("functional", "hatemoji_train", "madlibs", "convabuse_train")
ALL = ("civil_spans", "davidson", "edos_train", "stormfront", *SHORT, *WIKI)
EXPERTS = {
    "wiki": Expert(WIKI, 0.3, ratios=0.5),
    "wiki_plain": Expert(WIKI, 0.3),
    "abuse": Expert((*WIKI, "davidson", "convabuse_train"), 0.3, own_biases=1),
    "news": Expert(("civil_spans",), 0.1),
    "tweets": Expert(("davidson",), 0.3),
    "sexism": Expert(("edos_train",), 0.1, ratios=2.0),
    "emoji": Expert(("hatemoji_train",), 0.3),
    "functional": Expert(("functional", "hatemoji_train", "madlibs"), 0.3, own_biases=1),
    "forum": Expert(("stormfront",), 0.3),
    "all": Expert(ALL, 0.1, own_biases=2),
    "is_wiki": Expert(WIKI, 0.05, domain=True),
    "is_news": Expert(("civil_spans",), 0.05, domain=True),
    "is_tweet": Expert(("davidson",), 0.05, domain=True),
    "is_post": Expert(("edos_train",), 0.05, domain=True),
    "is_forum": Expert(("stormfront",), 0.05, domain=True),
    "is_short": Expert(SHORT, 0.05, domain=True),
}
"""What the heads learn from. The last ones tell kinds of text apart: the blend trusts experts by them."""
MASS = {
    "jigsaw_train20k": 20.0, "davidson": 1.5, "functional": 3.0, "edos_train": 3.0, "hatemoji_train": 2.0,
    "civil_spans": 0.7, "convabuse_train": 1.5, "madlibs": 0.5, "stormfront": 0.5, "wiki_cat_gn": 0.3,
}  # fmt: skip
"""How much each set counts in the blend: its kind's weight in use, and how far its labels can be trusted."""
EVENNESS = 0.5
"""Between what a set has of each label and as much of both: kinds of text differ in how much of them is toxic."""
NETWORKS = 5
FUNCTIONAL_CASES, MADLIBS = 16_000, 8_000
REASONS = (
    Reason("identity_attack", "slurs", 0.25),
    Reason("severe_profanity", "profanity_severe", 0.25),
    Reason("profanity", "profanity_strong", 0.25),
    Reason("violence", "violence", 0.25),
    Reason("insult", "insults", 0.25),
)


def train(data: Path) -> ClassifierModel:
    """The model as it ships."""
    sets = _sets(data)
    prepared = {name: _prepared(one) for name, one in sets.items()}
    fitted = fit_experts(EXPERTS, prepared)
    made = ClassifierModel(
        name="toxicity",
        spec=SPEC,
        heads=heads({name: found[0] for name, found in fitted.items()}, kept=1.0),
        layers=(_nothing(len(EXPERTS) + len(SURFACE) + len(lexicons(data))),),
        lexicons=lexicons(data),
        window=WINDOW,
        calibration=Calibration(),
        reasons=REASONS,
    )
    vectors = [unseen_vectors(made, EXPERTS, fitted, sets[name], prepared[name]) for name in MASS]
    weights = np.concatenate([row_weights(prepared[name].labels, MASS[name], EVENNESS) for name in MASS])
    labels = np.concatenate([prepared[name].labels for name in MASS])
    return made.with_layers(_blend(np.concatenate(vectors), labels, weights / weights.mean()))


def _blend(vectors: Matrix, labels: Labels, weights: Vector) -> tuple[Layer, ...]:
    """Several networks that differ by chance only: their mean goes by less of what is chance."""
    networks = [
        network_blend(vectors, labels, weights, hidden=(32,), decay=0.5, rounds=15, batch=512, seed=seed)
        for seed in range(NETWORKS)
    ]
    return mean_blend(networks)


def _sets(data: Path) -> dict[str, TextSet]:
    found = train_sets(data, "toxicity")
    found["madlibs"] = sample(found["madlibs"], MADLIBS, seed=1)
    found["functional"] = functional_cases(data, FUNCTIONAL_CASES, seed=7)
    return {name: found[name] for name in ALL}


def _prepared(found: TextSet) -> Prepared:
    """Generated sentences of one form share a fold, so that a head is judged by forms that it has not seen."""
    folds = np.array([extra["form"] % FOLDS for extra in found.extras]) if found.name == "functional" else None
    return prepare(found, SPEC, WINDOW, folds)


def _nothing(columns: int) -> Layer:
    return Layer(np.zeros((2 * columns, 1), dtype=np.float32), np.zeros(1, dtype=np.float32))
