"""Any Hugging Face sequence classifier in a local folder (extra `transformers`): nothing is downloaded."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from core.adapters.sequence import OVERLAP, WINDOWS_AT_ONCE, Judged, SequenceDetector, fingerprint
from core.contracts.compliance import CheckType

NAME = "transformers"
Scored = Callable[[Any], list[tuple[float, tuple[str, ...]]]]
"""From a batch's logits to each window's score and the words for it."""


def load(check_type: CheckType, folder: Path, *, label: int, threshold: float, max_tokens: int) -> SequenceDetector:
    """The detector. FileNotFoundError where there is no such folder; ValueError for a label that the model lacks."""
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder} holds no config.json: OPS_TRANSFORMERS_MODEL names a model's folder")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    outputs = int(model.config.num_labels)
    if not 0 <= label < max(2, outputs):
        raise ValueError(f"{folder} has {outputs} labels: OPS_TRANSFORMERS_LABEL counts them from 0")
    judge = TorchWindows(model, tokenizer, max_tokens=max_tokens, scored=_share_of(label))
    version = f"{transformers.__version__}+{fingerprint(folder)}"
    return SequenceDetector(check_type, name=NAME, version=version, threshold=threshold, judge=judge)


def _share_of(label: int) -> Scored:
    def scored(logits: Any) -> list[tuple[float, tuple[str, ...]]]:
        if logits.shape[1] == 1:  # one output: how much it is the type, and how much not
            yes = torch.sigmoid(logits)
            shares = torch.cat((1 - yes, yes), dim=1)
        else:
            shares = torch.softmax(logits, dim=1)
        return [(float(share), ()) for share in shares[:, label]]

    return scored


class TorchWindows:
    """Judges windows of at most `max_tokens` tokens, or as many as the model takes."""

    def __init__(self, model: Any, tokenizer: Any, *, max_tokens: int, scored: Scored) -> None:
        self._model, self._tokenizer, self._scored = model.eval(), tokenizer, scored
        takes = int(getattr(model.config, "max_position_embeddings", None) or max_tokens)
        self._max_tokens = min(max_tokens, takes)

    def __call__(self, texts: Sequence[str]) -> list[Judged]:
        """Every window of every text."""
        if not texts:
            return []
        read = self._tokenizer(
            list(texts),
            truncation=True,
            max_length=self._max_tokens,
            stride=self._max_tokens // OVERLAP,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        owners, offsets = read.pop("overflow_to_sample_mapping"), read.pop("offset_mapping")
        order = sorted(range(len(owners)), key=lambda row: len(read["input_ids"][row]))
        starts = range(0, len(order), WINDOWS_AT_ONCE)
        return [
            judged
            for start in starts
            for judged in self._judged(read, owners, offsets, order[start : start + WINDOWS_AT_ONCE])
        ]

    def _judged(self, read: Any, owners: Any, offsets: Any, rows: Sequence[int]) -> Iterator[Judged]:
        fed = self._tokenizer.pad({name: [read[name][row] for row in rows] for name in read}, return_tensors="pt")
        with torch.inference_mode():
            scores = self._scored(self._model(**fed).logits)
        for row, (score, reasons) in zip(rows, scores, strict=True):
            places = [place for place in offsets[row] if place[0] < place[1]]
            yield Judged(owners[row], places[0][0] if places else 0, places[-1][1] if places else 0, score, reasons)
