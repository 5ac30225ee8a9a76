"""Word lists as the model carries them (hashes only): profanity by severity, slurs, and words that turn a sentence."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core.adapters.classifiers.features import phrase_hash
from core.adapters.classifiers.normalise import Normaliser
from core.adapters.classifiers.surface import Lexicon
from training.data import lexicon
from training.toxicity.words import GROUPS, PERSONS, WORLD, listed

_SLURS = ("racial / ethnic slurs", "sexual orientation / gender", "religious offense")
_DISABILITY = ("mental disability", "physical disability", "physical attributes")
_CUES = {
    "negation": listed(
        """not, no, never, nobody, none, neither, nor, cannot, can't, don't, doesn't, didn't, isn't, aren't, wasn't,
        won't, wouldn't, shouldn't, dont, doesnt, isnt, arent, cant, without, stop, nothing"""
    ),
    "you": listed("you, your, yours, yourself, u, ur, youre, you're, ya, yall"),
    "self": listed("i, me, my, mine, myself, im, i'm, we, us, our, ours, as a"),
    "they": listed("they, them, their, those, these, these people, those people, all of, every single"),
    "speech": listed(
        """said, says, say, saying, call, called, calling, wrote, posted, tweeted, statement, statements, quote, word,
        words, people who, anyone who, it is, racist, sexist, homophobic, hateful, bigot, bigots, wrong, unacceptable,
        offensive, hate speech, banned, fired, arrested"""
    ),
    "should": listed("should, must, deserve, deserves, need to, let's, lets, hope, wish, ought, going to, gonna"),
}
_QUALITIES = {"praise": (*WORLD["good"], *WORLD["like"]), "insults": (*WORLD["bad"], *WORLD["noun"])}
_VIOLENCE = (*WORLD["kill"], *WORLD["killed"])


def lexicons(data: Path) -> tuple[Lexicon, ...]:
    """All lists, each under its name."""
    rows = lexicon(data, "surge_profanity_en.csv")
    lists: dict[str, Iterable[str]] = {
        **{f"profanity_{level}": _of_severity(rows, level) for level in ("mild", "strong", "severe")},
        "slurs": (row["text"] for row in rows if row["category_1"] in _SLURS),
        "disability": (row["text"] for row in rows if row["category_1"] in _DISABILITY),
        "obscene": (row["text"] for row in lexicon(data, "ldnoobw_en.txt")),
        "groups": (*GROUPS, *PERSONS),
        "violence": _VIOLENCE,
        **_QUALITIES,
        **_CUES,
    }
    return tuple(Lexicon(name, _hashes(phrases)) for name, phrases in lists.items())


def _of_severity(rows: Iterable[dict[str, str]], level: str) -> list[str]:
    return [row["text"] for row in rows if row["severity_description"].lower() == level]


def _hashes(phrases: Iterable[str]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    normalised = (Normaliser()(phrase) for phrase in phrases)
    return np.array(sorted({number for phrase in normalised if (number := phrase_hash(phrase))}), dtype=np.uint64)
