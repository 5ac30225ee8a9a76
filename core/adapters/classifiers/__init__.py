"""Our own classifiers: small models that judge a text in well under a millisecond, with nothing but numpy."""

from pathlib import Path

from core.adapters.classifiers.detector import THRESHOLD, ClassifierDetector
from core.adapters.classifiers.injection import InjectionDetector, InjectionModel
from core.adapters.classifiers.model import ClassifierModel
from core.adapters.classifiers.weights_file import WeightsError
from core.contracts.compliance import CheckType

WEIGHTS = Path(__file__).parent / "weights"


def load(check_type: CheckType | str, weights: Path = WEIGHTS) -> ClassifierDetector:
    """The detector, from `<type>.bin` in the folder of weights. WeightsError where that cannot be used."""
    check_type = CheckType(check_type)
    detector = InjectionDetector if check_type is CheckType.PROMPT_INJECTION else ClassifierDetector
    return detector(check_type, load_model(check_type, weights / f"{check_type}.bin"))


def load_model(check_type: CheckType | str, path: Path) -> ClassifierModel:
    """The model in a weights file, in the form that its type has. WeightsError where it cannot be used."""
    return (InjectionModel if check_type == CheckType.PROMPT_INJECTION else ClassifierModel).load(path)


__all__ = ["THRESHOLD", "WEIGHTS", "ClassifierDetector", "ClassifierModel", "WeightsError", "load", "load_model"]
