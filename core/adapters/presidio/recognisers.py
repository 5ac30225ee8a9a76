"""Presidio's recognisers, made stricter where numbers look alike and wider where its patterns are narrow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tldextract

from core.adapters.presidio.loading import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    Pattern,
    PatternRecognizer,
    UsSsnRecognizer,
)
from core.contracts.compliance import PiiEntity, Span
from core.domain.compliance import context

BOOST = 0.35
LEAST_WITH_CONTEXT = 0.4
"""What a telling word nearby adds, and to what it lifts at least: Presidio's figures."""
DOUBT = 0.35
"""What is left of a score where a word nearby says that the number is something else."""
_LONGEST_EMAIL_SIDE = 256
_DOTTED_ON = re.compile(r"(?:\d+\.){4}\d")
"""More figures than an IPv4 address has: a version or a section."""


class CardRecogniser(CreditCardRecognizer):
    """Payment cards (ISO/IEC 7812): Luhn's check digit, and a brand that issues numbers like this one."""

    _PLAUSIBLE = 0.1
    CARDS = (
        Pattern("grouped", r"(?<!\w)(?<!\d[.-])\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?(?!\w|[.-]\d)", _PLAUSIBLE),
        Pattern("grouped like Amex", r"(?<!\w)(?<!\d[.-])3\d{3}([ -])\d{6}\1\d{4,5}(?!\w|[.-]\d)", _PLAUSIBLE),
        Pattern("digits", r"(?<!\w)(?<!\d[.-])\d{12,19}(?!\w|[.-]\d)", _PLAUSIBLE),
    )

    def __init__(self) -> None:
        super().__init__(patterns=list(self.CARDS))

    def validate_result(self, pattern_text: str) -> bool | None:  # type: ignore[override]  # the base's bool is too narrow
        """True for a sure card; None where a word nearby must say so: Maestro's many lengths, brands we do not list."""
        number = pattern_text.replace("-", "").replace(" ", "")
        if len(set(number)) == 1 or not super().validate_result(pattern_text):
            return False
        if any(number.startswith(brand) and len(number) in lengths for brand, lengths in _BRANDS):
            return True
        return None if number.startswith(_CARD_INDUSTRIES) else False


def _starts(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(start) for start in range(first, last + 1))


_BRANDS: tuple[tuple[tuple[str, ...], frozenset[int]], ...] = (
    (("4",), frozenset({13, 16, 19})),  # Visa
    ((*_starts(51, 55), *_starts(2221, 2720)), frozenset({16})),  # Mastercard
    (("34", "37"), frozenset({15})),  # American Express
    ((*_starts(300, 305), "309", "36", "38", "39"), frozenset({14, 16, 19})),  # Diners Club
    (("6011", *_starts(644, 649), "65"), frozenset({16, 19})),  # Discover
    (_starts(3528, 3589), frozenset({16, 19})),  # JCB
    (("1800", "2131"), frozenset({15})),  # JCB, older
    (("62",), frozenset({16, 17, 18, 19})),  # UnionPay
    ((*_starts(2200, 2204), "60", "508"), frozenset({16})),  # Mir, RuPay
    (("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763"), frozenset({16})),  # Maestro
)
_CARD_INDUSTRIES = ("0604", "3", "4", "5", "6")


class SsnRecogniser(UsSsnRecognizer):
    """US social security numbers in the ranges that are issued."""

    def invalidate_result(self, pattern_text: str) -> bool:
        digits = "".join(char for char in pattern_text if char.isdigit())
        # 900 to 999 belong to other numbers. 123-45-6789, which Presidio refuses as a sample, is what people write.
        return digits.startswith("9") or (digits != "123456789" and super().invalidate_result(pattern_text))


class HostRecogniser(IpRecognizer):
    """IP addresses; `a::b` of a programming language is none."""

    def invalidate_result(self, pattern_text: str) -> bool:
        return not any(char.isdigit() for char in pattern_text) or bool(super().invalidate_result(pattern_text))


