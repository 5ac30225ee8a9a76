"""Unwanted advertising and fraud: text messages, mails and comments in one model.

A head is an expert for one kind of text, and two heads tell the kinds apart; the blend learns whom to believe. It
learns from scores that heads gave to texts they had not seen, near copies of those texts held back as well.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from core.adapters.classifiers.features import Family, FeatureSpec, Kind
from core.adapters.classifiers.model import ClassifierModel, Heads, Layer
from core.adapters.classifiers.normalise import Normaliser
from core.adapters.classifiers.surface import surface
from core.adapters.classifiers.windows import Window
from training.blending import Matrix
from training.data import Labels, TextSet, merged, train_sets
from training.linear import Vector, heads, matrix
from training.spam.ordinary import ORDINARY, ordinary
from training.switching import Gate, Verdict, switch
from training.weighing import idf, nb, weighed_head

SPEC = FeatureSpec(
    families=(Family(Kind.CHAR, 2, 5, bits=18), Family(Kind.WORD, 1, 2, bits=18, scale=0.6)),
    normaliser=Normaliser(placeholders=False, leet=False),
)
"""Links and numbers stay as they are: which site a link leads to tells more than that there is one. Characters count
for more than words, since they see the signs."""
WINDOW = Window(20_000, 200)
"""Nearly every mail whole: what gives it away often stands at its end."""
FOLDS = 4
MESSAGES = 800
"""Of our own making, wanted and unwanted each: more of them would drown the few real ones."""
SEED = 20
MAILBOX, RAW, SPACED = "enron12_train", "spamassassin_train", "spamassassin_spaced"
TEXTS, COMMENTS = "sms_train", "youtube_train"
_SIGN = re.compile(r"([^\w\s])", re.ASCII)
_BLANKS = re.compile(r"[ \t]+")
_NOT_LETTER = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True)
class Expert:
    """A head: the sets it learns from and how much each row of them counts; what makes a row positive."""

    name: str
    counts: Mapping[str, float]
    scale: Callable[[csr_matrix, Labels, Vector], Vector]
    strength: float
    kind: tuple[str, ...] = ()
    """Instead of spam from the rest, these sets are told from the others."""


EXPERTS = (
    Expert("any", {MAILBOX: 4, RAW: 1, SPACED: 1, TEXTS: 1, COMMENTS: 1}, idf, 20),
    Expert("any_ratios", {MAILBOX: 20, RAW: 0.3, SPACED: 0.3, TEXTS: 1, COMMENTS: 1}, nb, 3),
    Expert("mail", {MAILBOX: 4, RAW: 1, SPACED: 1}, idf, 20),
    Expert("mail_ratios", {MAILBOX: 60, RAW: 1, SPACED: 1}, nb, 3),
    Expert("raw", {RAW: 1, SPACED: 1}, idf, 20),
    Expert("office", {MAILBOX: 1}, idf, 10),
    Expert("office_ratios", {MAILBOX: 1}, nb, 5),
    Expert("short", {TEXTS: 1, COMMENTS: 1}, idf, 3),
    Expert("short_ratios", {TEXTS: 1, COMMENTS: 1}, nb, 10),
    Expert("message", {TEXTS: 1, ORDINARY: 1}, idf, 20),
    Expert("message_ratios", {TEXTS: 1, ORDINARY: 1}, nb, 10),
    Expert("comment", {COMMENTS: 1}, idf, 1.5),
    Expert("comment_ratios", {COMMENTS: 1}, nb, 10),
    Expert(
        "is_mail",
        {MAILBOX: 1, RAW: 0.5, SPACED: 0.5, TEXTS: 1, COMMENTS: 1, ORDINARY: 0.5},
        idf,
        1,
        kind=(MAILBOX, RAW, SPACED),
    ),
    Expert(
        "is_office", {MAILBOX: 1, RAW: 1, SPACED: 1, TEXTS: 0.3, COMMENTS: 0.3, ORDINARY: 0.5}, idf, 1, kind=(MAILBOX,)
    ),
    Expert("is_comment", {COMMENTS: 2, TEXTS: 1, MAILBOX: 0.3, RAW: 0.1, ORDINARY: 0.5}, idf, 1, kind=(COMMENTS,)),
)
GATES = (("is_mail", -1.8, -1.0), ("is_office", -1.55, -0.95), ("is_comment", -3.0, -1.0))
"""Each where held-out texts of its two sides part best."""


@dataclass(frozen=True, slots=True)
class KindOfText:
    """A kind with a verdict of its own: the sets that calibrate it and what a row of each counts, the heads that are
    asked, and when its gate opens. Of offices' mails, `strays` takes only those that do not look like it."""

    counts: Mapping[str, float]
    heads: tuple[str, ...]
    strength: float
    opens: dict[int, float]
    at: float = 0.0
    strays: bool = False


KINDS = (
    KindOfText(
        {MAILBOX: 1}, ("any", "any_ratios", "mail", "mail_ratios", "office", "office_ratios"), 10, {0: 1, 1: 1}, -1
    ),
    KindOfText(
        {RAW: 1, MAILBOX: 8}, ("any", "any_ratios", "mail", "mail_ratios", "raw"), 0.3, {0: 1, 1: -1}, strays=True
    ),
    KindOfText(
        {TEXTS: 1, COMMENTS: 0.2, ORDINARY: 0.3},
        ("any", "any_ratios", "mail", "short", "short_ratios", "message", "message_ratios"),
        1,
        {0: -1, 2: -1},
        1,
    ),
    KindOfText(
        {COMMENTS: 1}, ("any", "any_ratios", "short", "short_ratios", "comment", "comment_ratios"), 1, {0: -1, 2: 1}
    ),
)
STRAY = -0.55
"""A mail of an office whose `is_office` says less than this is easily taken for another mailbox's."""


