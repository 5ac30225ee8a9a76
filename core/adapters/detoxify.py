"""Toxicity by Detoxify's transformers (extra `detoxify`): a checkpoint of your own, or its own download."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import detoxify
import torch

from core.adapters.sequence import SequenceDetector, fingerprint
from core.adapters.transformers import Scored, TorchWindows
from core.contracts.compliance import CheckType

NAME = "detoxify"
MAX_TOKENS = 512


def load(model: str, checkpoint: Path | None, config: Path | None, *, threshold: float) -> SequenceDetector:
    """The detector. With a checkpoint and the folder of its base model's config and tokenizer, nothing is downloaded.

    FileNotFoundError naming the file that is not there.
    """
    for path in (checkpoint, config):
        if path is not None and not path.exists():
            raise FileNotFoundError(f"{path} is not there: OPS_DETOXIFY_CHECKPOINT and OPS_DETOXIFY_CONFIG name both")
    made = detoxify.Detoxify(
        model, checkpoint=checkpoint and str(checkpoint), huggingface_config_path=config and str(config)
    )
    scored = _worst_of(made.class_names, threshold)
    judge = TorchWindows(made.model, made.tokenizer, max_tokens=MAX_TOKENS, scored=scored)
    which = fingerprint(checkpoint) if checkpoint else model
    named = f"{version('detoxify')}+{which}"
    return SequenceDetector(CheckType.TOXICITY, name=NAME, version=named, threshold=threshold, judge=judge)


def _worst_of(classes: list[str], threshold: float) -> Scored:
    """The highest of the classes, each of which the model judges by itself."""

    def scored(logits: Any) -> list[tuple[float, tuple[str, ...]]]:
        rows = torch.sigmoid(logits).tolist()
        return [
            (max(row), tuple(name for name, share in zip(classes, row, strict=False) if share >= threshold))
            for row in rows
        ]

    return scored
