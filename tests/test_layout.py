"""The house: one word opens every door, files stay small, every module says what lives there."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORDS = {"audit", "notification", "task", "compliance", "event"}
SHARED = "platform"
ROOMS = {
    "api": {"app", "deps", "edge", "errors", "recorder", "unit"},
    "workflows": {"options"},
    "activities": set[str](),
    "workers": {"runtime"},
    "core/contracts": set[str](),
    "core/domain": set[str](),
    "core/tables": set[str](),
    "core/store": set[str](),
}
HAS_SHARED = set(ROOMS) - {"api", "core/domain"}
LONGEST_FILE = 400


def _files() -> list[Path]:
    """Every Python file that belongs to the project, new ones included."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_the_five_words_and_nothing_unnamed(room: str) -> None:
    found = {p.stem for p in (ROOT / room).iterdir() if not p.name.startswith("__")}
    expected = WORDS | ROOMS[room] | ({SHARED} if room in HAS_SHARED else set())
    assert found <= expected, f"{room} has unexpected {sorted(found - expected)}: change the design in an ADR first"
    if room != "core/domain":
        assert found == expected


def test_every_service_has_its_page() -> None:
    assert {p.stem for p in (ROOT / "docs").glob("*.md")} >= WORDS | {"architecture", "runbook"}


def test_files_stay_readable() -> None:
    long = {
        str(p.relative_to(ROOT)): lines
        for p in _files()
        if p.relative_to(ROOT).parts[0] not in ("tests", "bench", "training")
        and (lines := len(p.read_text().splitlines())) > LONGEST_FILE
    }
    assert not long, f"over {LONGEST_FILE} lines, make each a package of the same name: {long}"


def test_every_module_opens_with_what_lives_there() -> None:
    silent = [str(p.relative_to(ROOT)) for p in _files() if p.read_text().strip() and not _docstring(p)]
    assert not silent


def _docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text()))


def test_no_failure_is_swallowed() -> None:
    swallowed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(part, ast.Pass) for part in node.body)
    ]
    assert not swallowed, f"say what happens instead (contextlib.suppress names the one expected case): {swallowed}"
