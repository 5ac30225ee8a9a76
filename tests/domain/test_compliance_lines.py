"""Batches as lines: cut the same wherever the stream is cut, bad lines named, memory bounded."""

import json
from codecs import BOM_UTF8
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.compliance import ItemFault
from core.domain.compliance.lines import LineCutter, read_line

LIMIT = 100
DEEP = b'{"content":' + b"[" * 10_000 + b"]" * 10_000 + b"}"


def cut(*pieces: bytes, longest: int = 1000) -> list[bytes]:
    cutter = LineCutter(longest)
    return [line for piece in pieces for line in cutter.feed(piece)] + list(cutter.end())


IN_A_LINE = st.characters(exclude_characters="\n\r\ufeff", exclude_categories=["Cs"])


@given(st.lists(st.text(min_size=1, alphabet=IN_A_LINE)))
def test_lines_come_out_as_they_went_in(lines: list[str]) -> None:
    wanted = [line.encode() for line in lines if line.encode().strip()]
    assert cut("\n".join(lines).encode()) == wanted


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_it_does_not_matter_where_the_stream_is_cut(stream: bytes, places: list[int]) -> None:
    edges = [0, *sorted(places), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert cut(*pieces, longest=40) == cut(stream, longest=40)


@given(st.binary(max_size=60), st.integers(0, 60))
def test_the_mark_at_the_start_of_a_file_belongs_to_no_line(stream: bytes, place: int) -> None:
    marked = BOM_UTF8 + stream
    assert cut(marked[:place], marked[place:], longest=20) == cut(b"\n" + stream, longest=20)


def test_of_an_overlong_line_little_is_kept_and_the_next_is_whole() -> None:
    long = b'{"id": "long", "content": "' + b"x" * 5000 + b'"}'
    found = cut(*(bytes([byte]) for byte in long), b'\n{"content":"short"}\n')
    assert len(found[0]) == 1001
    items = [read_line(line, limit=LIMIT, longest=1000) for line in found]
    assert [(item.item_id, item.fault) for item in items] == [("long", ItemFault.LINE_TOO_LONG), (None, None)]


def test_an_item_is_read() -> None:
    item = read_line(b'{"id": "a", "content": "text", "content_type": "html"}', limit=LIMIT)
    assert (item.item_id, item.content, item.content_type, item.fault) == ("a", "text", "html", None)


@pytest.mark.parametrize(
    ("line", "fault", "item_id"),
    [
        (b'{"id": "a", "content": ""}', ItemFault.EMPTY, "a"),
        (b'{"id": "a", "content": "' + "\u00e9".encode() * 51 + b'"}', ItemFault.TOO_LONG, "a"),
        (b'{"id": "a"}', ItemFault.INVALID, "a"),
        (b'{"id": "a", "content": 7}', ItemFault.INVALID, "a"),
        (b'{"id": "a", "content": "nul \\u0000"}', ItemFault.INVALID, "a"),
        (b'{"id": "a", "content": "x", "content_type": "pdf"}', ItemFault.UNSUPPORTED, "a"),
        (b'{"id": "a", "content": "x", "content_type": 1}', ItemFault.UNSUPPORTED, "a"),
        (b'{"id": 7, "content": "x"}', ItemFault.ID, None),
        (b'{"id": "", "content": "x"}', ItemFault.ID, None),
        (b'{"id": "a", "content": "x", "more": 1}', ItemFault.LINE, "a"),
        (b'{"id": "a", "content": "cut o', ItemFault.LINE, "a"),
        (b'{"id": "a", "content": "\\ud800"}', ItemFault.LINE, "a"),
        (b'{"id": "a\xff", "content": "x"}', ItemFault.LINE, None),
        (b'["id", "a"]', ItemFault.LINE, None),
        (b"null", ItemFault.LINE, None),
        (b"\x00\x01", ItemFault.LINE, None),
        (DEEP, ItemFault.LINE, None),
    ],
)
def test_a_bad_line_says_what_is_wrong_and_whose_it_is(line: bytes, fault: ItemFault, item_id: str | None) -> None:
    found = read_line(line, limit=LIMIT)
    assert (found.fault, found.item_id) == (fault, item_id)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_item_or_a_fault(line: bytes) -> None:
    item = read_line(line, limit=LIMIT)
    assert item.fault is not None or item.content


@given(st.text(min_size=1, max_size=20, alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_a_good_line_gives_back_its_id_and_text(text: str) -> None:
    item = read_line(json.dumps({"id": text, "content": text}).encode(), limit=LIMIT)
    assert (item.item_id, item.content, item.fault) == (text, text, None)
