"""The weights file: one header, named arrays, a checksum. Equal contents make equal bytes."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
Header = dict[str, Any]

MAGIC = b"ISA-CLASSIFIER\x00"
FORMAT = 1
_DIGEST = hashlib.sha256().digest_size
_LEVEL = 9


class WeightsError(Exception):
    """A weights file that cannot be used: which one, what is wrong with it, and what to do."""

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"{path}: {fault}; restore the file from the repository, or make it with python -m training")


def pack(header: Header, arrays: Arrays) -> bytes:
    """The file's bytes."""
    index = [{"name": name, "dtype": array.dtype.str, "shape": array.shape} for name, array in arrays.items()]
    head = json.dumps({"header": header, "arrays": index}, sort_keys=True, separators=(",", ":")).encode()
    raw = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    body = MAGIC + bytes([FORMAT]) + len(head).to_bytes(4, "little") + head + zlib.compress(raw, _LEVEL)
    return body + hashlib.sha256(body).digest()


def unpack(path: Path) -> tuple[Header, dict[str, NDArray[Any]], str]:
    """Header, arrays and checksum. WeightsError where the file is missing, damaged or of another format."""
    body, digest = _checked(path)
    start = len(MAGIC) + 5
    head_end = start + int.from_bytes(body[start - 4 : start], "little")
    head = json.loads(body[start:head_end])
    return head["header"], _arrays(head["arrays"], zlib.decompress(body[head_end:])), digest


def _checked(path: Path) -> tuple[bytes, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(path, f"cannot be read ({error.strerror})") from error
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    if not content.startswith(MAGIC):
        raise WeightsError(path, "is not a classifier's weights file")
    if hashlib.sha256(body).digest() != digest:
        raise WeightsError(path, "is damaged (its checksum does not match)")
    if body[len(MAGIC)] != FORMAT:
        raise WeightsError(path, f"has format {body[len(MAGIC)]}, and this version reads {FORMAT}")
    return body, digest.hex()


def _arrays(index: list[dict[str, Any]], raw: bytes) -> dict[str, NDArray[Any]]:
    arrays, offset = {}, 0
    for one in index:
        dtype, shape = np.dtype(one["dtype"]), tuple(one["shape"])
        count = int(np.prod(shape, dtype=np.int64))
        arrays[one["name"]] = np.frombuffer(raw, dtype=dtype, count=count, offset=offset).reshape(shape)
        offset += count * dtype.itemsize
    return arrays
