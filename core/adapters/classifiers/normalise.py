"""Texts as the classifiers read them: disguises undone, so that one word has one spelling. Same in training."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

_LATIN_LOOKALIKES = {
    "а": "a", "б": "b", "в": "b", "е": "e", "ё": "e", "з": "3", "і": "i", "ї": "i", "ј": "j", "к": "k", "м": "m",
    "н": "h", "о": "o", "р": "p", "с": "c", "ѕ": "s", "т": "t", "у": "y", "ү": "y", "х": "x", "ԁ": "d", "ԛ": "q",
    "ԝ": "w", "һ": "h", "ɡ": "g", "α": "a", "β": "b", "ε": "e", "ι": "i", "κ": "k", "ν": "v", "ο": "o", "ρ": "p",
    "τ": "t", "υ": "u", "χ": "x", "γ": "y", "η": "n", "ω": "w", "ı": "i", "ł": "l", "ø": "o", "đ": "d", "ß": "ss",
    "æ": "ae", "œ": "oe", "‘": "'", "’": "'", "‚": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"',
    "»": '"', "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-",
}  # fmt: skip
_TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
"""Unicode's invisible tag characters spell ASCII: instructions are smuggled in them."""
_TRANSLATED = {ord(char): plain for char, plain in _LATIN_LOOKALIKES.items()} | _TAGS

_LINK = re.compile(r"(?:https?://|www\.)\S+|\[url\]|<url>", re.ASCII)
_ADDRESSED = re.compile(r"(?<![\w.])@\w+|\[user\]|<user>", re.ASCII)
# Most texts hold none of what follows. A pattern that begins with a set of characters skips the others in C: so the
# costly ones look back from their first sign, or are asked only where a cheap one has found what they begin with.
_NUMBER = re.compile(r"<number>|\b\d{5,}\b", re.ASCII)
_FIVE_DIGITS = re.compile(r"[0-9][0-9]{4}")
_REPEATED = re.compile(r"(.)\1\1+")
_SPELLED_OUT = re.compile(r"(?<![^\W_])(?:[a-z][ .\-_*|]){3,}[a-z](?![^\W_])", re.ASCII)
_BETWEEN_LETTERS = re.compile(r"[ .\-_*|]")
_LONE_LETTERS = re.compile(r"[ .\-_*|][a-z][ .\-_*|][a-z][ .\-_*|]")
_LEET_INSIDE = re.compile(
    r"[013457$!@](?:(?<=[a-z][^@])[013457$!]{0,2}(?=[a-z])|(?<=[a-z]@)(?=[a-z]+(?![\w.]))"
    r"|(?<=\$)(?<![\w$]\$)\$*(?=[a-z]{2})|(?<=[a-z]\$)\$*(?!\w))",
    re.ASCII,
)
"""An @ in a word is an a, unless it is the @ of an address."""
_LEET = str.maketrans("013457@$!", "oieastasi")
_LEAST_BASE64 = 24
_BASE64 = re.compile(rf"(?<![\w+/=-])[A-Za-z0-9+/_-]{{{_LEAST_BASE64},}}={{0,2}}(?![\w+/=-])", re.ASCII)
_HEX = re.compile(r"(?<!\w)(?:[0-9a-fA-F]{2}[\s:]?){16,}(?!\w)", re.ASCII)
_FOUR_PAIRS = re.compile(r"[0-9a-fA-F](?:[0-9a-fA-F][\s:]?[0-9a-fA-F]){3}")
MAX_ENCODED = 8
"""So many encoded stretches of a text are read; the rest are left alone."""


@dataclass(frozen=True, slots=True)
class Normaliser:
    """What is undone. Capitals, invisible characters, look-alikes, accents, long repetitions always are."""

    placeholders: bool = True
    """Links, @names and long numbers become one word each."""
    leet: bool = True
    """Digits and signs inside words are read as the letters they stand for; letters spelled out are joined."""

    def __call__(self, text: str) -> str:
        """The text in one spelling: lower case, single spaces."""
        return self.each([text])[0]

    def each(self, texts: Sequence[str]) -> list[str]:
        """Each text in one spelling. They are gone through as one: many short ones cost what a long one does."""
        plain = _EDGE.join(text if text.isascii() else _plain(text) for text in texts)
        return [text.strip() for text in self._undone(plain.lower()).split(_NOWHERE)] if texts else []

    def _undone(self, text: str) -> str:
        if self.placeholders:
            text = _with_placeholders(text)
        text = _REPEATED.sub(r"\1\1", text)
        if self.leet:
            text = _LEET_INSIDE.sub(_unleeted, _with_words_joined(text))
        return " ".join(text.split())


def _plain(text: str) -> str:
    """Compatibility forms, look-alikes and accents made plain; what cannot be seen is dropped."""
    text = unicodedata.normalize("NFKD", text.translate(_TAGS)).lower().translate(_TRANSLATED)
    if text.isascii():
        return text
    return "".join(char for char in text if char < "\x7f" or unicodedata.category(char) not in _UNSEEN)


_UNSEEN = frozenset({"Cf", "Mn", "Me", "Cs"})
_NOWHERE = "\ud800"
"""Half a character: no plain text holds it, and every pattern takes the line around it for the end of the text."""
_EDGE = f"\n{_NOWHERE}\n"


def _with_placeholders(text: str) -> str:
    if "www." in text or "://" in text or "url" in text:
        text = _LINK.sub(" http ", text)
    if "@" in text or "user" in text:
        text = _ADDRESSED.sub(" @user ", text)
    if _FIVE_DIGITS.search(text) or "<number>" in text:
        text = _NUMBER.sub(" 00000 ", text)
    return text


def _with_words_joined(text: str) -> str:
    return _SPELLED_OUT.sub(_joined, text) if _LONE_LETTERS.search(text) else text


def _unleeted(found: re.Match[str]) -> str:
    return found[0].translate(_LEET)


def _joined(found: re.Match[str]) -> str:
    return _BETWEEN_LETTERS.sub("", found[0])


def decoded(text: str) -> list[str]:
    """What base64 and hexadecimal stretches of a text say, where they say text."""
    long_words = max(map(len, text.split()), default=0) >= _LEAST_BASE64
    stretches = (_from_base64(match[0]) for match in (_BASE64.finditer(text) if long_words else ()))
    hexes = (_from_hex(match[0]) for match in (_HEX.finditer(text) if _FOUR_PAIRS.search(text) else ()))
    # Only what says text counts: hashes put before a message must not use up its place.
    return [view for views in (stretches, hexes) for view in islice(filter(None, views), MAX_ENCODED)]


def _from_base64(stretch: str) -> str:
    body = stretch.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return _readable(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
    except (binascii.Error, ValueError):
        return ""


def _from_hex(stretch: str) -> str:
    return _readable(bytes.fromhex(re.sub(r"[\s:]", "", stretch)))


def _readable(raw: bytes) -> str:
    """The bytes as text; nothing where they are not mostly letters and spaces."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return ""
    worded = sum(char.isalpha() or char.isspace() for char in text)
    return text if worded >= 0.8 * len(text) else ""
