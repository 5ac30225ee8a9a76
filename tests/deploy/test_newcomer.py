"""The whole stack as a newcomer starts it: real front doors, real workers, and the demo against them."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.check import clean
from deploy.config import DEFAULTS
from deploy.paths import ROOT
from deploy.processes import free_port
from tests.deploy.conftest import plain

CHAPTERS = (
    "An audit trail",
    "A template and a send",
    "A task with progress",
    "Checks that a person decides where a rule cannot",
    "Published events reach a webhook",
    "A replay",
)


class Newcomer:
    """Calls `./ops …` with state and ports of their own."""

    def __init__(self, home: Path) -> None:
        ports = {name: str(free_port()) for name, value in DEFAULTS.items() if name.endswith("_PORT") and value != "0"}
        own = {"OPS_HOME": str(home), "OPS_SMTP_PORT": str(free_port()), "COLUMNS": "200"}
        self.environment = {**clean(os.environ), **ports, **own}

    def ops(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "deploy", *arguments], cwd=ROOT, env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Newcomer]:
    with tempfile.TemporaryDirectory(prefix="ops-newcomer-") as home:
        someone = Newcomer(Path(home))
        up = someone.ops("up", "--detach")
        try:
            assert up.returncode == 0, up.stderr
            yield someone
        finally:
            someone.ops("down")


@pytest.fixture(scope="module")
def story(newcomer: Newcomer) -> str:
    told = newcomer.ops("demo")
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def test_status_finds_every_service_ready(newcomer: Newcomer) -> None:
    done = newcomer.ops("status")

    assert done.returncode == 0, done.stdout
    assert done.stdout.count("ready") == 5


def test_doctor_finds_nothing_wrong(newcomer: Newcomer) -> None:
    done = newcomer.ops("doctor")

    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout


def test_the_demo_tells_every_chapter(story: str) -> None:
    told = plain(story)

    positions = [told.index(chapter) for chapter in CHAPTERS]
    assert positions == sorted(positions)
    for outcome in (
        "Write to [EMAIL] or call [PHONE].",
        "completed: {'made_of': 'file_123'}",
        "3 deliveries came in, each signed",
        "completed, 3 events",
        "sms: failed (channel_not_configured)",
    ):
        assert outcome in told


def test_the_demo_links_each_workflow_into_temporals_ui(story: str, newcomer: Newcomer) -> None:
    ui = f"http://localhost:{newcomer.environment['OPS_TEMPORAL_UI_PORT']}/namespaces/default/workflows"

    kinds = set(re.findall(rf"{ui}/(\w+\.\w+)%3A", story))

    assert kinds == {"audit.report", "notification.send", "task.run", "compliance.review", "event.replay"}


def test_the_demos_mail_can_be_read(story: str, newcomer: Newcomer) -> None:
    assert "Subject: Welcome, Ada!" in newcomer.ops("mail", "1").stdout