def train(data: Path) -> ClassifierModel:
    """The model from the train sets in this folder; the same bytes for the same texts."""
    return train_on(train_sets(data, "spam") | {ORDINARY: ordinary(MESSAGES, seed=5)})


def train_on(sets: Mapping[str, TextSet], spec: FeatureSpec = SPEC) -> ClassifierModel:
    """The model from these sets: each expert has its own."""
    corpus = Corpus.of(sets, spec)
    fitted = _shipped({expert.name: _fitted(expert, corpus, corpus.all_rows) for expert in EXPERTS})
    vectors = np.hstack((_unseen_scores(corpus), surface(corpus.texts)))
    return ClassifierModel("spam", spec, fitted, _blend(vectors, corpus), window=WINDOW)


def _blend(vectors: Matrix, corpus: "Corpus") -> tuple[Layer, ...]:
    """Only the mean over the windows is looked at; what stands for the maximum weighs nothing."""
    width = 2 * vectors.shape[1]
    gates = [Gate(_number(name), low, high) for name, low, high in GATES]
    return switch([_verdict(kind, vectors, corpus, width) for kind in KINDS], gates, width)


def _verdict(kind: KindOfText, vectors: Matrix, corpus: "Corpus", width: int) -> Verdict:
    """Logistic regression over this kind's texts: what its heads say, and what the text shows."""
    asked = [_number(name) for name in kind.heads]
    used = [*asked, *range(len(EXPERTS), vectors.shape[1])]
    counts = np.array([kind.counts.get(name, 0.0) for name in corpus.names.tolist()])
    if kind.strays:
        counts[corpus.of_set(MAILBOX) & (vectors[:, _number("is_office")] > STRAY)] = 0
    rows = counts > 0
    found = vectors[rows][:, used]
    spread = found.std(axis=0) + 1e-6
    fitted = LogisticRegression(C=kind.strength, max_iter=3000)
    fitted.fit(found / spread, corpus.labels[rows], sample_weight=counts[rows])
    weights = np.zeros(width)
    weights[used] = fitted.coef_[0] / spread
    return Verdict(weights, float(fitted.intercept_[0]), kind.opens, kind.at)


def _number(name: str) -> int:
    return [expert.name for expert in EXPERTS].index(name)


@dataclass(frozen=True)
class Corpus:
    """All train texts in one matrix, with the set that each is of and the fold that it shares with its near copies."""

    texts: list[str]
    labels: Labels
    names: NDArray[np.str_]
    features: csr_matrix
    folds: Labels

    @classmethod
    def of(cls, sets: Mapping[str, TextSet], spec: FeatureSpec) -> "Corpus":
        """The sets, and a copy of the raw mails in the spaced-out form that mail corpora are kept in."""
        known = dict(sets)
        if RAW in known:
            raw = known[RAW]
            known[SPACED] = TextSet(SPACED, [spaced_out(text) for text in raw.texts], raw.labels)
        together = merged("spam", list(known.values()))
        texts = [text[: WINDOW.size] for text in together.texts]
        names = np.repeat(np.array(list(known)), [len(one) for one in known.values()])
        return cls(texts, together.labels, names, matrix(texts, spec), _folds(texts))

    @property
    def all_rows(self) -> NDArray[np.bool_]:
        return np.ones(len(self.texts), dtype=np.bool_)

    def of_set(self, name: str) -> NDArray[np.bool_]:
        return np.asarray(self.names == name)


def spaced_out(text: str) -> str:
    """A mail as corpora of tokens keep it: a subject line, lower case, blanks around every sign."""
    return "Subject: " + _BLANKS.sub(" ", _SIGN.sub(r" \1 ", text)).lower().replace(" \n", "\n").strip()


def _folds(texts: list[str]) -> Labels:
    """Texts that begin alike share a fold, so that no head has seen a copy of what it is to judge."""
    numbers: dict[str, int] = {}
    keys = [_NOT_LETTER.sub("", text.lower().removeprefix("subject:"))[:60] for text in texts]
    order = np.random.default_rng(SEED).permutation(len(texts))
    groups = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    return np.asarray(order[groups] % FOLDS, dtype=np.int64)


def _rows(expert: Expert, corpus: Corpus, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(np.isin(corpus.names, list(expert.counts)) & among)


def _targets(expert: Expert, corpus: Corpus) -> Labels:
    return np.isin(corpus.names, expert.kind).astype(np.int64) if expert.kind else corpus.labels


def _fitted(expert: Expert, corpus: Corpus, among: NDArray[np.bool_]) -> Vector:
    rows = _rows(expert, corpus, among)
    weights = np.array([expert.counts[name] for name in corpus.names[rows].tolist()], dtype=np.float64)
    return weighed_head(
        corpus.features[rows], _targets(expert, corpus)[rows], weights, scale=expert.scale, strength=expert.strength
    )


def _shipped(fitted: Mapping[str, Vector]) -> Heads:
    """In 8 bits, their largest weights too: with naive Bayes ratios those decide."""
    return heads(fitted, kept=1.0)


def _unseen_scores(corpus: Corpus) -> Matrix:
    """What each expert says of texts that it has not learned from."""
    scores = np.zeros((len(corpus.texts), len(EXPERTS)))
    for fold in range(FOLDS):
        held = corpus.folds == fold
        for column, expert in enumerate(EXPERTS):
            head = _shipped({expert.name: _fitted(expert, corpus, ~held)})
            scores[held, column] = corpus.features[held] @ (head.table[:, 0] * head.steps[0]) + head.biases[0]
    return scores
