"""Names of persons, by a spaCy model where one is installed; none is ever downloaded."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from core.contracts.compliance import PiiEntity, Span

MODELS = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm", "en_core_web_trf")
"""What is looked for, in this order; `pip install` any of them and start again."""
NOT_NEEDED = ("tagger", "parser", "attribute_ruler", "lemmatizer")
SCORE = 0.6
"""Under that of every number with a checksum, so that a name never costs a better finding."""

Find = Callable[[str], list[Span]]


def installed() -> str | None:
    """The model that would be used."""
    return next((name for name in MODELS if importlib.util.find_spec(name)), None)


def finder() -> Find | None:
    """What finds persons; None where no model is installed."""
    name = installed()
    if name is None:
        return None
    # spaCy takes 60 MiB and a second, the model as much again: only for who has installed one
    pipeline = importlib.import_module(name).load(exclude=list(NOT_NEEDED))
    return lambda text: _persons(pipeline, text)


def _persons(pipeline: Any, text: str) -> list[Span]:
    return [
        Span(entity=PiiEntity.PERSON, start=found.start_char, end=found.end_char, score=SCORE)
        for found in pipeline(text).ents
        if found.label_ in ("PERSON", "PER") and any(map(str.isalpha, found.text))
    ]
