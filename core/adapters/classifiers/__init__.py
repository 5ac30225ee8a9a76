"""Our own classifiers: small models that judge a text in well under a millisecond, with nothing but numpy."""

from pathlib import Path

from core.adapters.classifiers.detector import THRESHOLD, ClassifierDetector
from core.adapters.classifiers.model import ClassifierModel
from core.adapters.classifiers.weights_file import WeightsError
from core.contracts.compliance import CheckType

WEIGHTS = Path(__file__).parent / "weights"


def load(check_type: CheckType | str, weights: Path = WEIGHTS) -> ClassifierDetector:
    """The detector, from `<type>.bin` in the folder of weights. WeightsError where that cannot be used."""
    check_type = CheckType(check_type)
    return ClassifierDetector(check_type, ClassifierModel.load(weights / f"{check_type}.bin"))


__all__ = ["THRESHOLD", "WEIGHTS", "ClassifierDetector", "ClassifierModel", "WeightsError", "load"]
