"""Trains the model of prompt injection: three linear heads, and what weighs up their scores of its parts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers.concepts import Concepts, concepts_of
from core.adapters.classifiers.features import Family, FeatureSpec, Kind
from core.adapters.classifiers.injection import HEADS, SUMMARY, InjectionModel, summary
from core.adapters.classifiers.model import Layer, Reason
from core.adapters.classifiers.normalise import Normaliser
from training.blending import calibrated, linear_blend
from training.grammar import phrases
from training.linear import Vector, heads
from training.prompt_injection.corpus import ASIDES, Amounts, Corpus, Example
from training.prompt_injection.fitting import Mask, fit_heads, scores_of, weights_of
from training.prompt_injection.rows import Prepared, prepare

Matrix = NDArray[np.float64]

SEED = 7
SPEC = FeatureSpec((Family(Kind.WORD, 1, 2, 17, 1.0), Family(Kind.CHAR, 4, 4, 16, 0.7)), Normaliser())
_FOLDS = 2
_THRESHOLD = -0.1
"""The logit that scores 0.5: as many attacks found as the dev sets of harmless prompts allow."""
_BLEND_WEIGHTS = {
    "documents": 0.5, "bipia_train": 3.0, "awesome_benign": 2.5, "wildchat_benign": 3.0, "made_play": 0.6,
    "deepset_train": 3.0, ASIDES: 0.0, "asked": 0.4, "messages": 0.5, "posts": 0.5, "mails": 0.5,
}  # fmt: skip
REASONS = (
    Reason("overrides_instructions", "attack", 0.25),
    Reason("hidden_instruction", "request_in_document", 0.5),
    Reason("jailbreak", "whole", 0.25),
)


@dataclass(frozen=True)
class Sections:
    """Vectors that heads gave to texts they had not been fitted on, with the texts' labels and weights."""

    vectors: Matrix
    labels: NDArray[np.int64]
    weights: Vector


def train(data: Path, *, amounts: Amounts | None = None) -> InjectionModel:
    """The model, from what stands under `data`."""
    return fit(Corpus(data, seed=SEED, amounts=amounts or Amounts()).build())


def fit(examples: list[Example]) -> InjectionModel:
    """The model of these examples."""
    concepts = known_concepts()
    prepared = prepare(examples, SPEC, concepts)
    sections = _sections(prepared)
    # A network over the same numbers is better on known kinds of text and worse on unknown ones.
    layers = linear_blend(sections.vectors, sections.labels, sections.weights, strength=0.3)
    everything = np.ones(len(examples), dtype=np.bool_)
    return InjectionModel(
        name="prompt_injection",
        spec=SPEC,
        heads=heads(dict(zip(HEADS, fit_heads(prepared, everything, SEED), strict=True))),
        layers=layers,
        calibration=calibrated(_logits(layers, sections.vectors), sections.labels, threshold=_THRESHOLD),
        reasons=REASONS,
        concepts=concepts,
    )


def known_concepts() -> Concepts:
    """The kinds of words, numbered from 1; a word of several kinds counts as the first."""
    numbered: dict[str, int] = {}
    for number, words in enumerate(phrases("kinds").values(), 1):
        for word in words:
            numbered.setdefault(SPEC.normaliser(word), number)
    return concepts_of(numbered, bits=13, scale=1.0)


def _sections(prepared: Prepared) -> Sections:
    """Each text as it looks to heads that have not seen it."""
    texts = np.arange(len(prepared.labels))
    folds = np.random.default_rng(SEED).integers(0, _FOLDS, len(texts))
    weights = weights_of(prepared, texts)
    weights *= [_BLEND_WEIGHTS.get(group, 1.0) for group in prepared.groups.tolist()]
    return Sections(_left_out(prepared, folds), prepared.labels, weights)


def _left_out(prepared: Prepared, folds: NDArray[np.int64]) -> Matrix:
    """Each text's vector by heads that were fitted on the other folds."""
    vectors = np.zeros((len(folds), len(SUMMARY)))
    for fold in range(folds.max() + 1):
        here: Mask = folds == fold
        found = vectors_of(prepared, fit_heads(prepared, ~here, SEED))
        vectors[here] = found[here]
    return vectors


def vectors_of(prepared: Prepared, fitted: list[Vector]) -> Matrix:
    """What the blend sees of each text; the run time's own function makes it."""
    whole, attack, request = scores_of(prepared, fitted)
    ends = np.cumsum(prepared.counts)
    starts = ends - prepared.counts
    rows = [
        summary(words, _stacked(whole[text], attack[start:end], request[start:end]))
        for text, (words, start, end) in enumerate(zip(prepared.words.tolist(), starts, ends, strict=True))
    ]
    return np.array(rows)


def _stacked(whole: float, attack: Vector, request: Vector) -> Matrix:
    """One text's scores as the run time has them: the first row is the text as a whole."""
    scores = np.zeros((len(attack) + 1, len(HEADS)))
    scores[0, 0], scores[1:, 1], scores[1:, 2] = whole, attack, request
    return scores


def _logits(layers: tuple[Layer, ...], vectors: Matrix) -> Vector:
    for layer in layers[:-1]:
        vectors = np.maximum(vectors @ layer.weights + layer.biases, 0)
    return np.asarray(vectors @ layers[-1].weights + layers[-1].biases, dtype=np.float64)[:, 0]
