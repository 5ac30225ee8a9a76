"""A stack of stand-ins: real Postgres, Temporal and mailbox; a front door and a worker that only say they are well."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy import locks, record
from deploy.check import clean
from deploy.config import DEFAULTS
from deploy.paths import ROOT, State
from deploy.processes import free_port, same, wait_until

FRONT_DOORS = '''\
"""Answers /health/ready on the five ports."""
import http.server, json, os, threading

class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"status": "ok", "parts": {"postgres": "ok", "temporal": "ok", "worker": "ok"}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return

servers = [
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ[f"OPS_{name}_PORT"])), Door)
    for name in ("AUDIT", "NOTIFICATION", "TASK", "COMPLIANCE", "EVENT")
]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
servers[0].serve_forever()
'''
WORKERS = '"""Waits."""\nimport signal\nprint("worker at work", flush=True)\nsignal.pause()\n'
MIGRATIONS = '"""Has nothing to do."""\nimport os\nprint("migrated", os.environ["DATABASE_URL"])\n'


class StandIn:
    """`./ops …` in a folder of its own, with state and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = State(folder / "state")
        ports = {name: str(free_port()) for name, value in DEFAULTS.items() if name.endswith("_PORT") and value != "0"}
        self.environment = {
            **clean(os.environ),
            **ports,
            "OPS_SMTP_PORT": str(free_port()),
            "OPS_HOME": str(self.state.home),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
        }
        for module, text in {"api": FRONT_DOORS, "workers": WORKERS, "core/migrations": MIGRATIONS}.items():
            self.module(module, text)

    def module(self, name: str, text: str) -> None:
        path = self.folder / name / "__main__.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        # packages of their own, or Python would look further for the real ones
        for package in (path.parent, self.folder / name.partition("/")[0]):
            (package / "__init__.py").touch()
        path.write_text(text)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(*arguments), cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command to its end; none may show a traceback."""
        done = subprocess.run(
            self._command(*arguments), cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=90, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def up(self) -> record.Running:
        done = self.run("up", "--detach")
        assert done.returncode == 0, done.stderr
        return self.running()

    def running(self) -> record.Running:
        found = record.read(self.state.run)
        assert found is not None
        return found

    def is_up(self) -> bool:
        found = record.read(self.state.run)
        return found is not None and found.ready

    def stopped(self, parts: record.Running) -> bool:
        return not any(same(identity) for identity in [parts.supervisor, *parts.parts.values()])

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "deploy", *arguments]


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    stack = StandIn(tmp_path)
    yield stack
    stack.run("down")
    assert not locks.held(stack.state.lock)


def soon(condition: Callable[[], bool], seconds: float = 20) -> bool:
    return wait_until(condition, seconds=seconds)


def plain(text: str) -> str:
    """Without colours and line breaks."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", text).split())
