"""The detector of personal data: Presidio's recognisers, phonenumbers and our address grammar behind one port.

The recognisers are called directly: without AnalyzerEngine there is no language pipeline to load and none to run.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from importlib.metadata import version

from core.adapters import phonenumbers
from core.adapters.presidio import persons
from core.adapters.presidio.recognisers import sources
from core.contracts.compliance import CheckType, DetectorResult, PiiEntity, Span
from core.domain.compliance import addresses, documents, fold, kinds, redact, resolve_overlaps, secrets
from core.domain.compliance.disguises import undisguised
from core.domain.compliance.folding import Folded

THRESHOLD = 0.4
"""What a weak pattern reaches with a telling word before it, so that words decide where figures do not (Presidio's)."""
RULES = "3"
"""Raised with every change of what is found, so that cached and past results tell which rules made them."""
_DIGIT = re.compile(r"\d")
Find = Callable[[str], Iterable[Span]]
Finder = tuple[Find, Set[PiiEntity]]
WORDED: tuple[Finder, ...] = (
    (addresses.find, {PiiEntity.ADDRESS}),
    (documents.find, {PiiEntity.DATE_OF_BIRTH, PiiEntity.PASSPORT}),
)
"""What is told by words around its figures, so that nobody spells them out to hide it."""


class PiiDetector:
    """Finds what is `looked_for`, by default every kind there is; persons only where a spaCy model is installed."""

    check_type = CheckType.PII
    name = "presidio"

    def __init__(self, looked_for: Set[PiiEntity] = frozenset(PiiEntity)) -> None:
        self.version = f"{version('presidio-analyzer')}+rules.{RULES}"
        mail, *others = sources()
        self._mail = mail if mail.entity in looked_for else None
        found_by: list[tuple[Find, set[PiiEntity]]] = [
            *((source.find, {source.entity}) for source in others),
            (phonenumbers.find, {PiiEntity.PHONE}),
        ]
        self._disguisable = _wanted(found_by, looked_for)
        self._numbers = (*self._disguisable, *_wanted(WORDED, looked_for))
        self._secrets = PiiEntity.SECRET in looked_for
        self._persons = persons.finder() if PiiEntity.PERSON in looked_for else None
        if self._persons:
            self.version += f"+{persons.installed()}"
        self.detect(["warm up 1: a@example.com"])  # patterns and suffix list are made ready now, not in the first check

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        """One result for each text, in order. Work is linear in the length of a text; nothing leaves the process."""
        return [self._detect(text) for text in texts]

    def _detect(self, text: str) -> DetectorResult:
        began = time.perf_counter()
        spans = resolve_overlaps(text, self._spans(text))
        return DetectorResult(
            flagged=bool(spans),
            score=max((span.score for span in spans), default=0.0),
            threshold=THRESHOLD,
            detected=kinds(spans),
            redacted=redact(text, spans),
            spans=spans,
            detector=self.name,
            detector_version=self.version,
            latency_ms=round((time.perf_counter() - began) * 1000, 3),
        )

    def _spans(self, text: str) -> Iterator[Span]:
        folded = fold(text)
        yield from (_original(span, folded) for span in self._candidates(folded.text) if span.score >= THRESHOLD)
        plain = undisguised(folded.text)
        if plain:
            hidden = self._figures(plain.text, self._disguisable)
            found = (_original(span, plain) for span in hidden if span.score >= THRESHOLD)
            yield from (_original(span, folded) for span in found)

    def _candidates(self, text: str) -> Iterator[Span]:
        yield from self._figures(text, self._numbers)
        if self._secrets:
            yield from secrets.find(text)
        if self._persons:
            yield from self._persons(text)

    def _figures(self, text: str, numbers: Sequence[Find]) -> Iterator[Span]:
        """Mail addresses, and whatever is made of figures."""
        if self._mail and "@" in text:
            yield from self._mail.find(text)
        if _DIGIT.search(text):
            for find in numbers:
                yield from find(text)


def _wanted(finders: Iterable[Finder], looked_for: Set[PiiEntity]) -> list[Find]:
    return [find for find, kinds_found in finders if not looked_for.isdisjoint(kinds_found)]


def _original(span: Span, folded: Folded) -> Span:
    if folded.offsets is None:
        return span
    start, end = folded.original(span.start, span.end)
    return span.model_copy(update={"start": start, "end": end})
