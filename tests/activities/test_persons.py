"""Names of persons, found by a spaCy model where one is installed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.presidio import PiiDetector, persons

MODEL = '''
import spacy


def load(exclude=()):
    """A pipeline as the installed models have one, with a few names instead of a network."""
    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Ann Lee"}, {"label": "GPE", "pattern": "Paris"}])
    return pipeline
'''


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "en_core_web_sm.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("en_core_web_sm", None)


def test_without_a_model_none_are_looked_for() -> None:
    assert persons.installed() is None
    assert persons.finder() is None


def test_with_a_model_persons_are_found_and_the_version_tells(model: None) -> None:
    detector = PiiDetector()
    [result] = detector.detect(["Ann Lee of Paris, ann@example.com"])
    assert result.redacted == "[PERSON] of Paris, [EMAIL]"
    assert detector.version.endswith("+en_core_web_sm")
