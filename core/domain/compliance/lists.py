"""Allow and block lists: which types of check an entry speaks for in a text."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from core.contracts.compliance import CheckType, EntryKind, ListEntry

MAX_TERM_TOKENS = 20
_TOKEN = re.compile(r"\w+|[^\w\s]")
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
Types = frozenset[CheckType]
ALL_TYPES: Types = frozenset(CheckType)


class Pattern(Protocol):
    """A compiled regular expression whose matching time is linear in the text."""

    def search(self, text: str) -> bool:
        """Whether it matches anywhere."""
        ...

    def fullmatch(self, text: str) -> bool:
        """Whether it matches the text from end to end."""
        ...


class PatternFault(ValueError):
    """An expression that is none; the message says why."""


Key = TypeVar("Key", str, tuple[str, ...])
Compile = Callable[[str], Pattern]


@dataclass(frozen=True, slots=True)
class TextList:
    """The entries of one list, ready to be compared in time that grows with the text alone.

    `terms` are looked up by their tokens; `lengths` says which lengths begin with a token.
    """

    exact: Mapping[str, Types] = field(default_factory=dict)
    terms: Mapping[tuple[str, ...], Types] = field(default_factory=dict)
    lengths: Mapping[str, Set[int]] = field(default_factory=dict)
    patterns: Sequence[tuple[Pattern, Types]] = ()

    def __bool__(self) -> bool:
        return bool(self.exact or self.terms or self.patterns)

    def within(self, text: str) -> Types:
        """The types spoken for by entries that are the text, stand in it as whole words, or match anywhere in it."""
        return self._types(text, self._terms_in(text), whole=False)

    def of(self, text: str) -> Types:
        """The types spoken for by entries that are the text from end to end; a term in it does not count."""
        return self._types(text, (), whole=True)

    def value(self, text: str) -> Types:
        """The same for one finding: here a term in it counts (`example.com` in an e-mail address)."""
        return self._types(text, self._terms_in(text), whole=True)

    def _types(self, text: str, more: Iterable[Types], *, whole: bool) -> Types:
        found = self.exact.get(_plain(text), frozenset()) if self.exact else frozenset()
        for types in more:
            found |= types
        for pattern, types in self.patterns:
            if not types <= found and (pattern.fullmatch(text) if whole else pattern.search(text)):
                found |= types
        return found

    def _terms_in(self, text: str) -> Iterator[Types]:
        if not self.terms:
            return
        tokens = _TOKEN.findall(_plain(text))
        for place, token in enumerate(tokens):
            for length in self.lengths.get(token, ()):
                if types := self.terms.get(tuple(tokens[place : place + length])):
                    yield types


def ready(entries: Sequence[ListEntry], compiled: Compile) -> TextList:
    """The list as it is compared. PatternFault for an expression that is none."""
    exact, terms = _Gathered[str](), _Gathered[tuple[str, ...]]()
    patterns = _Gathered[str]()
    lengths: dict[str, set[int]] = {}
    for entry in entries:
        types = frozenset(entry.check_types) if entry.check_types else ALL_TYPES
        if entry.kind is EntryKind.REGEX:
            patterns.add(entry.value, types)
        elif entry.kind is EntryKind.EXACT:
            exact.add(_plain(entry.value), types)
        elif tokens := term_tokens(entry.value):
            terms.add(tokens, types)
            lengths.setdefault(tokens[0], set()).add(len(tokens))
    return TextList(exact, terms, lengths, [(compiled(value), types) for value, types in patterns.items()])


class _Gathered(dict[Key, Types]):
    def add(self, key: Key, types: Types) -> None:
        """One more entry of this value: it speaks for these types too."""
        self[key] = self.get(key, frozenset()) | types


def term_tokens(term: str) -> tuple[str, ...]:
    """Words and single signs of a term; text holds the term where it has the same ones in a row."""
    return tuple(_TOKEN.findall(_plain(term)))


def _plain(text: str) -> str:
    """Alike for eyes, alike here: case, width, invisible characters and runs of white space do not count."""
    folded = unicodedata.normalize("NFKC", text.translate(_UNSEEN)).casefold()
    return " ".join(folded.split())
