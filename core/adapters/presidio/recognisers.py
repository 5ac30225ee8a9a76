"""Presidio's recognisers, made stricter where numbers look alike and wider where its patterns are narrow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tldextract

from core.adapters.presidio.loading import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    Pattern,
    PatternRecognizer,
    RecognizerResult,
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
    _ENDS_OR_CODE = r"(?!\w|[.-]\d(?!\d{2,3}(?!\w|[.-]\d)))"
    """Nothing more of the number; a security code of three or four digits may follow."""
    CARDS: tuple[Pattern, ...] = (
        Pattern("grouped", rf"(?<!\w)(?<!\d[.-])\d{{4}}([ .\-_])\d{{4}}\1\d{{4}}\1\d{{4}}{_ENDS_OR_CODE}", _PLAUSIBLE),
        Pattern("grouped, of 19", r"(?<!\w)(?<!\d[.-])\d{4}([ .\-_])(?:\d{4}\1){3}\d{3}(?!\w|[.-]\d)", _PLAUSIBLE),
        Pattern("grouped like Amex", r"(?<!\w)(?<!\d[.-])3\d{3}([ .\-_])\d{6}\1\d{4,5}(?!\w|[.-]\d)", _PLAUSIBLE),
        Pattern("digits", r"(?<!\w)(?<!\d[.-])\d{12,19}(?!\w|[.-]\d)", _PLAUSIBLE),
    )

    def __init__(self) -> None:
        super().__init__(patterns=list(self.CARDS))

    def validate_result(self, pattern_text: str) -> bool | None:  # type: ignore[override]  # the base's bool is too narrow
        """True for a sure card; None where a word nearby must say so: Maestro's many lengths, brands we do not list."""
        number = re.sub(r"\D", "", pattern_text)
        if len(set(number)) == 1 or not super().validate_result(number):
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


class LooseCardRecogniser(CardRecogniser):
    """Cards with digits grouped as no card is: by other signs, by lines, unevenly. They need a word that says so."""

    _PLAUSIBLE = 0.3
    CARDS = (
        Pattern(
            "uneven",
            r"(?<!\w)(?<!\d[.-])\d{1,11}(?:[ ./_-]{1,3}|[ -]?\n)\d{1,11}(?:(?:[ ./_-]{1,3}|[ -]?\n)\d{1,11}){0,4}"
            r"(?!\w|[.-]\d)",
            _PLAUSIBLE,
        ),
    )

    def validate_result(self, pattern_text: str) -> bool | None:  # type: ignore[override]  # as in the class above
        """None (a word must say so) for what would be a sure card without its odd form."""
        return None if super().validate_result(re.sub(r"\D", "", pattern_text)) else False


class SsnRecogniser(UsSsnRecognizer):
    """US social security numbers in the ranges that are issued."""

    NUMBERS = (
        Pattern("dashed", r"(?<![\w.-])(?<!\w[/_])\d{3}-\d{2}-\d{4}(?![\w-]|[./]\d)", 0.5),
        Pattern("spaced", r"(?<![\w.-])(?<!\d[ /])\d{3} \d{2} \d{4}(?![\w-]|[ ./]\d)", 0.4),
        Pattern(
            "loose",
            r"(?<![\w.-])\d{3}(?:[._/]|[ ]?-[ ]?(?:\n[ ]?)?|[ ]\n?)?\d{2}"
            r"(?:[._/]|[ ]?-[ ]?(?:\n[ ]?)?|[ ]\n?)?\d{4}(?![\w-]|[./]\w)",
            0.3,
        ),
    )

    def __init__(self) -> None:
        super().__init__(patterns=list(self.NUMBERS))

    def invalidate_result(self, pattern_text: str) -> bool:
        digits = "".join(char for char in pattern_text if char.isdigit())
        # 900 to 999 belong to other numbers. 123-45-6789, which Presidio refuses as a sample, is what people write.
        return digits.startswith("9") or (digits != "123456789" and super().invalidate_result(digits))


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
        return self._is_host(_unmarked(pattern_text.rpartition("@")[2]))

    def analyze(self, text: str, entities: list[str], *others: Any, **more: Any) -> list[RecognizerResult]:
        """Presidio's findings without what else its pattern takes in: `email=`, `/u?to=`, quotes, underscores."""
        found = super().analyze(text, entities, *others, **more)
        for mail in found:
            written = text[mail.start : mail.end]
            mail.end = mail.start + len(_unmarked(written))
            mail.start += self._key(written)
        return found

    def _key(self, mail: str) -> int:
        """How many characters stand before the address. `bounce-ann=example.org@list.example` keeps whom it is for."""
        local = mail.rpartition("@")[0]
        key = _KEY.match(mail)
        if key is None or key.end() == len(local) or self._is_host(local[key.end() :]):
            return 0
        return key.end()

    def _is_host(self, name: str) -> bool:
        host = self._suffixes.extract_str(name)
        return bool(host.domain and host.suffix)


