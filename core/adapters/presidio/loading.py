"""Presidio's pattern recognisers without its package start-up, which imports spaCy.

`import presidio_analyzer` loads spaCy for the NLP engines we do not run: 60 MiB and 1.5 s in a process that has our
web stack loaded already, against 9 MiB and 0.2 s this way. The package's `__init__` files are stepped over while the
recognisers' own modules are imported, and nothing half-made is left behind: a later `import presidio_analyzer` in the
same process is the complete one.
"""

import importlib
import importlib.util
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from presidio_analyzer import Pattern, PatternRecognizer, RecognizerResult
    from presidio_analyzer.predefined_recognizers.country_specific.us.us_ssn_recognizer import UsSsnRecognizer
    from presidio_analyzer.predefined_recognizers.generic.credit_card_recognizer import CreditCardRecognizer
    from presidio_analyzer.predefined_recognizers.generic.email_recognizer import EmailRecognizer
    from presidio_analyzer.predefined_recognizers.generic.iban_recognizer import IbanRecognizer
    from presidio_analyzer.predefined_recognizers.generic.ip_recognizer import IpRecognizer

__all__ = [
    "CreditCardRecognizer",
    "EmailRecognizer",
    "IbanRecognizer",
    "IpRecognizer",
    "Pattern",
    "PatternRecognizer",
    "RecognizerResult",
    "UsSsnRecognizer",
]

_ROOT = "presidio_analyzer"
_PREDEFINED = f"{_ROOT}.predefined_recognizers"
_PACKAGES = (_ROOT, _PREDEFINED, f"{_PREDEFINED}.generic", f"{_PREDEFINED}.country_specific")
_US = f"{_PREDEFINED}.country_specific.us"
# In the order in which they need each other; each takes its elders from the package itself.
_BASES = (
    ("analysis_explanation", "AnalysisExplanation"),
    ("recognizer_result", "RecognizerResult"),
    ("entity_recognizer", "EntityRecognizer"),
    ("local_recognizer", "LocalRecognizer"),
    ("pattern", "Pattern"),
    ("pattern_recognizer", "PatternRecognizer"),
)
_RECOGNISERS = (
    (f"{_PREDEFINED}.generic.credit_card_recognizer", "CreditCardRecognizer"),
    (f"{_PREDEFINED}.generic.email_recognizer", "EmailRecognizer"),
    (f"{_PREDEFINED}.generic.iban_recognizer", "IbanRecognizer"),
    (f"{_PREDEFINED}.generic.ip_recognizer", "IpRecognizer"),
    (f"{_US}.us_ssn_recognizer", "UsSsnRecognizer"),
)


def _load() -> dict[str, Any]:
    with _bare_packages():
        root = sys.modules[_ROOT]
        for module, name in _BASES:
            setattr(root, name, getattr(importlib.import_module(f"{_ROOT}.{module}"), name))
        found = {name: getattr(importlib.import_module(module), name) for module, name in _RECOGNISERS}
        return found | {name: getattr(root, name) for _, name in _BASES}


@contextmanager
def _bare_packages() -> Iterator[None]:
    """Presidio's packages, found but not started, for as long as the block runs."""
    before = _take_away()
    try:
        for name in (*_PACKAGES, _US):
            _bare(name)
        _engine_names()
        yield
    finally:
        _take_away()
        sys.modules.update(before)


def _take_away() -> dict[str, ModuleType]:
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == _ROOT}


def _bare(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"presidio-analyzer has no {name}: its layout has changed", name=name)
    sys.modules[name] = importlib.util.module_from_spec(spec)


def _engine_names() -> None:
    """The one thing that pattern recognisers take from the NLP engines is the name of a type, for an annotation."""
    engines = ModuleType(f"{_ROOT}.nlp_engine")
    engines.NlpArtifacts = object  # type: ignore[attr-defined]  # a module made here has no declared members
    sys.modules[engines.__name__] = engines


if not TYPE_CHECKING:
    globals().update(_load())

# Its error lines quote the text that was checked; logs must not.
_log = logging.getLogger("presidio-analyzer")
_log.addHandler(logging.NullHandler())
_log.propagate = False
