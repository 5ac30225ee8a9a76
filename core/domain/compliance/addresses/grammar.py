"""A grammar of postal addresses: house numbers, street forms of many languages, units, boxes, postcodes.

Every rule takes the index of a token and gives the index after what it read, or None. All repetition is bounded, so
the work is linear in the number of tokens.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.domain.compliance.addresses import vocabulary as words
from core.domain.compliance.addresses.reader import NAME_WORDS, Reader
from core.domain.compliance.addresses.tokens import Kind, Token

_POSTCODE = re.compile(r"\d{4,6}(?:-\d{3,4})?|\d{2}-\d{3}|\d{3}-\d{4}|[a-z]{1,2}-\d{4,5}")
_POSTCODE_IN_TWO = re.compile(r"[a-z]{1,2}\d[a-z\d]? \d[a-z]{2}|[a-z]\d[a-z] \d[a-z]\d|\d{3} \d{2}|\d{4} [a-z]{2}")
_ZIP = re.compile(r"\d{5}(?:-\d{4})?")
_UNIT_NUMBER = re.compile(r"\d{1,4}[a-z]?|[a-z]?\d{1,4}|[a-z]")
_TAIL_PARTS = 6
LOWER_CASE_COSTS = YEAR_COSTS = 0.3
_YEAR = re.compile(r"(?:19|20)\d\d")
_BEFORE_YEARS = frozenset({"in", "since", "by", "until", "the", "of"})


Asked = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Reading:
    """One address: the tokens from `first` up to, not including, `after`."""

    first: int
    after: int
    score: float


class Grammar(Reader):
    """Reads addresses off one text's tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        super().__init__(tokens)
        self._streets: tuple[tuple[Callable[[int], int | None], float], ...] = (
            (self._number_name_street, 0.65),
            (self._street_name_number, 0.6),
            (self._compound, 0.55),
            (self._name_street_number, 0.55),
            (self._number_name_number, 0.3),
        )

    def address(self, at: int, *, asked: bool) -> Reading | None:
        """The address that starts at this token, one of `beginnings`. `asked`: the words before it ask for one."""
        return self._military(at) or self._box(at) or self._postal(at, asked=asked)

    def beginnings(self, asked: Asked) -> list[int]:
        """A quick look that spares most words: tokens that addresses begin with, and that have a figure near.

        `asked` tells of an offset whether the words before it ask for an address ("lives at").
        """
        figure, found = -1, []
        for at in range(self._count - 1, -1, -1):
            if self._kinds[at] is Kind.NUMBER:
                figure = at
                found.append(at)
            elif 0 <= figure - at <= NAME_WORDS and self._kinds[at] is Kind.WORD and self._begins(at, asked):
                found.append(at)
        return found[::-1]

    def _begins(self, at: int, asked: Asked) -> bool:
        token = self._tokens[at]
        return token.capital or token.word in _FIRST_WORDS or asked(token.start)

    def _postal(self, at: int, *, asked: bool) -> Reading | None:
        unit = self._unit(at) if self._kinds[at] is Kind.WORD else None
        street = self._street(self._past_separators(unit) if unit else at, asked=asked)
        if street is None:
            return self._with_tail(at, unit, 0.3) if unit else None
        after, score = street
        score -= YEAR_COSTS if self._is_year(at) else 0.0
        return self._with_tail(at, after, score + (0.1 if unit else 0.0) + (0.15 if asked else 0.0))

    def _is_year(self, at: int) -> bool:
        """`In 2019 Wall Street fell`."""
        return bool(at and _YEAR.fullmatch(self._tokens[at].word)) and self._tokens[at - 1].word in _BEFORE_YEARS

    def _with_tail(self, first: int, after: int, score: float) -> Reading:
        end, found = self._tail(after)
        return Reading(first, end, min(score + 0.1 * found, 0.95))

    # --- streets -------------------------------------------------------------------------------------------------

    def _street(self, at: int, *, asked: bool) -> tuple[int, float] | None:
        read = [
            (after, score if self._proper(at, after) else score - LOWER_CASE_COSTS)
            for rule, score in self._streets
            if (after := rule(at))
        ]
        if not read and asked and (after := self._number_name(at)):
            read = [(after, 0.4)]
        elif not read and (after := self._number_name(at)) and self._ends_in_zip(after):
            read = [(after, 0.3)]
        return max(read, key=lambda found: (found[1], found[0]), default=None)

    def _ends_in_zip(self, at: int) -> bool:
        """`103 West Main` is a street where `, Ute, IA 51060` follows it."""
        end = self._tail(at)[0]
        return end - at > 1 and _ZIP.fullmatch(self._tokens[end - 1].word) is not None

    def _proper(self, at: int, after: int) -> bool:
        """Whether the street is written as a name: no word in small letters but particles and words for streets."""
        small = [token.word for token in self._tokens[at:after] if token.kind is Kind.WORD and not token.capital]
        return all(word in _SMALL_IN_NAMES for word in small)

    def _number_name_street(self, at: int) -> int | None:
        """`1600 Pennsylvania Avenue NW`, `52 Huntly Street`."""
        name = self._numbers(at)
        return self._name_then(name, words.STREET_AFTER_NAME) if name else None

    def _street_name_number(self, at: int) -> int | None:
        """`Rua das Pedras 930`, `12 rue de la Paix`, `ul. Narewska 94`."""
        kind = self._numbers(at) or at
        if not self._is(kind, words.STREET_BETWEEN_NUMBER_AND_NAME if kind > at else words.STREET_BEFORE_NAME):
            return None
        for after in (*self._names(kind + 1), *self._small_names(kind + 1)):
            if number := self._number(after if kind > at else self._past_comma(after)):
                return number
        return next(iter(self._names(kind + 1)), None) if kind > at else None

    def _compound(self, at: int) -> int | None:
        """`Hauptstraße 5`, `5049 Harjukuja 54`."""
        name = self._numbers(at) or at
        for street in range(name, min(name + 4, self._count)):
            if self._ends_like_street(street):
                bare = street + 1 if name > at and not self._looks_english(street) else None
                return self._number(street + 1) or bare
            if not self._in_name(street):
                return None
        return None

    def _name_street_number(self, at: int) -> int | None:
        """`Erzsébet tér 19.`, `Luite tee 87`."""
        after = self._name_then(self._numbers(at) or at, words.STREET_BETWEEN_NAME_AND_NUMBER)
        return self._number(after) if after else None

    def _number_name_number(self, at: int) -> int | None:
        """`10252 Μεγάλη Άμμος 184`: no word for the street, but a number on either side of a name."""
        name = self._numbers(at)
        if not name:
            return None
        ends = (*self._names(name), *self._small_names(name))
        return next((number for after in ends if (number := self._number(after))), None)

    def _number_name(self, at: int) -> int | None:
        name = self._numbers(at)
        return next(iter(self._names(name)), None) if name else None

    def _name_then(self, at: int, kinds: frozenset[str]) -> int | None:
        """A name of one word or more, and then the last word in reach that is of `kinds`."""
        found = None
        for index in range(at, min(at + NAME_WORDS, self._count)):
            if not self._in_name(index):
                break
            if index > at and self._is(index, kinds):
                found = index + 1
        return found + self._is(found, words.DIRECTIONS) if found else None

    # --- other forms ---------------------------------------------------------------------------------------------

    def _military(self, at: int) -> Reading | None:
        """`PSC 3294, Box 9168 / APO AA 61487`, `USS Napolitani / FPO AP 70381`."""
        if self._is(at, _SHIPS):
            post = at + 2
        elif self._is(at, _MILITARY_UNITS) and self._is(self._past_comma(at + 2), _BOX):
            post = self._past_comma(at + 2) + 2
        else:
            return None
        post = self._past_separators(post)
        theatre = self._is(post, frozenset({"apo", "fpo", "dpo"})) and self._is(post + 1, frozenset({"aa", "ae", "ap"}))
        return Reading(at, self._number(post + 2) or post + 2, 0.95) if theatre else None

    def _box(self, at: int) -> Reading | None:
        """`P.O. Box 101`, `Postfach 12 34`, `80 P.O. Box 15`."""
        start = self._numbers(at) or at
        if self._tokens[start].word not in _BOX_BEGINS:
            return None
        box = next((start + len(form) for form in _BOX_FORMS if self._spells(start, form)), None)
        after = self._number(box) if box else None
        return self._with_tail(at, after, 0.7) if after else None

    def _unit(self, at: int) -> int | None:
        """`Apt. 595`, `Suite 4B`, `Suite C`, `# 12`, `2nd Floor`."""
        if self._kinds[at] is Kind.HASH:
            return self._unit_number(at + 1)
        if self._is(at, words.UNITS):
            return self._unit_number(at + 1) or (self._unit(at + 1) if self._kinds[at + 1] is Kind.HASH else None)
        return at + 2 if self._is(at, words.ORDINALS) and self._is(at + 1, words.FLOORS) else None

    def _unit_number(self, at: int) -> int | None:
        return at + 1 if _UNIT_NUMBER.fullmatch(self._tokens[at].word) else None

    # --- what follows a street -----------------------------------------------------------------------------------

    def _tail(self, at: int) -> tuple[int, int]:
        """Units, town, region, postcode: the end of the last that was sure, and how many of unit and postcode."""
        end, here, units, codes = at, at, 0, 0
        for _ in range(_TAIL_PARTS):
            part = self._past_separators(here)
            if unit := self._unit(part):
                end, here, units = unit, unit, 1
            elif not codes and (place := self._place_with_code(part)):
                end, here, codes = place, place, 1
            elif part > here and (town := self._town(part)):
                end, here = self._town_end(end, town), town
            else:
                break
        return end, units + codes

    def _town(self, at: int) -> int | None:
        line = self._small_line(at)
        return line or next(iter(self._names(at)), None)

    def _small_line(self, at: int) -> int | None:
        """A line of its own, of a few words in small letters."""
        if self._kinds[at - 1] is not Kind.BREAK:
            return None
        return next((end for end in self._small_names(at) if self._kinds[end] in _ENDS), None)

    def _town_end(self, end: int, town: int) -> int:
        """A town without a postcode counts only where nothing but the end of the part follows it."""
        return town if self._kinds[town] in _ENDS and self._kinds[end] is Kind.COMMA else end

    def _place_with_code(self, at: int) -> int | None:
        """`Springfield, IL 62704`, `10115 Berlin`, `Cyprus 13429`, `SW1A 1AA`."""
        small = self._small_names(at) if self._kinds[at - 1] is Kind.BREAK else ()
        for after in (at, *self._names(at), *small):
            state = self._past_comma(after)
            for place in (after, state + self._is(state, words.US_STATES)):
                if code := self._postcode(place):
                    return (next(iter(self._names(code)), None) if after == at else None) or code
        return None

    def _postcode(self, at: int) -> int | None:
        """One token, or the two of `SW1A 1AA`, `M5V 2T6`, `1017 CA`."""
        token, follows = self._tokens[at], self._tokens[at + 1]
        if not token.word:
            return None
        if follows.word and follows.proper and _POSTCODE_IN_TWO.fullmatch(f"{token.word} {follows.word}"):
            return at + 2
        return at + 1 if _POSTCODE.fullmatch(token.word) else None


_BOX = frozenset({"box"})
_ENDS = frozenset({Kind.END, Kind.BREAK})
_BOX_FORMS = (("p", "o", "box"), ("po", "box"), ("p.o", "box"), ("pob",), ("postbox",), ("postfach",), ("casilla",))
_BOX_BEGINS = frozenset(form[0] for form in _BOX_FORMS)
_SHIPS = frozenset({"uss", "usns", "usnv", "usncv", "uscgc"})
_MILITARY_UNITS = frozenset({"psc", "cmr", "unit"})
_FIRST_WORDS = frozenset[str]().union(
    words.STREET_BEFORE_NAME, words.UNITS, (form[0] for form in _BOX_FORMS), _SHIPS, _MILITARY_UNITS
)
_SMALL_IN_NAMES = (
    words.PARTICLES
    | words.STREET_AFTER_NAME
    | words.STREET_BETWEEN_NAME_AND_NUMBER
    | words.STREET_BETWEEN_NUMBER_AND_NAME
)
