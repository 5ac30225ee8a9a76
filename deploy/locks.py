"""Locks that the kernel lets go of when their holder ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def only_one(target: Path) -> Iterator[None]:
    """Two first starts at once make a thing once: the second waits."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def take(path: Path) -> IO[str] | None:
    """The lock as long as the answer stays open; None while somebody else holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("a")
    os.set_inheritable(lock.fileno(), False)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def held(path: Path) -> bool:
    """Whether somebody holds it now."""
    lock = take(path)
    if lock is not None:
        lock.close()
    return lock is None
