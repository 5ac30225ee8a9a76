"""Which detectors there are, by type and name. The first of a type is the usual one; policies may name another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

from core.adapters.detectors.speaking import Speaking
from core.contracts.compliance import CheckType
from core.domain.compliance.languages import ENGLISH
from core.ports import Detector
from core.settings import Settings

TEXTS_AT_HAND = 16
"""Texts whose language is remembered for a moment."""


@dataclass(frozen=True, slots=True)
class Source:
    """How a detector is made. `make` must be picklable: other processes make their own.

    `native`: it works outside Python, for a bounded time and in much memory. It is made once, in the process that asks
    it, and runs in a thread. Others run in a process that can be ended, where a text or a batch is long.
    """

    make: Callable[[], Detector]
    native: bool = False


Makers = Mapping[CheckType, Mapping[str, Source]]


def _presidio() -> Detector:
    # Presidio is read only by processes that inspect texts, and only when they begin to.
    from core.adapters.presidio import PiiDetector

    return PiiDetector()


SPOKEN: Mapping[CheckType, tuple[str, ...]] = {CheckType.PROMPT_INJECTION: (ENGLISH, "de")}
"""What else a classifier was trained on: a quarter of the short attacks is German."""


def _classifier(check_type: CheckType) -> Detector:
    # numpy, the weights and the network that tells languages: as above
    from core.adapters.classifiers import load

    # words of attack come in all languages and are few: what is found counts, whatever the rest of the text speaks
    keeps_hits = check_type is CheckType.PROMPT_INJECTION
    return Speaking(load(check_type), SPOKEN.get(check_type, (ENGLISH,)), _languages(), keeps_hits=keeps_hits)


@cache
def _languages() -> Callable[[str], str | None]:
    """One for the process. The four classifiers ask of the same text in turn."""
    from core.adapters.languages import Language

    return lru_cache(maxsize=TEXTS_AT_HAND)(Language().of)


def _detoxify(settings: Settings) -> Detector:
    # Torch and gigabytes of model: only where the settings ask for them. So below.
    from core.adapters.detoxify import load

    return load(
        settings.detoxify_model or "original",
        settings.detoxify_checkpoint,
        settings.detoxify_config,
        threshold=settings.detoxify_threshold,
    )


def _transformers(folder: Path, settings: Settings) -> Detector:
    from core.adapters.transformers import load

    return load(
        CheckType.PROMPT_INJECTION,
        folder,
        label=settings.transformers_label,
        threshold=settings.transformers_threshold,
        max_tokens=settings.transformers_max_tokens,
    )


def _onnx(model: Path, settings: Settings) -> Detector:
    from core.adapters.onnx import load

    return load(
        CheckType.PROMPT_INJECTION,
        model,
        settings.onnx_tokenizer or model.with_name("tokenizer.json"),
        label=settings.onnx_label,
        threshold=settings.onnx_threshold,
        max_tokens=settings.onnx_max_tokens,
    )


def _own(check_type: CheckType) -> Mapping[str, Source]:
    return {f"isa-{check_type.replace('_', '-')}": Source(partial(_classifier, check_type))}


BUILT_IN: Makers = {
    CheckType.TOXICITY: _own(CheckType.TOXICITY),
    CheckType.PII: {"presidio": Source(_presidio)},
    CheckType.PROMPT_INJECTION: _own(CheckType.PROMPT_INJECTION),
    CheckType.NSFW: _own(CheckType.NSFW),
    CheckType.SPAM: _own(CheckType.SPAM),
}


def registry(settings: Settings) -> Makers:
    """The built-in detectors, and after them those that the settings name."""
    toxicity, injection = dict(BUILT_IN[CheckType.TOXICITY]), dict(BUILT_IN[CheckType.PROMPT_INJECTION])
    if settings.detoxify_model or settings.detoxify_checkpoint:
        toxicity["detoxify"] = Source(partial(_detoxify, settings), native=True)
    if settings.transformers_model:
        injection["transformers"] = Source(partial(_transformers, settings.transformers_model, settings), native=True)
    if settings.onnx_model:
        injection["onnx"] = Source(partial(_onnx, settings.onnx_model, settings), native=True)
    return {**BUILT_IN, CheckType.TOXICITY: toxicity, CheckType.PROMPT_INJECTION: injection}
