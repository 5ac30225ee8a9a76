"""Which detectors there are, by type and name. The first of a type is the usual one; policies may name another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from core.contracts.compliance import CheckType
from core.ports import Detector


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


def _classifier(check_type: CheckType) -> Detector:
    # numpy and the weights: as above
    from core.adapters.classifiers import load

    return load(check_type)


def _own(check_type: CheckType) -> Mapping[str, Source]:
    return {f"isa-{check_type.replace('_', '-')}": Source(partial(_classifier, check_type))}


BUILT_IN: Makers = {
    CheckType.TOXICITY: _own(CheckType.TOXICITY),
    CheckType.PII: {"presidio": Source(_presidio)},
    CheckType.PROMPT_INJECTION: _own(CheckType.PROMPT_INJECTION),
    CheckType.NSFW: _own(CheckType.NSFW),
    CheckType.SPAM: _own(CheckType.SPAM),
}
