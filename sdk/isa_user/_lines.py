"""Items as lines of JSON, for uploads too large for one body."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import to_json

IN_MEMORY, PIECE = 8 * 1024 * 1024, 256 * 1024
MEDIA_TYPE = "application/x-ndjson"


class Lines:
    """The lines wait in a temporary file (small ones in memory), so that every try sends all of them."""

    def __init__(self, items: Iterable[Mapping[str, Any]]) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - it lives as long as the call's tries
        for item in items:
            self._file.write(to_json(item) + b"\n")

    def pieces(self) -> Iterator[bytes]:
        """All lines from the first, in pieces as a connection takes them."""
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece
