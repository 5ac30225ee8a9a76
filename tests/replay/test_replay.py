"""Workflows that run today must go on under tomorrow's code: recorded histories replay, a broken one is noticed."""

import importlib
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from core.settings import SERVICES
from core.temporal import DATA_CONVERTER, sandbox

HERE = Path(__file__).parent
HISTORIES = sorted((HERE / "histories").glob("*.json"))
KNOWN_BAD = HERE / "known_bad" / "task.run.json"


def workflows() -> list[type]:
    """Every workflow class of the five services and the platform."""
    modules = [importlib.import_module(f"workflows.{name}") for name in ("platform", *SERVICES)]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and hasattr(value, "__temporal_workflow_definition")
    }
    return sorted(found, key=lambda kind: kind.__name__)


def _replayer() -> Replayer:
    return Replayer(workflows=workflows(), workflow_runner=sandbox(), data_converter=DATA_CONVERTER)


def _history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


@pytest.mark.parametrize("path", HISTORIES, ids=[path.stem for path in HISTORIES])
async def test_a_recorded_history_replays(path: Path) -> None:
    await _replayer().replay_workflow(_history(path))


def test_every_workflow_has_a_recorded_history() -> None:
    recorded = {path.stem.partition("@")[0] for path in HISTORIES}
    names = {getattr(kind, "__temporal_workflow_definition").name for kind in workflows()}
    assert names <= recorded, f"record them with `python -m tests.replay.record`: {sorted(names - recorded)}"


async def test_a_history_of_other_commands_is_refused() -> None:
    with pytest.raises(NondeterminismError):
        await _replayer().replay_workflow(_history(KNOWN_BAD))
