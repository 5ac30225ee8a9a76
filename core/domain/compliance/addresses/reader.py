"""The small steps of the address grammar: numbers, names, words of a vocabulary, separators."""

from collections.abc import Iterator, Sequence

from core.domain.compliance.addresses import vocabulary as words
from core.domain.compliance.addresses.tokens import Kind, Token

NAME_WORDS = 6
"""The longest name of a street or a town, in words."""
_SMALL_NAME_WORDS = 3


_BEYOND = (Token(Kind.END, "", 0, 0),) * 16
"""What stands after the last token, and before the first: rules look a few tokens ahead, and one back."""


class Reader:
    """Each step takes the index of a token and gives the index after what it read, or None."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._count = len(tokens)
        self._tokens = [*tokens, *_BEYOND]
        self._kinds = [token.kind for token in self._tokens]
        self._named = [token.kind is Kind.WORD and token.word not in words.NOT_IN_NAMES for token in self._tokens]

    def _numbers(self, at: int) -> int | None:
        """One house number, or two with or without a comma between."""
        first = self._number(at)
        return (self._number(self._past_comma(first)) or first) if first else None

    def _number(self, at: int) -> int | None:
        return at + 1 if self._kinds[at] is Kind.NUMBER else None

    def _names(self, at: int) -> Iterator[int]:
        """Ends of names that start here, longest first; a name neither starts nor ends with a particle."""
        after = at
        while after - at < NAME_WORDS and self._named[after] and (self._capital(after) or self._particle(after)):
            after += 1
        yield from (end for end in range(after, at, -1) if not self._particle(end - 1))

    def _small_names(self, at: int) -> Iterator[int]:
        """Ends of names in small letters, as in text typed without capitals; longest first."""
        after = at
        while after - at < _SMALL_NAME_WORDS and self._named[after]:
            after += 1
        yield from range(after, at, -1)

    def _in_name(self, at: int) -> bool:
        return self._named[at]

    def _particle(self, at: int) -> bool:
        return self._tokens[at].word in words.PARTICLES

    def _capital(self, at: int) -> bool:
        return self._tokens[at].capital

    def _ends_like_street(self, at: int) -> bool:
        token = self._tokens[at]
        if token.kind is not Kind.WORD or len(token.word) < 6:
            return False
        return token.word.endswith(words.STREET_ENDINGS)

    def _looks_english(self, at: int) -> bool:
        return self._tokens[at].word.endswith(words.ENDINGS_ALSO_ENGLISH)

    def _is(self, at: int, kinds: frozenset[str]) -> bool:
        return self._tokens[at].word in kinds

    def _spells(self, at: int, form: Sequence[str]) -> bool:
        return all(self._tokens[at + offset].word == word for offset, word in enumerate(form))

    def _past_comma(self, at: int) -> int:
        return at + (self._kinds[at] is Kind.COMMA)

    def _past_separators(self, at: int) -> int:
        while self._kinds[at] is Kind.COMMA or self._kinds[at] is Kind.BREAK:
            at += 1
        return at
