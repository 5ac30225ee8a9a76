"""`./ops compliance score`: the shipped detectors against labelled files, printed as figures."""

import asyncio
import gzip
import json
import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from core.adapters.detectors import Detectors
from core.adapters.presidio import persons
from core.contracts.compliance import CheckType, DetectorResult, PiiEntity
from core.domain.compliance.scoring import Quality, SpanCounts, SpanQuality, quality
from deploy.console import err, out
from deploy.errors import OpsCliError

BATCH = 64
LANGUAGE = "unsupported_language"
"""A detector that does not speak a text's language finds nothing in it; any other silence is a fault."""
ROWS_WANTED = 'Each line is a JSON object with "text" and "label" (1: of the type, 0: not); the file may be gzipped.'
DOCUMENTS_WANTED = (
    'A JSON list of documents with "full_text" and "spans" (entity_type, start_position, end_position), '
    "as presidio-research writes them."
)
_OTHER_NAMES = {
    "email_address": "email",
    "phone_number": "phone",
    "us_ssn": "ssn",
    "credit_card_number": "credit_card",
    "street_address": "address",
    "ip": "ip_address",
    "iban_code": "iban",
    "us_passport": "passport",
    "passport_number": "passport",
    "dob": "date_of_birth",
    "api_key": "secret",
    "password": "secret",
    "passport_num": "passport",
}
"""Other people's names for what we find; whatever else a file marks is not judged."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text."""

    text: str
    label: int


@dataclass(frozen=True, slots=True)
class Document:
    """One text and where personal data stands in it."""

    text: str
    spans: list[tuple[str, int, int]]


def quiet() -> None:
    """One line in this process's log for a detector that cannot be loaded, not its traceback."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def score(file: Path, check_type: str, scores: Path | None) -> None:
    """Print the figures; with `scores`, write each row's too."""
    known = _check_type(check_type)
    if known is CheckType.PII:
        _score_pii(file, scores)
    else:
        _score_rows(file, known, scores)


def _check_type(word: str) -> CheckType:
    try:
        return CheckType(word)
    except ValueError:
        raise OpsCliError(f"There is no check type {word!r}.", f"Types: {', '.join(CheckType)}.") from None


def _score_rows(file: Path, check_type: CheckType, scores: Path | None) -> None:
    rows = list(_rows(file))
    found = _judged(check_type, [row.text for row in rows])
    if scores:
        _write(scores, [_scored(row, result) for row, result in zip(rows, found, strict=True)])
    values, flags = [result.score or 0.0 for result in found], [bool(result.flagged) for result in found]
    _print_quality(quality([row.label for row in rows], values, flags), found, file=file, check_type=check_type)


def _scored(row: Row, result: DetectorResult) -> dict[str, object]:
    return {"label": row.label, "score": result.score or 0.0, "flagged": bool(result.flagged)}


def _score_pii(file: Path, scores: Path | None) -> None:
    documents = list(_documents(file))
    found = _judged(CheckType.PII, [document.text for document in documents])
    measured, spans = SpanQuality(), []
    for document, result in zip(documents, found, strict=True):
        places = [(span.entity.value, span.start, span.end) for span in result.spans or []]
        measured.add(document.spans, places)
        spans.append({"spans": [span.model_dump(mode="json") for span in result.spans or []]})
    if scores:
        _write(scores, spans)
    _print_kinds(measured, {kind for document in documents for kind, _, _ in document.spans}, found, file)


# --- what stands in the files ----------------------------------------------------------------------------------------


def _rows(file: Path) -> Iterator[Row]:
    for number, line in enumerate(_text_of(file, ROWS_WANTED).split("\n"), 1):
        if line.strip():
            yield _row(line, f"{file} line {number}")


def _row(line: str, where: str) -> Row:
    try:
        fields = json.loads(line)
        text, label = fields["text"], fields["label"]
    except (ValueError, KeyError, TypeError):
        raise OpsCliError(f"{where} is not a labelled text.", ROWS_WANTED) from None
    if not isinstance(text, str) or label not in (0, 1):
        raise OpsCliError(f"{where} has a text or a label of another kind.", ROWS_WANTED)
    return Row(text, int(label))


def _documents(file: Path) -> Iterator[Document]:
    try:
        items = json.loads(_text_of(file, DOCUMENTS_WANTED))
    except ValueError as error:
        raise OpsCliError(f"{file} is not JSON: {error}", DOCUMENTS_WANTED) from None
    if not isinstance(items, list):
        raise OpsCliError(f"{file} holds no list of documents.", DOCUMENTS_WANTED)
    for number, item in enumerate(items):
        try:
            yield _document(item)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise OpsCliError(f"{file}: document {number} (from 0) is of another form.", DOCUMENTS_WANTED) from None


def _document(item: dict[str, Any]) -> Document:
    if "NER" in item:
        return Document(item["text"], list(_without_offsets(item["text"], item["NER"])))
    spans = [
        (kind, int(span["start_position"]), int(span["end_position"]))
        for span in item["spans"]
        if (kind := _entity(span["entity_type"]))
    ]
    return Document(item["full_text"], spans)


