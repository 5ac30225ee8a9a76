"""What was written one by one, not drawn from templates: documents, what hides in them, and what belongs in them."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.prompt_injection.places import with_hidden

FOLDER = Path(__file__).parents[1] / "written"
_PLANTED = re.compile(r" ?\[\[(.*?)\]\]\n?", re.DOTALL)
_WHOLE = 0.5
_AS_WRITTEN = 0.3
_LINES = (3, 12)


@dataclass(frozen=True, slots=True)
class Written:
    """`clean` documents, some of them `spoiled` by what was `planted`, and `natural` lines that only sound like it."""

    clean: Sequence[str]
    spoiled: Sequence[str]
    planted: Sequence[str]
    natural: Sequence[str]

    def document(self, chance: random.Random) -> str:
        """One as it should be, or some lines of it."""
        document = chance.choice(self.clean)
        if chance.random() < _WHOLE:
            return document
        lines = document.split("\n")
        first = chance.randrange(len(lines))
        return "\n".join(lines[first : first + chance.randint(*_LINES)])

    def injected(self, chance: random.Random) -> str:
        """One with an instruction in it, mostly another one than was written for it."""
        if chance.random() < _AS_WRITTEN:
            return chance.choice(self.spoiled)
        return with_hidden(self.document(chance), chance.choice(self.planted), chance)


def written() -> Written:
    """All of it, file after file."""
    documents = [block.strip("\n") for text in _texts("documents") for block in text.split("\n~\n")]
    marked = [(text, found) for text in documents if (found := _PLANTED.search(text))]
    return Written(
        clean=[_PLANTED.sub("", text) for text in documents],
        spoiled=[_PLANTED.sub(r" \1\n", text) for text, _ in marked],
        planted=[*_lines("planted"), *(" ".join(found[1].split()) for _, found in marked)],
        natural=_lines("natural"),
    )


def _lines(kind: str) -> list[str]:
    return [line for text in _texts(kind) for line in text.splitlines() if line]


def _texts(kind: str) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((FOLDER / kind).glob("*.txt"))]
