"""The detectors of one process behind one call: chosen by name, bounded in time, each failing alone."""

from core.adapters.detectors.limits import Limit
from core.adapters.detectors.registry import BUILT_IN, Makers, Source, registry
from core.adapters.detectors.runtime import Detectors

__all__ = ["BUILT_IN", "Detectors", "Limit", "Makers", "Source", "registry"]
