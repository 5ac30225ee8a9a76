"""Sentences from templates: for `{name}` stands one of the phrases of that name, which may hold slots themselves."""

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

Phrases = Mapping[str, Sequence[str]]

_FILES = Path(__file__).parent / "phrases"
_SLOT = re.compile(r"\{([a-z_]+)\}")


def phrases(name: str) -> Phrases:
    """The phrases of one file, by name."""
    found: Phrases = tomllib.loads((_FILES / f"{name}.toml").read_text(encoding="utf-8"))
    return found


def phrases_by_kind(name: str) -> Mapping[str, Mapping[str, list[str]]]:
    """The phrases of a file that has a table for each kind."""
    found: Mapping[str, Mapping[str, list[str]]] = tomllib.loads((_FILES / f"{name}.toml").read_text(encoding="utf-8"))
    return found


class Grammar:
    """Draws sentences at random, the same ones for the same random numbers."""

    def __init__(self, *files: str, more: Phrases | None = None) -> None:
        self._phrases = {name: choices for file in files for name, choices in phrases(file).items()} | dict(more or {})

    def draw(self, name: str, chance: random.Random) -> str:
        """One sentence of this name."""
        return _SLOT.sub(lambda slot: self.draw(slot[1], chance), chance.choice(self._phrases[name]))

    def several(self, name: str, count: int, chance: random.Random) -> list[str]:
        """Up to `count` different sentences."""
        return list(dict.fromkeys(self.draw(name, chance) for _ in range(count)))