class MailRecogniser(EmailRecognizer):
    """E-mail addresses whose domain ends in a public suffix, by the list inside tldextract: nothing is downloaded."""

    def __init__(self) -> None:
        super().__init__()
        self._suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    def validate_result(self, pattern_text: str) -> bool:
        host = self._suffixes.extract_str(pattern_text.rpartition("@")[2])
        return bool(host.domain and host.suffix)


@dataclass(frozen=True)
class Source:
    """One recogniser, what it finds, and the words that speak for and against it."""

    entity: PiiEntity
    recogniser: PatternRecognizer
    speaks_for: frozenset[str] = frozenset()
    speaks_against: frozenset[str] = frozenset()
    near_at_signs: bool = False
    stands_alone: bool = False

    def find(self, text: str) -> list[Span]:
        """Findings with scores after context; the caller drops those under its threshold. `text` is folded already."""
        windows = around_at_signs(text) if self.near_at_signs else [(0, len(text))]
        return [span for start, end in windows for span in self._find(text, start, end)]

    def _find(self, text: str, start: int, end: int) -> Iterator[Span]:
        for found in self.recogniser.analyze(text[start:end], []):
            first, last = start + found.start, start + found.end
            if not (self.stands_alone and _DOTTED_ON.search(text[max(0, first - 2) : last + 2])):
                score = self._weighed(found.score, text, first)
                yield Span(entity=self.entity, start=first, end=last, score=score)

    def _weighed(self, score: float, text: str, start: int) -> float:
        told = context.speaks_for(text, start, self.speaks_for, self.speaks_against) if self.speaks_for else None
        if told is None:
            return score
        return min(max(score + BOOST, LEAST_WITH_CONTEXT), 1.0) if told else score * DOUBT


def around_at_signs(text: str) -> list[tuple[int, int]]:
    """The stretches of the text that an e-mail address can lie in, merged where they meet.

    Presidio's pattern tries every word as a beginning; without an `@` in reach that is quadratic in the text.
    """
    windows: list[tuple[int, int]] = []
    at = text.find("@")
    while at >= 0:
        start, end = max(0, at - _LONGEST_EMAIL_SIDE), min(len(text), at + _LONGEST_EMAIL_SIDE)
        if windows and start <= windows[-1][1]:
            start = windows.pop()[0]
        windows.append((start, end))
        at = text.find("@", at + 1)
    return windows


_OTHER_NUMBERS = context.words(
    "order orders invoice tracking track shipment parcel npi mrn serial ticket case reference ref sku isbn issn part",
    "routing imei confirmation transaction upc ean barcode lot batch model policy claim receipt item product vin",
    "license licence passport version build hash account acct phone fax zip extension flight ein record member",
    "timestamp commit",
)
_SSN_WORDS = context.words("ssn ssns social security ssid ss taxpayer")
_CARD_WORDS = context.words(
    "credit debit card cards visa mastercard cc amex discover jcb diners maestro unionpay payment pan charge"
)
_IP_WORDS = context.words("ip ipv4 ipv6 host server client from address")
_VERSION_WORDS = context.words("version versions v ver release build firmware section chapter clause sdk driver")


def sources() -> tuple[Source, ...]:
    """Every recogniser of Presidio that we run."""
    return (
        Source(PiiEntity.EMAIL, MailRecogniser(), near_at_signs=True),
        Source(PiiEntity.CREDIT_CARD, CardRecogniser(), _CARD_WORDS, _OTHER_NUMBERS - {"account", "acct"}),
        Source(PiiEntity.SSN, SsnRecogniser(), _SSN_WORDS, _OTHER_NUMBERS),
        Source(PiiEntity.IBAN, IbanRecognizer(regex_flags=re.DOTALL | re.MULTILINE | re.IGNORECASE)),
        Source(PiiEntity.IP_ADDRESS, HostRecogniser(), _IP_WORDS, _VERSION_WORDS, stands_alone=True),
    )
