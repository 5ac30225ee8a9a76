"""Reading past disguises: invisible characters and look-alike digits are folded away, and offsets lead back."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_SPECIAL = re.compile(r"[^\t\n\r\x20-\x7e]")
_HYPHENS = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d")

_UNSPACED = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]"
"""Letters of Thai, Lao, Burmese, Khmer, Japanese, Chinese and Korean, whose words cling to figures."""
_MEETS = re.compile(rf"(?<={_UNSPACED})(?=[A-Za-z0-9+(])|(?<=[A-Za-z0-9)])(?={_UNSPACED})")


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

    Other control characters become spaces: unlike format characters they separate. Figures that stand right beside
    letters of a script without spaces get one.
    """
    folded = _SPECIAL.sub(_fold_match, text)
    offsets = None if len(folded) == len(text) else [index for index, char in enumerate(text) if _fold_char(char)]
    return _parted(Folded(folded, offsets))


def _parted(folded: Folded) -> Folded:
    """A space put where letters of a script without spaces meet Latin ones or figures: those are words of their own."""
    if folded.text.isascii() or not (meets := [found.start() for found in _MEETS.finditer(folded.text)]):
        return folded
    edges = [0, *meets, len(folded.text)]
    offsets = folded.offsets or list(range(len(folded.text)))
    parts = list(pairwise(edges))
    return Folded(
        " ".join(folded.text[start:end] for start, end in parts),
        [place for start, end in parts for place in (*offsets[start:end], offsets[end - 1])][:-1],
    )


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
