"""Labelled texts: `train` trains; `dev` tunes and is reported; `evaluate_only` is only ever measured."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TextSet:
    """One file: its texts, their labels (1: of the type), and whatever else each row says."""

    name: str
    texts: list[str]
    labels: Labels
    extras: list[dict[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    def rows(self, which: NDArray[Any]) -> "TextSet":
        """The chosen rows: numbers, or a mask."""
        numbers = np.arange(len(self))[which]
        extras = [self.extras[number] for number in numbers] if self.extras else []
        return TextSet(self.name, [self.texts[number] for number in numbers], self.labels[numbers], extras)


def train_sets(data: Path, check_type: str) -> dict[str, TextSet]:
    """What may train, by name."""
    return _sets(data / check_type / "train")


def dev_sets(data: Path, check_type: str) -> dict[str, TextSet]:
    """What tunes and is reported, by name."""
    return _sets(data / check_type / "dev")


def unseen_sets(data: Path, check_type: str) -> dict[str, TextSet]:
    """What must not train or tune: it tells how well a model does elsewhere."""
    return _sets(data / "evaluate_only" / check_type)


def read_set(path: Path) -> TextSet:
    """One file of JSON lines, plain or gzipped, with `text`, `label` and more."""
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().split("\n")
    found = [json.loads(line) for line in lines if line.strip()]
    extras = [{key: value for key, value in row.items() if key not in ("text", "label")} for row in found]
    labels = np.array([int(row["label"]) for row in found], dtype=np.int64)
    return TextSet(path.name.partition(".")[0], [row["text"] for row in found], labels, extras)


def lexicon(data: Path, name: str) -> list[dict[str, str]]:
    """A word list's rows; a plain list has only `text`."""
    path = data / "lexicons" / name
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    return [{"text": line.strip()} for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def sample(found: TextSet, most: int, seed: int) -> TextSet:
    """At most so many rows, drawn with this seed, in the order of the file."""
    if len(found) <= most:
        return found
    return found.rows(np.sort(np.random.default_rng(seed).choice(len(found), most, replace=False)))


def merged(name: str, sets: list[TextSet]) -> TextSet:
    """Several sets as one, in this order."""
    return TextSet(
        name,
        [text for one in sets for text in one.texts],
        np.concatenate([one.labels for one in sets]) if sets else np.empty(0, dtype=np.int64),
    )


def _sets(folder: Path) -> dict[str, TextSet]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder of labelled texts; --data names the folder that holds them")
    return {one.name: one for one in _read_all(folder)}


def _read_all(folder: Path) -> Iterator[TextSet]:
    for path in sorted(folder.glob("*.jsonl*")):
        yield read_set(path)
