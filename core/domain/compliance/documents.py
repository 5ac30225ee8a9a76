"""Dates of birth and passport numbers: told by the words before them, and passports' machine-readable lines."""

import re
from collections.abc import Iterator
from datetime import date

from core.contracts.compliance import PiiEntity, Span

SURE, TOLD = 0.95, 0.8
_OLDEST_YEAR, _NEWEST_YEAR = 1900, 2099

# --- dates of birth: the common words of European languages --------------------------------------------------------

_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|januar|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin"
    r"|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre"
    r"|octubre|noviembre|diciembre)"
)
_DATE = (
    r"(?:(?P<{0}a>\d{{1,2}})[ ]?[-./][ ]?(?P<{0}b>\d{{1,2}})[ ]?[-./][ ]?(?P<{0}c>\d{{4}}|\d{{2}})(?![\d])"
    r"|(?P<{0}y>\d{{4}})[-./](?P<{0}m>\d{{1,2}})[-./](?P<{0}d>\d{{1,2}})(?!\d)"
    rf"|\d{{{{1,2}}}}(?:st|nd|rd|th|\.)?[ ](?:of[ ]|de[ ])?{_MONTHS}\.?,?[ ](?:de[ ])?(?P<{{0}}e>\d{{{{4}}}})(?!\d)"
    rf"|{_MONTHS}\.?[ ]\d{{{{1,2}}}}(?:st|nd|rd|th)?,?[ ](?P<{{0}}f>\d{{{{4}}}})(?!\d))"
)
_BIRTH = (
    r"(?:d\.?o\.?b\b\.?|date[ _-]?of[ _-]?birth|birth[ _-]?dates?|birthday|birth|born|geboren|geburtsdatum|geb\."
    r"|née?|naissance|nacimiento|nacid[oa]|nascita|(?-i:nat[oa])|nascimento|nascid[oa]|geboortedatum|födelsedatum"
    r"|data urodzenia|urodzon[ya]|syntymäaika)"
)
_BORN = re.compile(rf"(?<!\w){_BIRTH}(?!\w)[^\d\n]{{0,20}}?\n?(?<!\d)(?P<date>{_DATE.format('n')})", re.IGNORECASE)
_BORN_AFTER = re.compile(
    rf"(?<![\d.\-/])(?P<date>{_DATE.format('n')})[ ]?[(\[,-]?[ ]?(?:is (?:my|his|her|the) )?{_BIRTH}(?!\w)",
    re.IGNORECASE,
)
_BIRTH_HINTS = (
    *("birth", "born", "dob", "d.o.b", "geb", "né ", "née", "naissance", "naci", "nascit", "nascid", "nascim"),
    *("nato ", "nata ", "födelse", "urodz", "syntym"),
)


def find(text: str) -> list[Span]:
    """Both kinds, in no order. `text` is folded already and holds a figure."""
    return [*_births(text), *_passports(text)]


def _births(text: str) -> Iterator[Span]:
    lowered = text.lower()
    if not any(hint in lowered for hint in _BIRTH_HINTS):
        return
    for pattern in (_BORN, _BORN_AFTER):
        for found in pattern.finditer(text):
            if _is_date(found):
                yield Span(entity=PiiEntity.DATE_OF_BIRTH, start=found.start("date"), end=found.end("date"), score=TOLD)


def _is_date(found: re.Match[str]) -> bool:
    if found["ny"]:
        return _exists(int(found["ny"]), int(found["nm"]), int(found["nd"]))
    if found["nc"]:
        year = int(found["nc"]) if len(found["nc"]) == 4 else 2000
        first, second = int(found["na"]), int(found["nb"])
        return _exists(year, first, second) or _exists(year, second, first)
    return _OLDEST_YEAR <= int(found["ne"] or found["nf"]) <= _NEWEST_YEAR


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return _OLDEST_YEAR <= date(year, month, day).year <= _NEWEST_YEAR
    except ValueError:
        return False


# --- passports -----------------------------------------------------------------------------------------------------

_PASSPORT = re.compile(
    r"(?<!\w)(?:passports?|passeport|pasaporte|passaporto|passaporte|reisepass(?:nummer)?|paspoort|paszport)(?!\w)"
    r"(?:[\s:#(=_\"'.\-–/]{1,4}(?:number|numbers|no|num|nr|id|is|was|n|nummer|numéro|número|numero|book|card|holder|with"
    r"|bearing|has|the|us|u|s|uk|british|american|and|issued|as)(?![A-Za-z\d])){0,4}[\s:#(=\"'.\-–°º]{1,5}"
    r"(?P<number>(?=(?:[A-Z]{0,9}\d){3})[A-Z\d]{6,10})(?![\w-])",
    re.IGNORECASE,
)
_MACHINE_LINE = re.compile(
    r"(?<![A-Z\d<])(?P<number>[A-Z\d<]{9})(?P<check>\d)[A-Z<]{3}\d{6}\d[MFX<]\d{6}\d[A-Z\d<]{14}[\d<]\d(?![A-Z\d<])"
)
_WEIGHTS = (7, 3, 1)
_VALUES = {char: value for value, char in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}


def _passports(text: str) -> Iterator[Span]:
    if "pas" in text.lower():
        for found in _PASSPORT.finditer(text):
            start, end = found.span("number")
            yield Span(entity=PiiEntity.PASSPORT, start=start, end=end, score=TOLD)
    if "<" in text:
        for found in _MACHINE_LINE.finditer(text):
            if check_digit(found["number"]) == int(found["check"]):
                yield Span(entity=PiiEntity.PASSPORT, start=found.start(), end=found.end(), score=SURE)


def check_digit(field: str) -> int:
    """Of a field in a machine-readable zone (ICAO Doc 9303, part 3, 4.9)."""
    return sum(_VALUES[char] * _WEIGHTS[index % 3] for index, char in enumerate(field)) % 10
