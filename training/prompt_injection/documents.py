"""Documents with and without an instruction hidden in them."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from training.data import TextSet
from training.grammar import Grammar, Phrases
from training.prompt_injection.places import BETWEEN, with_hidden

_BEFORE = 0.7
_REAL_LINE = 0.5
_PROSE = ("news", "science", "web", "mail")
PAPERS = (
    "recipe", "manual", "minutes", "contract", "resume", "faq", "release", "ticket", "chat", "notice", "worksheet",
    "listing", "trip", "health", "ledger", "speech",
)  # fmt: skip
PAGES = ("post", "program", "product", "entry", "row")
PASSAGES = (
    "letter", "article", "shop", "paper", "thread", "script", "sheet", "guide", "desk", "terms", "profile", "talk",
    "forum", "memo", "feed", "note", "review", "lesson",
)  # fmt: skip
_SHORT = ("feed", "note")
_OFTEN_SHORT = 0.5
"""Of the notices, so many are of the kinds that stand alone."""
_ASKED_OF_THE_FIRST = 0.5
"""Of the documents that users ask about, so many are mails, pages, prose and tables; the others are papers."""
_CODE = frozenset({"post", "program", "row", "thread", "script", "sheet"})
"""Pages in which instructions look like comments."""


@dataclass(frozen=True, slots=True)
class Material:
    """Real texts that documents and what hides in them are taken from."""

    mails: Sequence[str]
    pages: Sequence[str]
    tasks: Sequence[str]
    questions: Sequence[str]
    attacks: Sequence[str]
    words: Phrases
    """What fills templates: nouns, and sentences."""


class Documents:
    """Draws documents at random: real mails and pages, and made ones."""

    def __init__(self, material: Material, chance: random.Random) -> None:
        self._material, self._chance = material, chance
        self._phrases = Grammar("hidden", "documents", "attacks", "attacks_elsewhere")
        papers, pages, passages = (Grammar(file, more=material.words) for file in ("papers", "pages", "passages"))
        self._papers = dict.fromkeys(PAPERS, papers) | dict.fromkeys(PAGES, pages) | dict.fromkeys(PASSAGES, passages)
        self._asides, self._orders, self._planted, self._requests = (
            Grammar(file, more=material.words) for file in ("hidden_more", "hidden_orders", "planted", "pasted")
        )

    def clean(self) -> str:
        """A document as it should be."""
        return self._document()[0]

    def injected(self) -> str:
        """One with an instruction at its start, in its middle or at its end."""
        return self._with_hidden(*self._document())

    def paper(self) -> str:
        """Lines of one kind of paper, now and then with a real one among them."""
        return self._paper()[0]

    def injected_paper(self) -> str:
        """The same with an instruction in it."""
        return self._with_hidden(*self._paper())

    def _paper(self) -> tuple[str, bool]:
        kind = self._chance.choice(tuple(self._papers))
        lines = [self._papers[kind].draw(kind, self._chance) for _ in range(self._chance.randint(4, 18))]
        if self._chance.random() < _REAL_LINE:
            lines.insert(self._chance.randrange(len(lines)), self._chance.choice(self._material.words["line"]))
        return self._chance.choice(BETWEEN).join(dict.fromkeys(lines)), kind in _CODE

    def notice(self) -> str:
        """A few lines, as they are sent or posted."""
        kind = self._chance.choice(_SHORT if self._chance.random() < _OFTEN_SHORT else PASSAGES)
        lines = [self._papers[kind].draw(kind, self._chance) for _ in range(self._chance.randint(1, 4))]
        return self._chance.choice(BETWEEN).join(dict.fromkeys(lines))

    def alone(self) -> str:
        """What hides, without the document around it."""
        return self._hidden(is_code=False)

    def asked(self) -> str:
        """A document with a user's plain request about it: nothing hides there."""
        document = self.clean() if self._chance.random() < _ASKED_OF_THE_FIRST else self.paper()
        if self._chance.random() < _BEFORE:
            return self._requests.draw("about", self._chance) + document
        return document + self._requests.draw("after", self._chance)

    def _with_hidden(self, document: str, is_code: bool) -> str:
        return with_hidden(document, self._hidden(is_code=is_code), self._chance)

    def _document(self) -> tuple[str, bool]:
        drawn = self._chance.random()
        if drawn < 0.25:
            return self._chance.choice(self._material.mails), False
        if drawn < 0.4:
            return self._chance.choice(self._material.pages), False
        kind = self._chance.choice((*_PROSE, "lines", "code", "code", "table", "table"))
        return self._made(kind), kind == "code"

    def _made(self, kind: str) -> str:
        draw: Mapping[str, Callable[[], str]] = {"code": self._code, "table": self._table, "lines": self._lines}
        return draw[kind]() if kind in draw else self._prose(kind)

    def _code(self) -> str:
        return "\n".join(self._phrase("line") for _ in range(self._chance.randint(5, 25)))

    def _table(self) -> str:
        width = self._chance.randint(3, 6)
        height = self._chance.randint(4, 20)
        return "\n".join(f"| {' | '.join(self._phrase('cell') for _ in range(width))} |" for _ in range(height))

    def _lines(self) -> str:
        return " ".join(self._chance.choices(self._material.words["line"], k=self._chance.randint(3, 10)))

    def _prose(self, kind: str) -> str:
        between = self._chance.choice(BETWEEN)
        return between.join(self._phrase(kind) for _ in range(self._chance.randint(4, 14)))

    def _hidden(self, *, is_code: bool) -> str:
        """One of the kinds of what is hidden; each is drawn as often as its number lies above the one before."""
        in_code, chance, material = "_in_code" if is_code else "", self._chance, self._material
        kinds: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.15, partial(self._phrase, "in_code" if is_code else "hidden")),
            (0.25, partial(self._asides.draw, f"aside{in_code}", chance)),
            (0.47, partial(self._orders.draw, f"order{in_code}", chance)),
            (0.75, partial(self._planted.draw, f"planted{in_code}", chance)),
            (0.82, partial(chance.choice, material.tasks)),
            (0.87, partial(chance.choice, material.questions)),
            (0.90, partial(chance.choice, material.attacks)),
            (1.00, partial(self._phrase, "attack")),
        )
        drawn = chance.random()
        return next(draw for below, draw in kinds if drawn < below)()

    def _phrase(self, name: str) -> str:
        return self._phrases.draw(name, self._chance)


def texts_of(found: TextSet, label: int | None = None, *, shortest: int = 15, longest: int = 1500) -> list[str]:
    """A set's texts of one label (or any) and of fitting length."""
    return [
        text
        for text, given in zip(found.texts, found.labels.tolist(), strict=True)
        if label in (None, given) and shortest < len(text) < longest
    ]
