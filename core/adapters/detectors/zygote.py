"""A process that builds the detectors once and forks the processes that ask them.

Forked processes share the memory of what was built. Each serves one line of jobs, and has the kernel end it when a job
takes too long: a regular expression holds Python's lock, so nothing within the process could.
"""

import gc
import os
import pickle
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core.adapters.detectors.asking import NOT_LOADED, Asked, Choice, ask
from core.adapters.detectors.limits import PATIENCE
from core.adapters.detectors.registry import Makers
from core.ports import Detector

HEAD = struct.Struct("!I")
READY, FORK = b"r", b"f"


@dataclass(frozen=True, slots=True)
class Job:
    """Texts for some detectors, and the seconds of processor time that each may take."""

    choices: list[Choice]
    texts: list[str]
    seconds: float


def frame(value: object) -> bytes:
    """A value as it travels between our own processes."""
    body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return HEAD.pack(len(body)) + body


def receive(line: socket.socket) -> Any:
    """The next value; None when the other end is closed."""
    head = _exactly(line, HEAD.size)
    return pickle.loads(_exactly(line, HEAD.unpack(head)[0])) if head else None


def _exactly(line: socket.socket, size: int) -> bytes:
    read = bytearray()
    while len(read) < size:
        part = line.recv(min(size - len(read), 1 << 20))
        if not part:
            return b""
        read += part
    return bytes(read)


def main() -> None:
    """Serve the process at the other end of standard input until it is gone."""
    control = socket.socket(fileno=0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches whole groups; we end when our line does
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a forked process ended: the kernel may forget it
    detectors = Built(receive(control))
    detectors.build_all()
    gc.collect()
    gc.freeze()  # what is shared stays shared: the collector writes into all it looks at
    control.sendall(READY)
    while True:
        message, lines, _, _ = socket.recv_fds(control, len(FORK), 1)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            serve(socket.socket(fileno=lines[0]), detectors.get)
            os._exit(0)
        os.close(lines[0])


class Built:
    """Detectors by name; None where one could not be built, which the process that asks has told already."""

    def __init__(self, makers: Makers) -> None:
        self._makers = makers
        self._built: dict[Choice, Detector | None] = {}

    def build_all(self) -> None:
        """Everything that forked processes may share."""
        for check_type, named in self._makers.items():
            for name in named:
                self.get(Choice(check_type, name))

    def get(self, choice: Choice) -> Detector | None:
        """The detector, built at its first use."""
        if choice not in self._built:
            try:
                self._built[choice] = self._makers[choice.check_type][choice.name].make()
            except Exception:  # noqa: BLE001 - a missing or damaged file, a library that lacks: others still serve
                self._built[choice] = None
        return self._built[choice]


def serve(line: socket.socket, detector: Callable[[Choice], Detector | None]) -> None:
    """Answer jobs until the line is closed."""
    with suppress(BrokenPipeError):  # closed in the middle of a job: it was cancelled, and nobody waits
        while (job := receive(line)) is not None:
            line.sendall(frame([_asked(job, choice, detector(choice)) for choice in job.choices]))


def _asked(job: Job, choice: Choice, detector: Detector | None) -> Asked:
    if detector is None:
        return Asked(choice.silent(NOT_LOADED, len(job.texts)))
    # Neither signal is caught, and uncaught they end the process.
    signal.setitimer(signal.ITIMER_PROF, job.seconds)
    signal.setitimer(signal.ITIMER_REAL, job.seconds * PATIENCE)
    try:
        return ask(detector, job.texts)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
