"""Processes by more than their number: a pid is reused, a pid with its start time is not."""

import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Identity:
    """One process, for ever: `created` is its start time in seconds since the epoch."""

    pid: int
    created: float


def identify(pid: int) -> Identity | None:
    """None when no such process runs; one that ended but was never reaped counts as ended."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid=pid, created=process.create_time())
    except psutil.NoSuchProcess:
        return None


def find(identity: Identity) -> psutil.Process | None:
    """The process itself when it still is the one that was written down."""
    now = identify(identity.pid)
    # clock steps move the start time that the kernel reports by a little
    if now is None or abs(now.created - identity.created) > 2:
        return None
    return psutil.Process(identity.pid)


def stop(process: psutil.Process | subprocess.Popen[bytes], *, grace: float = GRACE_SECONDS) -> None:
    """Ask, wait, then insist."""
    try:
        process.terminate()
        process.wait(grace)
    except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
        process.kill()
        process.wait(grace)
    except psutil.NoSuchProcess:
        return


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def port_taken(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return True
    return False


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.05) -> bool:
    """False when the condition did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