_KEY = re.compile(r"[^@]*[=?/&]['\"]?|['\"]|_(?=.*_\Z)")


def _unmarked(text: str) -> str:
    """Without the underscores that emphasise what stands before them."""
    return text.rstrip("_")


@dataclass(frozen=True)
class Source:
    """One recogniser, what it finds, and the words that speak for and against it."""

    entity: PiiEntity
    recogniser: PatternRecognizer
    speaks_for: frozenset[str] = frozenset()
    speaks_against: frozenset[str] = frozenset()
    near_at_signs: bool = False
    stands_alone: bool = False
    needs: re.Pattern[str] | None = None

    def find(self, text: str) -> list[Span]:
        """Findings with scores after context; the caller drops those under its threshold. `text` is folded already.

        `needs` is what every finding has in it: a quick look that spares most texts the slow patterns.
        """
        if self.needs and not self.needs.search(text):
            return []
        windows = around_at_signs(text) if self.near_at_signs else [(0, len(text))]
        return [span for start, end in windows for span in self._find(text, start, end)]

    def _find(self, text: str, start: int, end: int) -> Iterator[Span]:
        for found in self.recogniser.analyze(text[start:end], []):
            first, last = start + found.start, start + found.end
            if not (self.stands_alone and _DOTTED_ON.search(text[max(0, first - 2) : last + 2])):
                score = self._weighed(found.score, text, first, last)
                yield Span(entity=self.entity, start=first, end=last, score=round(score, 2))

    def _weighed(self, score: float, text: str, start: int, end: int) -> float:
        if not self.speaks_for:
            return score
        told = context.speaks_for(text, start, self.speaks_for, self.speaks_against, end)
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
    "order orders invoice invoices tracking track shipment parcel package npi mrn serial ticket tickets case cases",
    "reference ref sku isbn issn part parts routing imei iccid confirmation transaction transactions upc ean barcode",
    "lot batch model policy claim receipt item items product products vin license licence passport version build hash",
    "account acct phone tel telephone mobile fax zip extension flight ein record records timestamp commit catalog",
    "catalogue docket po purchase coordinates latitude longitude lat long revenue price population bug issue job log",
    "booking nhs medicare cas",
    "fedex ups usps dhl waybill asset inventory voucher coupon gift code uuid guid checksum lottery range library",
)
_SSN_WORDS = context.words("ssn ssns social security soc sec ssid ss taxpayer tax")
_NO_SSN_WORDS = _OTHER_NUMBERS | context.words("member card id ids identifier")
_CARD_WORDS = context.words(
    "credit debit card cards visa mastercard mc cc amex discover jcb diners maestro unionpay payment pay paid pan",
    "charge charged refund",
)
_NO_CARD_WORDS = (_OTHER_NUMBERS - context.words("account acct")) | context.words("id ids identifier member")
_IP_WORDS = context.words("ip ipv4 ipv6 host server client from address")
_VERSION_WORDS = context.words("version versions v ver release build firmware section chapter clause sdk driver")


_TWELVE_DIGITS = re.compile(r"[0-9](?:[ ./_\n-]{0,3}[0-9]){11}")
_NINE_DIGITS = re.compile(r"[0-9][0-9]{2}[ ./_\n-]{0,4}[0-9]{2}[ ./_\n-]{0,4}[0-9]{4}")
_FOUR_NUMBERS = re.compile(r"[0-9:](?:(?<!:)\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|(?<=:):|(?<=:)[0-9a-fA-F]{1,4}:)")
_COUNTRY_AND_CHECK = re.compile(r"[0-9](?<=[A-Za-z]{2}[0-9])[0-9]")


def sources() -> tuple[Source, ...]:
    """Every recogniser of Presidio that we run."""
    iban = IbanRecognizer(regex_flags=re.DOTALL | re.MULTILINE | re.IGNORECASE)
    card, digits = PiiEntity.CREDIT_CARD, _TWELVE_DIGITS
    return (
        Source(PiiEntity.EMAIL, MailRecogniser(), near_at_signs=True),
        Source(card, CardRecogniser(), _CARD_WORDS, _NO_CARD_WORDS, needs=digits),
        Source(card, LooseCardRecogniser(), _CARD_WORDS, _NO_CARD_WORDS, needs=digits),
        Source(PiiEntity.SSN, SsnRecogniser(), _SSN_WORDS, _NO_SSN_WORDS, needs=_NINE_DIGITS),
        Source(PiiEntity.IBAN, iban, needs=_COUNTRY_AND_CHECK),
        Source(
            PiiEntity.IP_ADDRESS, HostRecogniser(), _IP_WORDS, _VERSION_WORDS, stands_alone=True, needs=_FOUR_NUMBERS
        ),
    )
