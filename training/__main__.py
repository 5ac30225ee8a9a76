"""`python -m training [type…] --data DIR [--out DIR] [--measure]`: make the shipped weights, and measure them."""

import argparse
import importlib
import os
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from core.adapters.classifiers import WEIGHTS, ClassifierModel, load_model
from training.baseline import baseline_score, train_baseline
from training.data import TextSet, dev_sets, train_sets, unseen_sets
from training.evaluate import measured, table

TYPES = ("toxicity", "prompt_injection", "nsfw", "spam")


def main() -> None:
    """Train each type asked for (all where none is), or only measure what ships."""
    asked = _arguments()
    data = Path(asked.data or os.environ["OPS_TRAINING_DATA"])
    if not asked.measure:
        asked.out.mkdir(parents=True, exist_ok=True)  # before minutes of work, not after
    for check_type in asked.types or TYPES:
        path = asked.out / f"{check_type}.bin"
        act = measure if asked.measure else make
        act(check_type, data, path)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("types", nargs="*", choices=[*TYPES, []], help="all four when left out")
    parser.add_argument("--data", help="the folder of labelled texts (or OPS_TRAINING_DATA)")
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS, help="where <type>.bin goes; the shipped folder by default"
    )
    parser.add_argument("--measure", action="store_true", help="train nothing: print figures beside the baseline's")
    asked = parser.parse_args()
    if not asked.data and "OPS_TRAINING_DATA" not in os.environ:
        parser.error("say where the labelled texts are: --data DIR, or OPS_TRAINING_DATA")
    return asked


def make(check_type: str, data: Path, path: Path) -> None:
    """One thread, so that sums are added in one order and the same bytes come out every time."""
    # Each type's own module, and only that: the others may need more memory than there is to spare.
    trainer = importlib.import_module(f"training.{check_type}")
    with threadpool_limits(1):
        model: ClassifierModel = trainer.train(data)
    model.save(path)
    made = load_model(check_type, path)
    print(f"{path}: {path.stat().st_size:,} bytes, sha256 {made.digest}")


def measure(check_type: str, data: Path, path: Path) -> None:
    """Print the figures of a weights file, and of the baseline, on the dev sets and the unseen ones."""
    model, baseline = load_model(check_type, path), train_baseline(train_sets(data, check_type))
    for kind, sets in (("dev", dev_sets(data, check_type)), ("unseen", _unseen(data, check_type))):
        print(f"\n{check_type}, {kind}: shipped\n{table(measured(model.score, sets))}")
        print(f"\n{check_type}, {kind}: baseline\n{table(measured(partial(baseline_score, baseline), sets))}")


def _unseen(data: Path, check_type: str) -> dict[str, TextSet]:
    return unseen_sets(data, check_type) if (data / "evaluate_only" / check_type).is_dir() else {}


if __name__ == "__main__":
    main()
