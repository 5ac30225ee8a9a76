"""A batch as lines of JSON: cut out of a stream in bounded memory, read one by one; a bad line is an item at fault."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from core.contracts.compliance import MAX_LINE_BYTES, ItemFault, NewItem, item_fault

MAX_ID = 200
_FIELDS = {"id", "content", "content_type"}
_ID = re.compile(rb'"id"\s{0,9}:\s{0,9}("(?:[^"\\]|\\.){1,200}")')
_LOOKS_FOR_ID = 4096


class LineCutter:
    """Cuts a stream of bytes into lines. Of an overlong line just enough is kept to tell that it is one. The mark that
    some editors begin a file with (BOM) belongs to no line."""

    def __init__(self, longest: int = MAX_LINE_BYTES) -> None:
        self._longest, self._rest, self._mark = longest, bytearray(), BOM_UTF8

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The lines that this piece completes; blank ones are left out."""
        *ends, rest = piece.split(b"\n")
        for end in ends:
            self._add(end)
            yield from self.end()
        self._add(rest)

    def end(self) -> Iterator[bytes]:
        """The last line, which needs no line break."""
        line = bytes(self._rest).removeprefix(self._mark)[: self._longest + 1]
        self._rest, self._mark = bytearray(), b""
        if line.strip() or len(line) > self._longest:
            yield line

    def _add(self, part: bytes) -> None:
        room = len(self._mark) + self._longest + 1 - len(self._rest)
        self._rest += part[:room]


def read_line(line: bytes, *, limit: int, longest: int = MAX_LINE_BYTES) -> NewItem:
    """The item that a line holds; one at fault keeps the caller's id as far as that can be read.

    `limit`: the longest text, `longest`: the longest line, in bytes.
    """
    if len(line) > longest:
        return NewItem(_glimpsed_id(line), None, fault=ItemFault.LINE_TOO_LONG)
    try:
        value = from_json(line, allow_inf_nan=False)
    except ValueError:
        return NewItem(_glimpsed_id(line), None, fault=ItemFault.LINE)
    if not isinstance(value, dict) or not value.keys() <= _FIELDS:
        return NewItem(_id_in(value), None, fault=ItemFault.LINE)
    return _read(value, limit)


def _read(value: dict[str, Any], limit: int) -> NewItem:
    item_id, content, content_type = _id_in(value), value.get("content"), value.get("content_type")
    if item_id is None and value.get("id") is not None:
        return NewItem(None, None, fault=ItemFault.ID)
    if not isinstance(content, str) or "\x00" in content:
        return NewItem(item_id, None, fault=ItemFault.INVALID)
    if content_type is not None and not isinstance(content_type, str):
        return NewItem(item_id, None, fault=ItemFault.UNSUPPORTED)
    fault = item_fault(content, content_type, limit=limit)
    return NewItem(item_id, content, None if fault is ItemFault.UNSUPPORTED else content_type, fault)


def _id_in(value: Any) -> str | None:
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) and 0 < len(found) <= MAX_ID and "\x00" not in found else None


def _glimpsed_id(line: bytes) -> str | None:
    """The id in the beginning of a line that is no JSON."""
    match = _ID.search(line[:_LOOKS_FOR_ID])
    if match is None:
        return None
    try:
        return _id_in({"id": from_json(match[1])})
    except ValueError:
        return None
