"""Trains the toxicity model: an expert for each kind of text, and a small network that weighs them up."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.adapters.classifiers.features import Family, FeatureSpec, Kind
from core.adapters.classifiers.model import Calibration, ClassifierModel, Layer, Reason
from core.adapters.classifiers.surface import SURFACE
from core.adapters.classifiers.windows import Window
from training.blending import Labels, Matrix, mean_blend, network_blend
from training.data import TextSet, sample, train_sets
from training.linear import Vector, heads
from training.stacking import FOLDS, Expert, Prepared, fit_experts, head_scores, prepare, row_weights, unseen_vectors
from training.toxicity.functional import functional_cases
from training.toxicity.kinship import Kinship, fit_kindred, kinship, plain_numbers
from training.toxicity.lists import lexicons

SPEC = FeatureSpec(
    (Family(Kind.CHAR, 2, 5, 18), Family(Kind.WORD, 1, 2, 18), Family(Kind.SKIP, 1, 2, 17)),
)
WINDOW = Window(800, 100)
WIKI = ("jigsaw_train20k", "wiki_cat_gn")
SHORT = ("functional", "hatemoji_train", "madlibs", "convabuse_train")
ALL = ("civil_spans", "davidson", "edos_train", "stormfront", *SHORT, *WIKI)
SOCIAL = ("davidson", "edos_train", "stormfront", "hatemoji_train", "convabuse_train", "civil_spans")
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
KINDRED = {
    "kin_wiki": Expert(WIKI, 0.3, own_biases=1),
    "kin_abuse": Expert((*WIKI, "davidson", "convabuse_train"), 0.3, own_biases=1),
    "kin_social": Expert(SOCIAL, 0.3, own_biases=1),
    "kin_all": Expert(ALL, 0.3, own_biases=1),
}
"""These read words by the company they keep (`kinship.py`): an insult that nobody taught is like those that were."""
NUMBERS = 16
"""Of the vectors themselves so many numbers stand beside the heads."""
KIN_SHARE = 0.25
"""So much of `kin_all` is added to the network's logit. The network learns on kinds of text that its heads know, where
the letters' heads are sharper, and so leans on them too much where a text is of a kind that nobody taught."""
THRESHOLD = 0.3
"""The logit that scores 0.5, chosen on the dev sets: functional cases are told apart best, and each has fewer false
positives than at 0. Zeros that count less, and labels evened out, move the network's own towards flagging."""
MADE_UP = ("functional", "madlibs")
UNLABELLED = (
    ("nsfw", "reddit_titles_train"), ("spam", "sms_train"), ("spam", "youtube_train"), ("spam", "spamassassin_train"),
    ("prompt_injection", "ambigqa_benign"), ("prompt_injection", "wildchat_benign"),
    ("prompt_injection", "awesome_benign"),
)  # fmt: skip
"""Texts that other types train with; here only the company of their words counts."""
NARROW = ("edos_train", "stormfront", "civil_spans")
"""Sets whose zero does not mean harmless: not sexist, not hate of a group, or no word that anybody marked."""
ATTACK, DOUBTED = -0.23, 0.4
"""From this score of Wikipedia's head (which saw none of these sets) such a zero counts only so much."""
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
    experts, fitted = _heads(prepared, kinship(_written_by_people(data, sets), SPEC))
    made = ClassifierModel(
        name="toxicity",
        spec=SPEC,
        heads=heads({name: found[0] for name, found in fitted.items()}, kept=1.0),
        layers=(_nothing(len(experts) + len(SURFACE) + len(lexicons(data))),),
        lexicons=lexicons(data),
        window=WINDOW,
        calibration=Calibration(1.0, -THRESHOLD),
        reasons=REASONS,
    )
    vectors = [unseen_vectors(made, experts, fitted, sets[name], prepared[name]) for name in MASS]
    weights = np.concatenate(list(trusted_weights(prepared, fitted["wiki_plain"]).values()))
    labels = np.concatenate([prepared[name].labels for name in MASS])
    return made.with_layers(_blend(np.concatenate(vectors), labels, weights, made.columns.index("kin_all")))


def _heads(prepared: Mapping[str, Prepared], known: Kinship) -> tuple[dict[str, Expert], dict[str, list[Vector]]]:
    """Every head's description, and its weights."""
    numbers = plain_numbers(known, NUMBERS)
    fitted = fit_experts(EXPERTS, prepared)
    kindred = {name: fit_kindred(expert, prepared, known) for name, expert in KINDRED.items()}
    return {**EXPERTS, **KINDRED, **{name: Expert((), 0.0) for name in numbers}}, {**fitted, **kindred, **numbers}


def _written_by_people(data: Path, sets: Mapping[str, TextSet]) -> list[str]:
    """What templates did not write: only in such texts does a word's company tell anything."""
    others = {kind: train_sets(data, kind) for kind, _ in UNLABELLED}
    found = [one for name, one in sets.items() if name not in MADE_UP]
    return [text for one in (*found, *(others[kind][name] for kind, name in UNLABELLED)) for text in one.texts]


def trusted_weights(prepared: Mapping[str, Prepared], wiki: Sequence[Vector]) -> dict[str, Vector]:
    """How much each row counts: less where it is called harmless and is an attack by Wikipedia's measure."""
    found = {name: row_weights(prepared[name].labels, mass, EVENNESS) for name, mass in MASS.items()}
    for name in NARROW:
        _, most = head_scores(EXPERTS["wiki_plain"], wiki, name, prepared[name])
        found[name][(prepared[name].labels == 0) & (most > ATTACK)] *= DOUBTED
    return found


def _blend(vectors: Matrix, labels: Labels, weights: Vector, kin: int) -> tuple[Layer, ...]:
    """Several networks that differ by chance only, whose mean goes by less of what is chance; and the kin column."""
    weights = weights / weights.mean()
    networks = [
        network_blend(vectors, labels, weights, hidden=(32,), decay=0.5, rounds=15, batch=512, seed=seed)
        for seed in range(NETWORKS)
    ]
    middle = np.mean([np.average(vectors[labels == label, kin], weights=weights[labels == label]) for label in (0, 1)])
    return _plus(mean_blend(networks), kin, float(middle))


def _plus(layers: tuple[Layer, ...], column: int, middle: float) -> tuple[Layer, ...]:
    """The blend with a share of one column, as far as it is above its middle, passed through ReLU in two halves."""
    first, second = layers
    passed = np.zeros((len(first.weights), 2), dtype=np.float32)
    passed[column] = 1, -1
    halves = np.array([[KIN_SHARE], [-KIN_SHARE]], dtype=np.float32)
    offsets = np.array([-middle, middle], dtype=np.float32)
    return (
        Layer(np.hstack((first.weights, passed)), np.concatenate((first.biases, offsets))),
        Layer(np.vstack((second.weights, halves)), second.biases),
    )


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
