"""What findings are replaced by, in five styles, and where the replacements stand in the redacted text."""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from core.contracts.compliance import PiiEntity, RedactionStyle, Span
from core.domain.compliance.folding import fold

MASK = "●"
_SIGN = re.compile(r"\\u[\da-fA-F]{4}|\\[\"\\/bfnrt]|.", re.DOTALL)
"""A character, or what JSON writes for one: covered in part it would be JSON no more."""
_KEPT_DIGITS = 4
"""What receipts show of a card, so that its holder knows which one is meant."""
_KEEPS_LAST = frozenset({PiiEntity.CREDIT_CARD, PiiEntity.PHONE})
_SAME_WHATEVER_THE_FORM = frozenset({PiiEntity.CREDIT_CARD, PiiEntity.SSN, PiiEntity.IBAN, PiiEntity.PASSPORT})
KEYED = frozenset({RedactionStyle.HASH, RedactionStyle.PSEUDONYM})


class RedactionKeys(Protocol):
    """The secrets of one tenant; `core.keys.redaction_keys` makes them."""

    def digest(self, entity: str, value: str) -> str:
        """A short keyed hash: the same for the same value, and nothing to anyone without the key."""
        ...

    def pseudonym(self, entity: str, value: str) -> str:
        """A token that stands for the value, always the same, and from which the key gets the value back."""
        ...


@dataclass(frozen=True, slots=True)
class Redacted:
    """The text without its findings. `places[i]` is where the replacement of the i-th span stands in it."""

    text: str
    places: list[tuple[int, int]]

    def placed(self, spans: Sequence[Span]) -> list[Span]:
        """The spans that were replaced, each with the place of its replacement."""
        return [
            span.model_copy(update={"redacted_start": start, "redacted_end": end})
            for span, (start, end) in zip(spans, self.places, strict=True)
        ]


def redact(
    text: str,
    spans: Sequence[Span],
    style: RedactionStyle | None = None,
    keys: RedactionKeys | None = None,
) -> str:
    """The text with each span replaced, by default by its kind in capitals: `call [PHONE]`.

    `spans` as `resolve_overlaps` gives them, with offsets of `text`. ValueError for a keyed style without keys.
    """
    return redaction(text, spans, style, keys).text


def redaction(
    text: str,
    spans: Sequence[Span],
    style: RedactionStyle | None = None,
    keys: RedactionKeys | None = None,
) -> Redacted:
    """The same, with the places of the replacements."""
    replace = _replacer(style or RedactionStyle.LABEL, keys)
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    position = length = 0
    for span in spans:
        between = text[position : span.start]
        written = replace(span.entity, text[span.start : span.end])
        start = length + len(between)
        length = start + len(written)
        pieces += between, written
        places.append((start, length))
        position = span.end
    return Redacted("".join([*pieces, text[position:]]), places)


_Replace = Callable[[PiiEntity, str], str]


def _replacer(style: RedactionStyle, keys: RedactionKeys | None) -> _Replace:
    if style not in KEYED:
        return _KEYLESS[style]
    if keys is None:
        raise ValueError(f"redaction by {style} needs the tenant's keys")
    if style is RedactionStyle.HASH:
        return _hashed(keys)
    return lambda entity, value: keys.pseudonym(entity, _unescaped(entity, value))


def _hashed(keys: RedactionKeys) -> _Replace:
    return lambda entity, value: f"[{entity.upper()}:{keys.digest(entity, canonical(entity, value))}]"


def canonical(entity: PiiEntity, value: str) -> str:
    """The value without what differs between ways to write it, so that equal ones have equal hashes."""
    value = fold(_unescaped(entity, value)).text
    if entity in _SAME_WHATEVER_THE_FORM:
        return "".join(filter(str.isalnum, value)).upper()
    if entity is PiiEntity.PHONE:
        return "".join(filter(str.isdigit, value))
    return value if entity is PiiEntity.SECRET else " ".join(value.casefold().split())


def _unescaped(entity: PiiEntity, value: str) -> str:
    """The value for which JSON writes `\\u002b…`, HTML `&#43;…`; a secret may hold either as it stands."""
    if entity is PiiEntity.SECRET:
        return value
    with suppress(ValueError):  # no string of JSON, then
        value = json.loads(f'"{value}"')
    return html.unescape(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _label(entity: PiiEntity, _: str) -> str:
    return f"[{entity.upper()}]"


def _mask(entity: PiiEntity, value: str) -> str:
    signs = _SIGN.findall(value)
    if entity is PiiEntity.EMAIL:
        at = len(signs) - 1 - signs[::-1].index("@") if "@" in signs else len(signs)
        shown = at > 1 and len(signs[0]) == 1  # a lone letter is the whole name
        return "".join([*signs[:shown], _covered(signs[shown:at]), *signs[at:]])
    if entity in _KEEPS_LAST:
        kept = _last_digits(signs)
        return _covered(signs[:kept]) + "".join(signs[kept:])
    return _covered(signs)


def _last_digits(signs: Sequence[str]) -> int:
    """Where the last four digits begin; fewer are kept of a number that has not twice as many."""
    digits = [index for index, sign in enumerate(signs) if sign.isdigit()]
    kept = min(_KEPT_DIGITS, len(digits) // 2)
    return digits[-kept] if kept else len(signs)


def _covered(signs: Sequence[str]) -> str:
    return "".join(MASK if len(sign) > 1 else re.sub(r"[^\W_]", MASK, sign) for sign in signs)


def _removed(_: PiiEntity, __: str) -> str:
    return ""


_KEYLESS: Mapping[RedactionStyle, _Replace] = MappingProxyType(
    {RedactionStyle.LABEL: _label, RedactionStyle.MASK: _mask, RedactionStyle.REMOVE: _removed}
)
