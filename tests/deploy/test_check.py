"""`./ops test`: what runs, in which order, and when it stops."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence

import pytest

from deploy import check

Calls = list[list[str]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What would have run; mypy finds fault when the environment says so."""
    made: Calls = []

    def python(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        made.append(list(arguments))
        return 1 if "mypy" in arguments and "UNTYPED" in environment else 0

    monkeypatch.setattr(check, "_python", python)
    return made


def test_the_whole_run_lints_and_checks_types_before_it_tests(calls: Calls) -> None:
    assert check.run([]) == 0
    assert [call[1] for call in calls] == ["ruff", "ruff", "mypy", "pytest"]


def test_what_finds_fault_stops_the_run_with_its_exit_code(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNTYPED", "yes")

    assert check.run([]) == 1
    assert [call[1] for call in calls] == ["ruff", "ruff", "mypy"]


def test_with_arguments_only_pytest_runs_with_them(calls: Calls) -> None:
    check.run(["tests/domain", "-x"])

    assert calls == [["-m", "pytest", "tests/domain", "-x"]]


def test_the_extras_are_tested_apart_in_an_environment_of_their_own(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[list[str], str | None]] = []

    def run(command: Sequence[object], *, env: Mapping[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(([str(part) for part in command], env.get("UV_PROJECT_ENVIRONMENT")))
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: "/somewhere/uv")
    assert check.run(["--extras", "-x"]) == 0
    (sync, apart), (pytest_, _) = ran
    assert sync[:4] == ["/somewhere/uv", "sync", "--frozen", "--all-extras"]
    assert apart == str(check.EXTRAS_ENVIRONMENT)
    assert pytest_[1:] == ["-m", "pytest", "tests/extras", "-x"]
    assert not calls
