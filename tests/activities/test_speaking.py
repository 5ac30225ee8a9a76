"""A classifier judges texts of its languages; of others it must not say that nothing is there."""

from collections.abc import Sequence

from core.adapters.detectors.speaking import Speaking
from core.contracts.compliance import CheckType, DetectorResult


class Finder:
    """Finds something where the text says so, and keeps what it was asked."""

    check_type, name, version = CheckType.PROMPT_INJECTION, "finder", "1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        self.asked += texts
        return [DetectorResult(flagged="attack" in text, score=0.9 if "attack" in text else 0.1) for text in texts]


def _told(text: str) -> str | None:
    return {"de": "de", "fr": "fr"}.get(text[:2])


TEXTS = ["plain", "fr clean", "an attack", "fr attack", "de clean"]


def test_texts_of_other_languages_are_not_judged() -> None:
    finder = Finder()
    found = Speaking(finder, ("en", "de"), _told).detect(TEXTS)
    assert [one.available for one in found] == [True, False, True, False, True]
    assert (found[1].reason, found[1].language, found[1].detector) == ("unsupported_language", "fr", "finder")
    assert finder.asked == ["plain", "an attack", "de clean"]


def test_a_hit_in_another_language_counts_where_hits_are_kept_and_a_miss_never_does() -> None:
    found = Speaking(Finder(), ("en", "de"), _told, keeps_hits=True).detect(TEXTS)
    assert [one.available for one in found] == [True, False, True, True, True]
    assert [one.flagged for one in found] == [False, None, True, True, False]
