"""Log files: the last lines, and what comes after them."""

import os
import time
from collections import deque
from io import TextIOWrapper
from pathlib import Path

from deploy.console import out
from deploy.errors import OpsCliError
from deploy.paths import State

FOLLOW_SECONDS = 0.3


def show(state: State, name: str | None, *, lines: int, follow: bool) -> None:
    files = {one: path for one, path in known(state).items() if name in (None, one)}
    if not files:
        there = ", ".join(known(state)) or "none yet; `./ops up` makes them"
        raise OpsCliError(f"There is no log{f' called {name}' if name else ''}.", f"There are: {there}.")
    prefix = max(map(len, files)) if len(files) > 1 else 0
    opened = {one: path.open(errors="replace") for one, path in files.items()}
    for one, file in opened.items():
        for line in deque(file, maxlen=lines):
            _print(one, line, prefix)
    while follow:
        _more(opened, files, prefix)
        time.sleep(FOLLOW_SECONDS)


def known(state: State) -> dict[str, Path]:
    found = {path.stem: path for path in sorted(state.logs.glob("*.log"))}
    postgres = state.log("postgres")
    return {**found, "postgres": postgres} if postgres.exists() else found


def _more(opened: dict[str, TextIOWrapper], files: dict[str, Path], prefix: int) -> None:
    for one, file in opened.items():
        for line in file:
            _print(one, line, prefix)
        if files[one].exists() and files[one].stat().st_ino != os.fstat(file.fileno()).st_ino:
            opened[one] = files[one].open(errors="replace")


def _print(name: str, line: str, prefix: int) -> None:
    start = f"{name:<{prefix}} │ " if prefix else ""
    out.print(f"{start}{line.rstrip()}", markup=False, highlight=False, soft_wrap=True)
