"""The script `ops` on a machine where things are missing: a copy of it in a folder with a made-up Python and uv."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.paths import ROOT

PYTHON = """\
#!/bin/sh
# a Python whose virtual environments are made of this very script
case "$1 $2" in
"-c import"*) [ -z "$TOO_OLD" ]; exit ;;
"-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; echo venv >>"$CALLS"; exit "${VENV_EXIT:-0}" ;;
"-m pip") if [ "$3" = install ]; then cp "$BIN/locked-uv" "${0%/*}/uv"; echo "pip install uv" >>"$CALLS"; fi ;;
"-m deploy") shift 2; echo "deploy $* in $PWD home $OPS_HOME" ;;
esac
"""
UV = """\
#!/bin/sh
echo "uv $1 $2" >>"$CALLS"; echo "uv talks"
exit "${UV_EXIT:-0}"
"""


class Machine:
    """A checkout and what is on PATH."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.bin, self.calls = folder / "check out", folder / "bin", folder / "calls"
        (self.checkout / "sdk").mkdir(parents=True)
        self.bin.mkdir()
        for name in ("ops", "uv.lock", "pyproject.toml", "sdk/pyproject.toml"):
            shutil.copy(ROOT / name, self.checkout / name)
        self.program("python3", PYTHON)
        self.program("locked-uv", UV)
        for tool in ("sh", "cat", "cksum", "dirname", "mkdir", "cp", "rm"):
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def ops(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": str(self.bin), "BIN": str(self.bin), "CALLS": str(self.calls), "HOME": "/nonexistent"}
        return subprocess.run(
            [self.checkout / "ops", *arguments], cwd=self.bin, env={**environment, **variables},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    def called(self) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_first_start_sets_up_and_hands_over(machine: Machine) -> None:
    done = machine.ops("status", "--x")

    assert machine.called() == ["venv", "pip install uv", "uv sync --frozen"]
    assert done.stdout == f"deploy status --x in {machine.checkout} home \n"


def test_the_words_of_the_set_up_stay_off_stdout(machine: Machine) -> None:
    done = machine.ops("token")

    assert "uv talks" in done.stderr
    assert done.stdout.startswith("deploy token")


def test_a_second_start_calls_nobody(machine: Machine) -> None:
    machine.ops("up")
    machine.called()

    assert machine.ops("up").returncode == 0
    assert machine.called() == []


@pytest.mark.parametrize("changed", ["uv.lock", "pyproject.toml", "sdk/pyproject.toml"])
def test_changed_dependencies_are_installed(machine: Machine, changed: str) -> None:
    machine.ops("up")
    machine.called()
    with (machine.checkout / changed).open("a") as file:
        file.write("# one more\n")

    machine.ops("up")

    assert machine.called() == ["uv sync --frozen"]


def test_a_broken_off_installation_goes_on_next_time(machine: Machine) -> None:
    broken = machine.ops("up", UV_EXIT="2")
    machine.called()

    assert broken.returncode == 1
    assert "could not be installed" in broken.stderr
    assert machine.ops("up").returncode == 0
    assert machine.called() == ["uv sync --frozen"]


def test_an_environment_without_a_working_python_is_made_anew(machine: Machine) -> None:
    machine.ops("up")
    machine.called()
    (machine.checkout / ".venv" / "bin" / "python").unlink()

    assert machine.ops("up").returncode == 0
    assert machine.called()[0] == "venv"


def test_without_a_new_enough_python_one_sentence_says_so(machine: Machine) -> None:
    done = machine.ops("up", TOO_OLD="yes")

    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "OPS_PYTHON" in done.stderr
    assert machine.called() == []


def test_a_python_without_venv_is_told_what_to_install(machine: Machine) -> None:
    done = machine.ops("up", VENV_EXIT="1")

    assert done.returncode == 1
    assert "python3-venv" in done.stderr
    assert not (machine.checkout / ".venv").exists()


def test_where_python_lacks_venv_and_pip_a_uv_on_path_helps(machine: Machine) -> None:
    machine.program(
        "uv", UV.replace("exit", '[ "$1" = sync ] || { mkdir -p "$4/bin"; cp "$BIN/bare" "$4/bin/python"; }\nexit')
    )
    machine.program("bare", PYTHON.replace('"-m pip")', '"-m pip") exit 1 ;;\n"-m nothing")'))

    assert machine.ops("up", VENV_EXIT="1").returncode == 0
    assert machine.called() == ["venv", "uv venv --python", "uv sync --frozen"]


def test_our_own_uv_reads_the_lock_file_whatever_lies_on_path(machine: Machine) -> None:
    machine.program("uv", "#!/bin/sh\nexit 1\n")

    assert machine.ops("up").returncode == 0
    assert machine.called() == ["venv", "pip install uv", "uv sync --frozen"]


def test_a_relative_ops_home_is_meant_from_where_one_stands(machine: Machine) -> None:
    done = machine.ops("up", OPS_HOME="elsewhere")

    assert done.stdout.endswith(f"home {machine.bin}/elsewhere\n")


@pytest.mark.parametrize(("free_gb", "extras"), [(15, True), (14, False)])
def test_ci_calls_exactly_ops_test_and_the_extras_where_there_is_room(
    machine: Machine, free_gb: int, extras: bool
) -> None:
    machine.program("df", f"#!/bin/sh\necho header\necho disk 1 1 {free_gb * 1048576} 1 /\n")
    (machine.checkout / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", machine.checkout / ".ci" / "run")

    done = subprocess.run(
        ["bash", machine.checkout / ".ci" / "run"], cwd="/", capture_output=True, text=True, check=False,
        env={"PATH": f"{machine.bin}:{os.environ['PATH']}", "BIN": str(machine.bin), "CALLS": str(machine.calls)},
    )  # fmt: skip

    calls = ["test", "test --extras"] if extras else ["test"]
    assert done.stdout == "".join(f"deploy {call} in {machine.checkout} home \n" for call in calls), done.stderr
    assert ("LEFT OUT" in done.stderr) is not extras
