"""Any sequence classifier as an ONNX file with its tokenizer.json (extra `onnx`): no torch, no network."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from core.adapters.sequence import OVERLAP, WINDOWS_AT_ONCE, Judged, SequenceDetector, fingerprint
from core.contracts.compliance import CheckType

NAME = "onnx"
_ERRORS_ONLY = 3


def load(
    check_type: CheckType, model: Path, tokenizer: Path, *, label: int, threshold: float, max_tokens: int
) -> SequenceDetector:
    """The detector. FileNotFoundError naming a file that is not there; ValueError for a label that the model lacks."""
    for file in (model, tokenizer):
        if not file.is_file():
            raise FileNotFoundError(f"{file} is not there: OPS_ONNX_MODEL and OPS_ONNX_TOKENIZER name both files")
    judge = OnnxWindows(_session(model), Tokenizer.from_file(str(tokenizer)), label=label, max_tokens=max_tokens)
    version = f"{onnxruntime.__version__}+{fingerprint(model)}"
    return SequenceDetector(check_type, name=NAME, version=version, threshold=threshold, judge=judge)


def _session(model: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # requests run side by side already
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


class OnnxWindows:
    """Judges windows of at most `max_tokens` tokens; the score is the label's share (softmax), or its own (sigmoid)
    where the model has one output."""

    def __init__(self, session: Any, tokenizer: Tokenizer, *, label: int, max_tokens: int) -> None:
        self._session, self._tokenizer, self._label = session, tokenizer, label
        self._inputs = [one.name for one in session.get_inputs()]
        tokenizer.enable_truncation(max_tokens, stride=max_tokens // OVERLAP)
        tokenizer.enable_padding()
        outputs = self._shares([tokenizer.encode("a word")]).shape[1]
        if not 0 <= label < outputs:
            raise ValueError(f"the model has {outputs} labels: OPS_ONNX_LABEL counts them from 0")

    def __call__(self, texts: Sequence[str]) -> list[Judged]:
        """Every window of every text."""
        windows = [(number, one) for number, text in enumerate(texts) for one in self._windows(text)]
        windows.sort(key=lambda pair: len(pair[1].ids))  # windows of one length need no padding
        return [judged for group in _groups(windows) for judged in self._judged(group)]

    def _windows(self, text: str) -> list[Encoding]:
        first = self._tokenizer.encode(text)
        return [first, *first.overflowing]

    def _judged(self, group: Sequence[tuple[int, Encoding]]) -> Iterator[Judged]:
        scores = self._shares([window for _, window in group])[:, self._label].tolist()
        for (number, window), score in zip(group, scores, strict=True):
            places = [place for place in window.offsets if place[0] < place[1]]
            yield Judged(number, places[0][0] if places else 0, places[-1][1] if places else 0, score)

    def _shares(self, windows: Sequence[Encoding]) -> NDArray[np.float64]:
        """One row a window, one column a label."""
        longest = max(len(window.ids) for window in windows)
        fed: dict[str, Callable[[Encoding], list[int]]] = {
            "input_ids": lambda window: window.ids,
            "attention_mask": lambda window: window.attention_mask,
            "token_type_ids": lambda window: window.type_ids,
        }
        arrays = {name: _padded([fed[name](one) for one in windows], longest) for name in self._inputs if name in fed}
        return _shares(np.asarray(self._session.run(None, arrays)[0], dtype=np.float64))


def _padded(rows: Sequence[list[int]], longest: int) -> NDArray[np.int64]:
    return np.array([row + [0] * (longest - len(row)) for row in rows], dtype=np.int64)


def _shares(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    if logits.shape[1] == 1:  # one output: how much it is the type, and how much not
        yes = 1 / (1 + np.exp(-np.clip(logits, -700, 700)))
        return np.hstack((1 - yes, yes))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def _groups(windows: Sequence[tuple[int, Encoding]]) -> Iterator[Sequence[tuple[int, Encoding]]]:
    return (windows[start : start + WINDOWS_AT_ONCE] for start in range(0, len(windows), WINDOWS_AT_ONCE))
