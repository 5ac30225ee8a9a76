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
WITH_COUNTRY_CODE, WITH_EXIT_CODE, IN_THREES, GROUPED, UNSURE, LOCAL, PLAIN = 0.9, 0.7, 0.6, 0.5, 0.3, 0.2, 0.2
LEAST = 0.4
"""What a number must reach to count: the threshold of the detector that asks."""
BOOST = 0.35
"""What a telling word nearby adds or takes: the context factor of Presidio."""

# The quantifiers are bounded and possessive, so the search is linear in the text.
_CANDIDATE = re.compile(
    r"(?=[\d(+])(?<![\w@#$€£+])(?<!\w[-/\\_])(?<!\d[.,*])"
    r"(?P<number>(?:\(?\+[ ]?)?+\(?\d(?:(?:[ \t.\-)]{0,3}(?:\((?=\d{1,5}\)))?|[/_*]|-\n)\d){5,19}+)"
    r"(?P<extension>[ ,;]{0,2}(?:extension|ext\.?|x|\#)[ :=.]{0,2}\d{1,6})?"
    r"(?!\w|[-./_][A-Za-z]{0,8}\d|@|%)",
    re.IGNORECASE,
)
_VANITY = re.compile(
    r"(?=[18(])(?<![\w-])(?:1[-. ]?)?\(?8(?:00|33|44|55|66|77|88)\)?[-. ]"
    r"(?=[\d-]{0,8}[A-Z])[A-Z\d]{3,10}(?:-[A-Z\d]{3,7})?(?![\w-])"
)
# Quick looks that spare most texts the slow patterns: what each of their findings has in it.
_SIX_DIGITS = re.compile(r"[0-9](?:[^0-9]{0,4}[0-9]){5}")
_TOLL_FREE = re.compile(r"8(?:00|33|44|55|66|77|88)\)?[-. ]")
_LINKED = re.compile(r"(?:wa\.me/|whatsapp\.com/send\?phone=|callto:|sms:)\+?(?P<number>\d{7,15})(?!\d)")
_LINKS = ("wa.me/", "whatsapp.com/", "callto:", "sms:")
_IN_A_BANK_NUMBER = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2} (?:[A-Z\d]{4} ){0,7}\Z", re.IGNORECASE)
_GROUPS_DROPPED, _DIGITS_DROPPED = 6, 4
_FEWEST_DIGITS, _LOCAL_DIGITS = 6, 7
_IN_THREES = re.compile(r"(?:1[ .-]?)?\(?\d{3}\)?[ .-]{0,2}\d{3}[ .-]\d{4}")
_ROUND = re.compile(r"\d00-\d00-\d000")
"""From hundred to hundred, not a number to call."""
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
    "telefono teléfono téléphone tél telefone móvil celular portable office desk tlf fono rufnummer mobilnummer",
    "тел телефон моб 手机 电话 電話 携帯 연락처 전화 전화번호 هاتف फ़ोन",
)
_SPEAKS_AGAINST = context.words(
    "order orders invoice tracking track shipment parcel npi mrn version serial account acct ticket case reference ref",
    "sku isbn issn part build hash policy claim flight routing license licence passport ein tin tax vin imei box pin",
    "otp confirmation transaction id identifier patient member membership batch lot model zip postcode ssn iban card",
    "upc ean barcode latitude longitude price date timestamp aadhaar aadhar pan port commit doi vat gst record receipt",
    "item product prescription dea employee student voter registration password docket catalog catalogue range lottery",
    "fedex ups usps dhl waybill asset inventory voucher coupon gift code uuid guid checksum bug issue room gate seat",
    "revenue population coordinates lat long iccid meter reading package transactions orders invoices tickets po",
    "error barcode purchase social security booking nhs medicare cas",
)
_EXTENSION = re.compile(r"[ ,;]*(?:ext|x|#)", re.IGNORECASE)
_ODD_SIGNS = re.compile(r"[_*]|-\n")
_EXIT_CODE = re.compile(r"00(?=[1-9])|011[ -](?=[1-9])")
_CLOCK = re.compile(r":\d")
_SOMEBODYS_NUMBER = re.compile(
    r"\b(?:my|his|her|their|our|your)(?: new)? (?:number|no\.?)(?: is|'s|’s)?[ :,]{0,3}$", re.IGNORECASE
)
_SPEAKS_AFTER = re.compile(
    r"[ \t]{0,2}[-(,]?[ \t]?(?:office|fax|mobile|cell|home|work|desk|direct"
    r"|is (?:my|his|her|our|their|your)(?: new| old)? number)\b",
    re.IGNORECASE,
)


