"""Processes by more than their number: a pid is reused, a pid with its start time is not."""

import errno
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

GRACE_SECONDS = 15.0
LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class Identity:
    """One process, for ever: `created` is its start time in seconds since the epoch."""

    pid: int
    created: float


class Child:
    """A command with a session of its own, so that Ctrl-C on the terminal reaches only us, and a log file."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        _rotate(self.log)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    launch = start

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def identity(self) -> Identity | None:
        return identify(self._process.pid) if self._process is not None else None

    def exit_code(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    def stop(self, *, grace: float = GRACE_SECONDS) -> None:
        """End the command and whatever it started."""
        if self._process is not None:
            if self.alive():
                self._process.terminate()
            wait_until(lambda: not self.alive(), seconds=grace)
            kill_session(self._process.pid)
            self._process.wait()


def identify(pid: int) -> Identity | None:
    """None when no such process runs; one that ended but was never reaped counts as ended."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid=pid, created=process.create_time())
    except psutil.NoSuchProcess:
        return None


def same(identity: Identity) -> bool:
    """Whether the process that was written down still runs."""
    now = identify(identity.pid)
    # clock steps move the start time that the kernel reports by a little
    return now is not None and abs(now.created - identity.created) < 2


def stop_sessions(leaders: Iterable[Identity], *, grace: float = GRACE_SECONDS) -> list[int]:
    """End the sessions that these processes led, unless their pid belongs to somebody else by now."""
    ours = [leader for leader in leaders if identify(leader.pid) is None or same(leader)]
    members = [process.pid for leader in ours for process in _session(leader.pid)]
    for pid in members:
        _signal(pid, signal.SIGTERM)
    wait_until(lambda: not any(identify(pid) for pid in members), seconds=grace)
    for leader in ours:
        kill_session(leader.pid)
    return members


def kill_session(leader: int) -> None:
    for process in _session(leader):
        _signal(process.pid, signal.SIGKILL)


def _session(leader: int) -> list[psutil.Process]:
    """The kernel gives no pid anew that still names a session, so members are found after their leader's end too."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue  # ended while we looked
    return found


def _signal(pid: int, number: signal.Signals) -> bool:
    """False when there was nobody left to tell."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


_given: set[int] = set()


def free_port() -> int:
    """Nobody listens there now, and this process was not told it before: who asks for several opens them later.

    Below the range from which the kernel gives ports to outgoing connections (Linux: 32768 and up), or one of those
    might take it before its user does.
    """
    candidates = random.sample(range(20_000, 32_000), 100)
    port = next(port for port in candidates if port not in _given and not port_taken(port))
    _given.add(port)
    return port


def port_taken(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def holder(port: int) -> str:
    """Who listens there, as far as this user may know."""
    try:
        listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        pid = next((c.pid for c in listening if c.laddr and c.laddr.port == port and c.pid), None)
        return f"{psutil.Process(pid).name()} (pid {pid})" if pid else "another process"
    except psutil.Error:
        return "another process"


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.05) -> bool:
    """False when the condition did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
