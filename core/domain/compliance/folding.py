"""Reading past disguises: invisible characters and look-alike digits are folded away, and offsets lead back."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_SPECIAL = re.compile(r"[^\t\n\r\x20-\x7e]")
_HYPHENS = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as the recognisers read it. `offsets[i]` is where character i stood; None where nothing moved."""

    text: str
    offsets: list[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The same stretch in the original text. `start` < `end`."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


def fold(text: str) -> Folded:
    """Drop format characters (zero-width, bidi, soft hyphen: Unicode Cf), make dashes, digits, full-width forms ASCII.

    Other control characters become spaces: unlike format characters they separate.
    """
    folded = _SPECIAL.sub(_fold_match, text)
    if len(folded) == len(text):
        return Folded(folded, None)
    return Folded(folded, [index for index, char in enumerate(text) if _fold_char(char)])


def _fold_match(match: re.Match[str]) -> str:
    return _fold_char(match.group())


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char in "\t\n\r" or " " <= char <= "~":
        return char
    if char in _HYPHENS:
        return "-"
    return _by_category(char)


def _by_category(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    if category in {"Cc", "Zs", "Zl", "Zp"}:
        return "\n" if char in "\x0b\x0c\x85\u2028\u2029" else " "
    if category == "Nd":
        return str(unicodedata.decimal(char))
    narrow = unicodedata.normalize("NFKC", char) if "\uff01" <= char <= "\uff5e" else char
    return narrow if len(narrow) == 1 else char
