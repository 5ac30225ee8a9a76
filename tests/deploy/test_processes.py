"""Processes by more than their number."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.processes import Child, Identity, free_port, identify, same, stop_sessions
from tests.deploy.conftest import soon

WITH_A_CHILD = "import subprocess, sys; p = subprocess.Popen(['sleep', '300']); print(p.pid, flush=True); p.wait()"


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple[Child, Identity]]:
    """A process that started another, and that other's identity."""
    parent = Child("parent", [sys.executable, "-c", WITH_A_CHILD], os.environ, tmp_path / "log")
    parent.start()
    assert soon(lambda: (tmp_path / "log").read_text().endswith("\n"))
    child = identify(int((tmp_path / "log").read_text()))
    assert child is not None
    yield parent, child
    parent.stop()


def test_stopping_a_process_stops_what_it_started(family: tuple[Child, Identity]) -> None:
    parent, child = family

    parent.stop()

    assert not parent.alive()
    assert soon(lambda: not same(child))


def test_a_session_is_found_after_its_leader_was_killed(family: tuple[Child, Identity]) -> None:
    parent, child = family
    leader = parent.identity()
    assert leader is not None
    os.kill(leader.pid, signal.SIGKILL)
    assert soon(lambda: not parent.alive())

    assert stop_sessions([leader]) == [child.pid]
    assert soon(lambda: not same(child))


def test_a_process_that_ignores_the_request_is_ended_after_its_grace(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    child = Child("deaf", [sys.executable, "-c", stubborn], os.environ, tmp_path / "log")
    child.start()
    assert soon(lambda: "deaf" in (tmp_path / "log").read_text())

    child.stop(grace=0.2)

    assert child.exit_code() == -signal.SIGKILL


def test_a_reused_pid_is_not_the_process_that_was_written_down() -> None:
    me = Identity(pid=os.getpid(), created=psutil.Process().create_time())

    assert same(me)
    assert not same(Identity(pid=me.pid, created=me.created - 100))


def test_an_ended_process_that_nobody_reaped_counts_as_ended() -> None:
    process = subprocess.Popen(["true"])

    assert soon(lambda: identify(process.pid) is None)
    process.wait()


def test_no_port_is_told_twice() -> None:
    assert len({free_port() for _ in range(500)}) == 500