def find(text: str) -> list[Span]:
    """Phone numbers with scores; the caller drops those under its threshold. `text` is folded already."""
    linked = _LINKED.finditer(text) if any(link in text for link in _LINKS) else ()
    spans = [_span(*found.span("number"), WITH_COUNTRY_CODE) for found in linked]
    if _TOLL_FREE.search(text):
        spans += [_span(*found.span(), IN_THREES) for found in _VANITY.finditer(text) if _enough(found.group())]
    return [*spans, *_plain(text)] if _SIX_DIGITS.search(text) else spans


def _plain(text: str) -> list[Span]:
    """Those that are written out."""
    spans: list[Span] = []
    at = 0
    while match := _CANDIDATE.search(text, at):
        span = _judge(text, match)
        if span and _IN_A_BANK_NUMBER.search(text, max(0, span.start - context.REACH), span.start):
            span = None
        elif span is None or span.score < LEAST:  # parts of a longer number are no numbers, unless they look the part
            span = _after_a_figure(text, match)
        at = span.end if span else match.end()
        spans += [span] if span else []
    return spans


def _after_a_figure(text: str, match: re.Match[str]) -> Span | None:
    """`room 12, floor 3 202-555-0143`: what is left of the match without a first short group, if that is sure."""
    first = match["number"].partition(" ")[0]
    if not 0 < _digits(first) <= _DIGITS_DROPPED or len(first) == len(match["number"]):
        return None
    later = _CANDIDATE.match(text, match.start() + len(first) + 1, match.end())
    span = _judge(text, later) if later and _score(later["number"]) >= IN_THREES else None
    return span if span and span.score >= LEAST else None


def _span(start: int, end: int, score: float) -> Span:
    return Span(entity=PiiEntity.PHONE, start=start, end=end, score=round(min(max(score, 0.0), 1.0), 2))


def _enough(vanity: str) -> bool:
    return sum(map(str.isalnum, vanity)) >= _LOCAL_DIGITS + 3


def _judge(text: str, match: re.Match[str]) -> Span | None:
    for end in _ends(text, match):
        if score := _score(text[match.start() : end]):
            return _span(match.start(), end, score + BOOST * _leaning(text, match.start(), end))
    return None


def _ends(text: str, match: re.Match[str]) -> Iterator[int]:
    """Where the number may end: a figure that follows it ("… 58 2 days", "… 20:15") looks like one more group.

    More than a few figures are left out only where they are a number of their own: else both are parts of a longer one.
    """
    if not _CLOCK.match(text, match.end()):
        yield match.end()
    whole = number = match["number"]
    for _ in range(_GROUPS_DROPPED):
        number = number.rpartition(" ")[0].rstrip()
        if _digits(number) < _FEWEST_DIGITS:
            return
        rest = whole[len(number) :].strip()
        if _digits(rest) <= _DIGITS_DROPPED or _score(rest) >= GROUPED:
            yield match.start() + len(number)


def _leaning(text: str, start: int, end: int) -> int:
    if _SPEAKS_AFTER.match(text, end):
        return 1
    if _SOMEBODYS_NUMBER.search(text[max(0, start - context.REACH) : start]):
        return 1
    told = context.speaks_for(text, start, _SPEAKS_FOR, _SPEAKS_AGAINST, end)
    return 0 if told is None else 1 if told else -1


@lru_cache(maxsize=8192)
def _score(candidate: str) -> float:
    """How much the figures alone look like a phone number; 0 where no plan has such a number."""
    number = _ODD_SIGNS.sub("-", _EXTENSION.split(candidate, maxsplit=1)[0])
    if number.lstrip("(").startswith("+"):
        return WITH_COUNTRY_CODE if _possible(number, None) else 0.0
    if _SOMETHING_ELSE.match(number.lstrip("(")):
        return 0.0
    exit_code = _EXIT_CODE.match(number)
    if exit_code and _possible("+" + number[exit_code.end() :], None):
        return WITH_EXIT_CODE
    return _score_national(number)


def _score_national(number: str) -> float:
    if _LOCAL.fullmatch(number) or _THOUSANDS.fullmatch(number):
        return LOCAL
    if _IN_THREES.fullmatch(number):
        return IN_THREES if _valid(number, "US") else UNSURE if _ROUND.fullmatch(number) else GROUPED
    return _score_shape(number) if _valid_somewhere(number) else 0.0


def _score_shape(number: str) -> float:
    if number.isdigit():
        return PLAIN
    if _digits(number) > _LOCAL_DIGITS:
        return GROUPED if number[0] in "0(" else UNSURE
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
