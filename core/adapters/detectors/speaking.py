"""A detector that clears only texts of the languages it was made for, and says so of the others."""

from collections.abc import Callable, Collection, Sequence

from core.contracts.compliance import DetectorResult
from core.domain.compliance import unavailable
from core.domain.compliance.languages import UNSUPPORTED_LANGUAGE, supported
from core.ports import Detector


class Speaking:
    """Implements `Detector`. `language_of` tells a text's language, or None where that cannot be told.

    `keeps_hits`: what is found in a text of another language counts; that nothing was found there never does.
    """

    def __init__(
        self,
        detector: Detector,
        languages: Collection[str],
        language_of: Callable[[str], str | None],
        *,
        keeps_hits: bool = False,
    ) -> None:
        self.check_type, self.name, self.version = detector.check_type, detector.name, detector.version
        self._detector, self._languages, self._language_of = detector, languages, language_of
        self._keeps_hits = keeps_hits

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        """The detector's results, and `unsupported_language` for texts that it must not judge."""
        languages = [self._language_of(text) for text in texts]
        spoken = [supported(language, self._languages) for language in languages]
        asked = [fits or self._keeps_hits for fits in spoken]
        judged = iter(self._detector.detect([text for text, ask in zip(texts, asked, strict=True) if ask]))
        results = [next(judged) if ask else None for ask in asked]
        return [
            result if result and (fits or result.flagged) else self._silent(language)
            for result, fits, language in zip(results, spoken, languages, strict=True)
        ]

    def _silent(self, language: str | None) -> DetectorResult:
        named = {"detector": self.name, "detector_version": self.version, "language": language}
        return unavailable(UNSUPPORTED_LANGUAGE).model_copy(update=named)
