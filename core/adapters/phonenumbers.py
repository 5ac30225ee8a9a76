"""Phone numbers in text, on Google's numbering plans (the phonenumbers library)."""

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

from core.contracts.compliance import PiiEntity, Span
from core.domain.compliance import context

# Nine of ten numbers without a country code are told by the first few plans; the rest are asked in this order.
REGIONS = (
    *("US", "GB", "FR", "DE", "IN", "AU", "BR", "IT", "ES", "NL", "BE", "CH", "AT", "SE", "DK", "NO", "FI", "PL", "CZ"),
    *("SK", "HU", "PT", "IE", "GR", "CY", "EE", "SI", "IS", "GL", "NZ", "ZA", "IL", "TN", "UY", "MX", "JP", "KR", "CN"),
)
WITH_COUNTRY_CODE, WITH_EXIT_CODE, IN_THREES, GROUPED, LOCAL, PLAIN = 0.9, 0.7, 0.6, 0.5, 0.2, 0.2
BOOST = 0.35
"""What a telling word nearby adds or takes: the context factor of Presidio."""

# The quantifiers are bounded and possessive, so the search is linear in the text.
_CANDIDATE = re.compile(
    r"(?<![\w@#$€£+])(?<!\w[-/\\_])(?<!\d[.,])"
    r"(?P<number>(?:\(?\+[ ]?)?+\(?\d(?:(?:[ \t.\-)]{0,3}(?:\((?=\d{1,5}\)))?|/)\d){5,19}+)"
    r"(?P<extension>[ ,;]{0,2}(?:extension|ext\.?|x|\#)[ :=.]{0,2}\d{1,6})?"
    r"(?!\w|[-./_][A-Za-z]{0,8}\d|@|%)",
    re.IGNORECASE,
)
_GROUPS_DROPPED = 2
_FEWEST_DIGITS, _LOCAL_DIGITS = 6, 7
_IN_THREES = re.compile(r"(?:1[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4}")
_IN_TWOS = re.compile(r"\d\d(?:[ .-]\d\d){2}")
_LOCAL = re.compile(r"\d{3}[ .-]\d{4}")
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3}){2,}|[1-9]\d?(?: \d{3}){2,}")
_SOMETHING_ELSE = re.compile(
    r"(?:19|20)\d\d([-./ ])\d{1,2}\1\d{1,2}(?!\d)|\d{1,2}([-./])\d{1,2}\2\d\d(?![-./]?\d)"  # dates
    r"|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d(?!\d)"
    r"|.{0,6}(?:19|20)\d\d-\d\d-\d\d(?!\d)|(?:19|20)\d\d[01]\d[0-3]\d(?!\d)"
    r"|(?:1\d|20)\d\d ?[-/] ?(?:1\d|20)\d\d\)?$|\d+00 ?- ?\d+00$"  # from year to year, from thousand to thousand
    r"|\d+\.\d+(?: |$|\.\d+ \d*\.)"  # decimal fractions
    r"|\d{1,3}(?:\.\d{1,3}){3}(?![.\d])"  # IPv4
    r"|\d{3}([- ])\d\d\3\d{4}$"  # US social security
    r"|.*/.*/"  # a path
)

_SPEAKS_FOR = context.words(
    "phone phones telephone tel tele cell cellphone cellular mobile mob call calls called calling dial fax contact",
    "reach text sms whatsapp ring hotline helpline landline answering voicemail callback ph telefon handy",
    "telefono teléfono téléphone tél telefone móvil celular portable office desk",
)
_SPEAKS_AGAINST = context.words(
    "order orders invoice tracking track shipment parcel npi mrn version serial account acct ticket case reference ref",
    "sku isbn issn part build hash policy claim flight routing license licence passport ein tin tax vin imei box pin",
    "otp confirmation transaction id identifier patient member membership batch lot model zip postcode ssn iban card",
    "upc ean barcode latitude longitude price date timestamp aadhaar aadhar pan port commit doi vat gst record receipt",
    "item product prescription dea employee student voter registration password",
)
_CLOCK = re.compile(r":\d")
_SOMEBODYS_NUMBER = re.compile(
    r"\b(?:my|his|her|their|our|your)(?: new)? (?:number|no\.?)(?: is)?[ :]{0,3}$", re.IGNORECASE
)
_SPEAKS_AFTER = re.compile(r"[ \t]{0,2}[-(,]?[ \t]?(?:office|fax|mobile|cell|home|work|desk|direct)\b", re.IGNORECASE)


