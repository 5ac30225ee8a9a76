"""A detector that judges only texts of the languages it was made for, and says so of the others."""

from collections.abc import Callable, Collection, Sequence

from core.contracts.compliance import DetectorResult
from core.domain.compliance import unavailable
from core.domain.compliance.languages import UNSUPPORTED_LANGUAGE, supported
from core.ports import Detector


class Speaking:
    """Implements `Detector`. `language_of` tells a text's language, or None where that cannot be told."""

    def __init__(
        self, detector: Detector, languages: Collection[str], language_of: Callable[[str], str | None]
    ) -> None:
        self.check_type, self.name, self.version = detector.check_type, detector.name, detector.version
        self._detector, self._languages, self._language_of = detector, languages, language_of

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        """The detector's results, and `unsupported_language` for texts that it must not judge."""
        languages = [self._language_of(text) for text in texts]
        spoken = [supported(language, self._languages) for language in languages]
        judged = iter(self._detector.detect([text for text, fits in zip(texts, spoken, strict=True) if fits]))
        return [
            next(judged) if fits else self._silent(language) for language, fits in zip(languages, spoken, strict=True)
        ]

    def _silent(self, language: str | None) -> DetectorResult:
        named = {"detector": self.name, "detector_version": self.version, "language": language}
        return unavailable(UNSUPPORTED_LANGUAGE).model_copy(update=named)
