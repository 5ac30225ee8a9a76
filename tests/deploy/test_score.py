"""`./ops compliance score`: figures of the shipped detectors, and trouble in one sentence."""

import gzip
import json
from pathlib import Path

import pytest

from core.contracts.compliance import CheckType, DetectorResult
from deploy import score as command
from deploy.errors import OpsCliError

DOCUMENTS = [
    {
        "full_text": "mail ann@example.com now",
        "spans": [{"entity_type": "EMAIL_ADDRESS", "start_position": 5, "end_position": 20}],
    },
    {"full_text": "Hi Ann", "spans": [{"entity_type": "TITLE", "start_position": 0, "end_position": 2}]},
]


class Loud:
    """Flags what is written in capitals."""

    async def inspect(
        self, texts: list[str], check_types: list[CheckType]
    ) -> list[dict[CheckType, DetectorResult]]:  # fmt: skip
        return [{kind: self.judge(text) for kind in check_types} for text in texts]

    async def aclose(self) -> None:
        """Nothing is open."""

    def judge(self, text: str) -> DetectorResult:
        if text == "Stille Nacht":
            return DetectorResult(available=False, reason="unsupported_language")
        loud = text.isupper()
        return DetectorResult(flagged=loud, score=0.9 if loud else 0.2, detector="loud", threshold=0.5)


@pytest.fixture
def loud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Detectors", Loud)


def rows(path: Path, *lines: object) -> Path:
    path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    return path


def test_each_row_is_scored_in_order(tmp_path: Path, loud: None, capsys: pytest.CaptureFixture[str]) -> None:
    file = rows(tmp_path / "x.jsonl.gz", {"text": "HEY", "label": 1}, {"text": "hey", "label": 0, "more": "is ignored"})
    command.score(file, "toxicity", tmp_path / "out.jsonl")
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert written == [{"label": 1, "score": 0.9, "flagged": True}, {"label": 0, "score": 0.2, "flagged": False}]
    told = capsys.readouterr().out
    wanted = ("AUC", "AP", "F1", "macro-F1", "accuracy", "recall at 1 % false positives", "false positive rate")
    assert all(figure in told for figure in wanted)


def test_a_text_of_another_language_counts_as_not_found(
    tmp_path: Path, loud: None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = rows(tmp_path / "x.jsonl.gz", {"text": "Stille Nacht", "label": 0}, {"text": "HEY", "label": 1})
    command.score(file, "spam", None)
    assert "1 texts are of another language" in capsys.readouterr().out


def test_personal_data_is_measured_by_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "docs.json"
    file.write_text(json.dumps(DOCUMENTS))
    command.score(file, "pii", tmp_path / "out.jsonl")
    assert "email" in capsys.readouterr().out
    written = [json.loads(line)["spans"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [[(span["entity"], span["start"], span["end"]) for span in spans] for spans in written] == [
        [("email", 5, 20)],
        [],
    ]


@pytest.mark.parametrize(
    ("content", "check_type", "sentence"),
    [
        (b'{"text": "a"}\n', "spam", "line 1 is not a labelled text"),
        (b'{"text": "a", "label": "spam"}\n', "spam", "line 1 has a text or a label of another kind"),
        (b"\xff\xfe", "spam", "is not UTF-8 text"),
        (b"", "spam", "holds no texts"),
        (gzip.compress(b"{}" * 99, mtime=0)[:-12], "spam", "is damaged"),
        (b"\x1f\x8b" + b"\x08" * 40, "spam", "is damaged"),
        (b"{}", "pii", "holds no list of documents"),
        (b'[{"text": "a"}]', "pii", "document 0 (from 0) is of another form"),
        (b"not json", "pii", "is not JSON"),
        (b"", "rudeness", "There is no check type 'rudeness'"),
    ],
)
def test_trouble_is_told_in_a_sentence(tmp_path: Path, content: bytes, check_type: str, sentence: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(OpsCliError) as raised:
        command.score(file, check_type, None)
    assert sentence in raised.value.message
    assert raised.value.way_out


def test_a_byte_order_mark_is_no_part_of_the_first_line(
    tmp_path: Path, loud: None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"text": "HEY", "label": 1}\n{"text": "hey", "label": 0}\n')
    command.score(file, "toxicity", None)
    assert "AUC" in capsys.readouterr().out


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OpsCliError, match="cannot be read"):
        command.score(tmp_path / "none.jsonl", "spam", None)


def test_kinds_that_a_file_does_not_mark_cost_it_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spans = [{"entity_type": "IP_ADDRESS", "start_position": 17, "end_position": 28}]
    marked = {"full_text": "ann@example.com, 203.0.113.7", "spans": spans}
    file = tmp_path / "docs.json"
    file.write_text(json.dumps([marked]))
    command.score(file, "pii", None)
    told = capsys.readouterr().out
    assert "does not mark: email 1." in told
    assert "1.0000" in told


def test_places_are_found_where_a_file_tells_only_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "docs.json"
    words = [{"entity": "ann@example.com", "label": "EMAIL"}, {"entity": "Ann", "label": "PERSON"}, {"label": "PHONE"}]
    file.write_text(json.dumps([{"text": "Ann: ann@example.com", "NER": words}]))
    command.score(file, "pii", None)
    told = capsys.readouterr().out
    assert "email" in told
    assert "The file marks persons" in told