def find(text: str) -> list[Span]:
    """Phone numbers with scores; the caller drops those under its threshold. `text` is folded already."""
    spans: list[Span] = []
    at = 0
    while match := _CANDIDATE.search(text, at):
        span = _judge(text, match)
        at = span.end if span else match.end()
        spans += [span] if span else []
    return spans


def _judge(text: str, match: re.Match[str]) -> Span | None:
    for end in _ends(text, match):
        if score := _score(text[match.start() : end]):
            sure = score + BOOST * _leaning(text, match.start(), end)
            return Span(entity=PiiEntity.PHONE, start=match.start(), end=end, score=min(max(sure, 0.0), 1.0))
    return None


def _ends(text: str, match: re.Match[str]) -> Iterator[int]:
    """Where the number may end: a figure that follows it ("… 58 2 days", "… 20:15") looks like one more group."""
    if not _CLOCK.match(text, match.end()):
        yield match.end()
    number = match["number"]
    for _ in range(_GROUPS_DROPPED):
        number = number.rpartition(" ")[0].rstrip()
        if _digits(number) < _FEWEST_DIGITS:
            return
        yield match.start() + len(number)


def _leaning(text: str, start: int, end: int) -> int:
    if _SPEAKS_AFTER.match(text, end):
        return 1
    if _SOMEBODYS_NUMBER.search(text[max(0, start - context.REACH) : start]):
        return 1
    told = context.speaks_for(text, start, _SPEAKS_FOR, _SPEAKS_AGAINST)
    return 0 if told is None else 1 if told else -1


@lru_cache(maxsize=8192)
def _score(candidate: str) -> float:
    """How much the figures alone look like a phone number; 0 where no plan has such a number."""
    number = re.split(r"[ ,;]*(?:ext|x|#)", candidate, maxsplit=1, flags=re.IGNORECASE)[0]
    if number.lstrip("(").startswith("+"):
        return WITH_COUNTRY_CODE if _possible(number, None) else 0.0
    if _SOMETHING_ELSE.match(number.lstrip("(")):
        return 0.0
    if number.startswith("00") and _possible("+" + number.lstrip("0"), None):
        return WITH_EXIT_CODE
    return _score_national(number)


def _score_national(number: str) -> float:
    if _LOCAL.fullmatch(number) or _THOUSANDS.fullmatch(number):
        return LOCAL
    if _IN_THREES.fullmatch(number):
        return IN_THREES if _valid(number, "US") else GROUPED
    return _score_shape(number) if _valid_somewhere(number) else 0.0


def _score_shape(number: str) -> float:
    if number.isdigit():
        return PLAIN
    if _digits(number) > _LOCAL_DIGITS:
        return GROUPED
    return LOCAL if _digits(number) > _FEWEST_DIGITS or _IN_TWOS.fullmatch(number) else 0.0


def _digits(number: str) -> int:
    return sum(char.isdigit() for char in number)


def _possible(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _valid_somewhere(number: str) -> bool:
    return any(_valid(number, region) for region in _regions_of(re.sub(r"\D", "", number)))


def _regions_of(digits: str) -> list[str]:
    """The regions whose plans can have such a number: a quick look that spares most of the slow ones."""
    return [
        region
        for region, prefix, plan in _PLANS
        if plan.fullmatch(digits) or (prefix and digits.startswith(prefix) and plan.fullmatch(digits, len(prefix)))
    ]


def _valid(number: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _plans() -> Iterator[tuple[str, str, re.Pattern[str]]]:
    for region in REGIONS:
        plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
        if plan and plan.general_desc and plan.general_desc.national_number_pattern:
            yield region, plan.national_prefix or "", re.compile(plan.general_desc.national_number_pattern)


_PLANS = tuple(_plans())