def _without_offsets(text: str, marked: Sequence[dict[str, str]]) -> Iterator[tuple[str, int, int]]:
    """A relative of the format tells words, not places: the first place where they stand after the last one."""
    after: dict[str, int] = {}
    for mark in marked:
        words, kind = mark.get("entity", ""), _entity(mark["label"])
        start = text.find(words, after.get(words, 0))
        if kind and words and start >= 0:
            after[words] = start + len(words)
            yield kind, start, start + len(words)


def _entity(word: str) -> str | None:
    name = _OTHER_NAMES.get(word.lower(), word.lower())
    return name if name in list(PiiEntity) else None


def _text_of(file: Path, wanted: str) -> str:
    try:
        raw = file.read_bytes()
        return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OpsCliError(f"{file} is damaged: {error}.", "Compress it anew, or give it uncompressed.") from None
    except OSError as error:
        raise OpsCliError(f"{file} cannot be read: {error.strerror or error}.", "Check the path.") from None
    except UnicodeDecodeError as error:
        raise OpsCliError(f"{file} is not UTF-8 text: {error}.", wanted) from None


# --- asking --------------------------------------------------------------------------------------------------------


def _judged(check_type: CheckType, texts: Sequence[str]) -> list[DetectorResult]:
    """Every text's result. OpsCliError where there is no detector, or it could not be loaded, or it fails."""
    if not texts:
        raise OpsCliError("The file holds no texts.", "Give a file with at least one.")
    return asyncio.run(_ask(check_type, texts))


async def _ask(check_type: CheckType, texts: Sequence[str]) -> list[DetectorResult]:
    detectors, results = Detectors(), []
    columns = (TextColumn(check_type.value), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("", total=len(texts))
            for batch in _batches(texts):
                for found in await detectors.inspect(batch, [check_type]):
                    results.append(_sound(check_type, found[check_type]))
                bar.advance(task, len(batch))
    finally:
        await detectors.aclose()
    return results


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))


def _sound(check_type: CheckType, result: DetectorResult) -> DetectorResult:
    if result.available or result.reason == LANGUAGE:
        return result
    raise OpsCliError(
        f"The detector for {check_type} gives no judgement: {result.reason}.",
        "The log line above names the fault. `no_detector`: none is built in for this type.",
    )


# --- telling -------------------------------------------------------------------------------------------------------


def _write(path: Path, lines: Sequence[Mapping[str, object]]) -> None:
    try:
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    except OSError as error:
        raise OpsCliError(f"{path} cannot be written: {error.strerror or error}.", "Choose another --out.") from None


def _print_quality(told: Quality, found: Sequence[DetectorResult], *, file: Path, check_type: CheckType) -> None:
    table = Table(
        title=f"{check_type} on {file.name}: {told.rows} rows, {told.positives} positive", title_justify="left"
    )
    table.add_column("figure")
    table.add_column("value", justify="right")
    figures = {
        "AUC": told.auc,
        "AP": told.average_precision,
        "F1": told.f1,
        "macro-F1": told.macro_f1,
        "accuracy": told.accuracy,
        "precision": told.precision,
        "recall": told.recall,
        "recall at 1 % false positives": told.recall_at_1_percent,
        "false positive rate": told.false_positive_rate,
    }
    for name, value in figures.items():
        table.add_row(name, _shown(value))
    out.print(table)
    _print_detector(found)


def _print_kinds(measured: SpanQuality, marked: set[str], found: Sequence[DetectorResult], file: Path) -> None:
    out.print(f"pii on {file.name}: {len(found)} documents", highlight=False, soft_wrap=True)
    table = Table()
    table.add_column("entity", no_wrap=True)
    for heading in ("precision", "recall", "F1", "true", "found"):
        table.add_column(heading, justify="right")
    looked_for = marked if persons.installed() else marked - {PiiEntity.PERSON.value}
    for kind in sorted(measured.kinds):
        if kind in looked_for:
            table.add_row(*_cells(kind, measured.kinds[kind]))
    table.add_section()
    table.add_row(*_cells("all of these", measured.total(looked_for)))
    out.print(table)
    if unmarked := {kind: counts.found for kind, counts in measured.kinds.items() if kind not in marked}:
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(unmarked.items()))
        out.print(f"Found besides, of kinds that the file does not mark: {told}.", highlight=False)
    if looked_for != marked:
        out.print(
            "The file marks persons. They are looked for where a spaCy model is installed; none is.", highlight=False
        )
    _print_detector(found)


def _cells(name: str, counts: SpanCounts) -> tuple[str, ...]:
    shown = (_shown(figure) for figure in (counts.precision, counts.recall, counts.f1))
    return (name, *shown, str(counts.true), str(counts.found))


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _print_detector(found: Sequence[DetectorResult]) -> None:
    first = next((result for result in found if result.available), found[0])
    out.print(f"{first.detector} {first.detector_version}, threshold {first.threshold}", highlight=False)
    if silent := sum(not result.available for result in found):
        out.print(f"{silent} texts are of another language than the detector's: counted as score 0.", highlight=False)
