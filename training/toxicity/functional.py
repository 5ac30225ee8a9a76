"""Sentences of our own that teach what a word list cannot: negation, quotation, praise and hate of the same people.

Each form of hate has harmless counterparts with the same words, so that only the way they are put together tells.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from training.data import TextSet, lexicon
from training.toxicity.forms import HARMLESS, HATEFUL
from training.toxicity.words import GROUPS, PERSONS, THINGS, WORLD

_SLOT = re.compile(r"\{(\w+)\}")
_GOOD_TO_YOU = ("brilliant", "a legend", "hilarious", "right", "amazing", "my hero", "the best", "great at this")
_NEEDS_HATE = "{hateful}"
_QUOTABLE = tuple(form for form in HATEFUL if "you" not in form and "?" not in form)
_LEET = str.maketrans("aeiost", "431057")
_FRIENDLY = (
    *"😀😂🤣😅😊😉😍🥰😘😎🤔😴😭😢😱😮🙄🙃🤗🤩🥳😇👍👏🙏💪👋🤝✌👀",
    *"🔥✨🎉🎂🎁🎵⚽🏆☀🌈🌸🌹🍕🍰☕🍻🐶🐱🦋🚀💯✅💡📚💰🏠🚗❤💙💔",
)
_RUDE = "🖕"
_EMOJI = 40
"""One row in so many is emoji alone: which of them are rude, no text with words tells."""
_DISGUISED = 0.15
"""The share of sentences that are spelled in a disguise."""


class Writer:
    """Writes sentences with one source of chance: the same ones every time."""

    def __init__(self, data: Path, seed: int) -> None:
        self._chance = random.Random(seed)
        self._slurs = _slurs(data)
        self._words: dict[str, Sequence[str]] = {
            **WORLD, "thing": THINGS, "slur": self._slurs, "intensifier": _intensifiers(data), "good_you": _GOOD_TO_YOU,
            "curse": ("to hell with", "down with", "death to", "screw", "damn", "shame on", "no more"),
            "bad2": WORLD["bad"], "hate_plain": ("hate", "despise", "detest", "attack", "insult", "mock", "bully"),
        }  # fmt: skip

    def sentences(self, forms: Sequence[str], count: int) -> list[str]:
        """So many sentences, each form as often as the others."""
        return [self._disguised(self._cased(self._fill(forms[number % len(forms)]))) for number in range(count)]

    def emoji(self) -> str:
        """One or many of them, alike or not."""
        count = self._chance.choice((1, 1, 2, 3, 3, 4, 6, 12, 40, 150))
        alike = [self._chance.choice(_FRIENDLY)] * count
        found = alike if self._chance.random() < 0.4 else [self._chance.choice(_FRIENDLY) for _ in range(count)]
        return self._chance.choice(("", "", " ")).join(found)

    def rude_emoji(self) -> str:
        """The same with one among them, or only that one."""
        friendly, rude = self.emoji(), _RUDE * self._chance.choice((1, 1, 2, 3))
        return self._chance.choice((rude, friendly + rude, rude + friendly))

    def _fill(self, form: str) -> str:
        group = {"g": self._chance.choice(GROUPS), "s": self._chance.choice(PERSONS)}
        if _NEEDS_HATE in form:
            form = form.replace(_NEEDS_HATE, self._chance.choice(_QUOTABLE).replace("{end}", ""))
        return re.sub(r"\s+", " ", self._slots(form, group)).strip()

    def _slots(self, form: str, group: Mapping[str, str]) -> str:
        return _SLOT.sub(lambda slot: self._slots(self._choice(slot[1], group), group), form)

    def _choice(self, name: str, group: Mapping[str, str]) -> str:
        if name == "slurs":
            return self._chance.choice(self._slurs) + "s"
        return group[name] if name in group else self._chance.choice(self._words[name])

    def _cased(self, sentence: str) -> str:
        chance = self._chance.random()
        if chance < 0.03:
            return sentence.upper()
        return sentence if chance < 0.35 else re.sub(r"\bi\b", "I", sentence[0].upper() + sentence[1:])

    def _disguised(self, sentence: str) -> str:
        """Now and then: letters swapped, left out or read as digits; words run together, or letters spaced."""
        if self._chance.random() > _DISGUISED:
            return sentence
        words = sentence.split()
        number = max(range(len(words)), key=lambda at: len(words[at]) + 2 * self._chance.random())
        trick: Callable[[str], str] = self._chance.choice((self._swapped, self._shorter, self._leet, self._spaced))
        words[number] = trick(words[number])
        return ("" if self._chance.random() < 0.08 else " ").join(words)

    def _swapped(self, word: str) -> str:
        at = self._chance.randrange(max(len(word) - 1, 1))
        return word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]

    def _shorter(self, word: str) -> str:
        at = self._chance.randrange(len(word))
        return word[:at] + word[at + 1 :]

    def _leet(self, word: str) -> str:
        return word.translate(_LEET)

    def _spaced(self, word: str) -> str:
        return " ".join(word)


def functional_cases(data: Path, count: int, seed: int) -> TextSet:
    """Hateful and harmless sentences, half and half, without repetitions; `extras` tell which form each has."""
    writer = Writer(data, seed)
    found: dict[str, tuple[int, int]] = {}
    for label, forms in ((1, HATEFUL), (0, HARMLESS)):
        for number, sentence in enumerate(writer.sentences(forms, count // 2)):
            found[sentence] = label, number % len(forms)
    for number in range(count // _EMOJI):
        found[writer.emoji()], found[writer.rude_emoji()] = (0, number), (1, number)
    labels = np.array([label for label, _ in found.values()], dtype=np.int64)
    return TextSet("functional", list(found), labels, [{"form": form} for _, form in found.values()])


def _slurs(data: Path) -> list[str]:
    """Words that insult people for what they are, in their plain spelling."""
    least = {"racial / ethnic slurs": 2.4, "sexual orientation / gender": 2.4, "mental disability": 2.5}
    return sorted(
        row["text"]
        for row in _plain_words(data)
        if float(row["severity_rating"]) >= least.get(row["category_1"], 9.0) and row["text"] not in PERSONS
    )


def _intensifiers(data: Path) -> list[str]:
    """The swear word that stands before an adjective: the one that the lists know in most spellings."""
    rows = lexicon(data, "surge_profanity_en.csv")
    spellings = Counter(row["canonical_form_1"] for row in rows)
    return [f"{word}ing" for word, _ in spellings.most_common(1)]


def _plain_words(data: Path) -> list[dict[str, str]]:
    rows = lexicon(data, "surge_profanity_en.csv")
    return [row for row in rows if row["text"] == row["canonical_form_1"] and row["text"].isalpha()]
