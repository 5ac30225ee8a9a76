"""Prefixed, sortable, unguessable ids: TypeID (typeid spec 0.3) over UUIDv7."""

import os
import time

from typeid import TypeID

MOST_AT_ONCE = 2048
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_RANDOM_LETTERS = bytes(ord(_ALPHABET[byte % 32]) for byte in range(256))
_VERSION_7, _VARIANT = 0x7 << 16, 0b1000


def new_id(prefix: str) -> str:
    """A fresh id such as `evt_01m87p…`: sorts by creation time, 74 random bits."""
    return str(TypeID(prefix=prefix))


def new_ids(prefix: str, count: int) -> list[str]:
    """At most MOST_AT_ONCE ids of one moment, in sorting order: a counter (RFC 9562, 6.2, method 1), 60 random bits."""
    if not 0 <= count <= MOST_AT_ONCE:
        raise ValueError(f"between 0 and {MOST_AT_ONCE} ids at once, not {count}")
    milliseconds = time.time_ns() // 1_000_000
    stamp = f"{prefix}_" + "".join(_PAIRS[milliseconds >> shift & 0x3FF] for shift in range(40, -1, -10))
    letters = os.urandom(12 * count).translate(_RANDOM_LETTERS).decode()
    first = int.from_bytes(os.urandom(2), "big") % MOST_AT_ONCE
    made = []
    for number in range(count):
        head = _VERSION_7 | (first + number) << 4 | _VARIANT
        made.append(f"{stamp}{_PAIRS[head >> 10]}{_PAIRS[head & 0x3FF]}{letters[12 * number : 12 * number + 12]}")
    return made
