"""Temporal's servers: where the binaries come from, the flags that matter, and that they serve."""

import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from deploy import paths
from deploy.errors import OpsCliError
from deploy.local import download, temporal, testserver
from deploy.local.temporal import TemporalServer, ensure_binary
from deploy.processes import free_port


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who never ran this before, behind a wall that blocks the SDK's download, with nothing on PATH."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(download, "fetch", lambda *_: None)
    (tmp_path / "bin").mkdir()
    return paths.cache()


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


GO = 'echo "go: downloading example.com/a v1" >&2; echo example.com/a >&2; echo built > "$GOBIN/temporal"'


def test_without_download_and_go_one_sentence_tells_the_ways_out(empty_cache: Path) -> None:
    with pytest.raises(OpsCliError) as refusal:
        ensure_binary(lambda _: None)

    assert "Go" in refusal.value.message
    assert all(way in refusal.value.way_out for way in ("PATH", "https://go.dev/dl", "TEMPORAL_ADDRESS"))


def test_go_builds_it_once_into_the_users_cache_and_tells_how_far_it_is(empty_cache: Path, tmp_path: Path) -> None:
    go = program(tmp_path / "bin" / "go", GO)
    said: list[str] = []

    built = ensure_binary(said.append)
    go.unlink()

    assert built == ensure_binary(said.append) == empty_cache / f"temporal-{temporal.VERSION}"
    assert built.stat().st_mode & stat.S_IXUSR
    assert any("1 modules fetched, 1 packages compiled" in line for line in said)


def test_a_build_that_fails_tells_its_last_word_and_leaves_nothing(empty_cache: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "go", 'echo "no space left on device" >&2; exit 1')

    with pytest.raises(OpsCliError, match="no space left on device"):
        ensure_binary(lambda _: None)
    assert not [path for path in empty_cache.iterdir() if not path.name.endswith(".lock")]


def test_the_sdks_download_is_kept_in_the_cache(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "fetch", lambda _kind, _version, folder: program(folder / "temporal-sdk", "exit 0"))

    assert ensure_binary(lambda _: None) == empty_cache / f"temporal-{temporal.VERSION}"


def test_a_new_enough_temporal_on_path_is_used(empty_cache: Path, tmp_path: Path) -> None:
    found = program(tmp_path / "bin" / "temporal", 'echo "temporal version 1.6.0 (Server 1.30.0, UI 2.42.1)"')

    assert ensure_binary(lambda _: None) == found


def test_a_temporal_on_path_that_ignores_priorities_is_passed_over(empty_cache: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "temporal", 'echo "temporal version 1.0.0 (Server 1.24.2, UI 2.28.0)"')
    program(tmp_path / "bin" / "go", GO)

    assert ensure_binary(lambda _: None).parent == empty_cache


def test_without_java_the_test_server_tells_what_to_install(empty_cache: Path) -> None:
    with pytest.raises(OpsCliError) as refusal:
        testserver.ensure_test_server(lambda _: None)

    assert "Java" in refusal.value.message
    assert "Maven" in refusal.value.way_out


def test_the_command_has_the_flags_that_were_measured_to_matter(tmp_path: Path) -> None:
    server = TemporalServer(Path("temporal"), tmp_path / "t.db", 7001, 7002, tmp_path / "log")

    command = " ".join(server.command())

    for flag in (
        "server start-dev --ip 127.0.0.1 --port 7001",
        "--namespace default --log-level warn --ui-port 7002",
        f"--db-filename {tmp_path / 't.db'}",
        "--sqlite-pragma journal_mode=WAL --sqlite-pragma synchronous=NORMAL",
        "--dynamic-config-value matching.useNewMatcher=true",
        "--dynamic-config-value matching.numTaskqueueReadPartitions=1",
        "--dynamic-config-value matching.numTaskqueueWritePartitions=1",
        *(f"--search-attribute {name}=Keyword" for name in temporal.SEARCH_ATTRIBUTES),
    ):
        assert flag in command


def test_without_a_ui_port_the_server_is_headless(tmp_path: Path) -> None:
    command = TemporalServer(Path("temporal"), None, 7001, None, tmp_path / "log").command()

    assert "--headless" in command
    assert "--db-filename" not in command


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TemporalServer]:
    made = TemporalServer(ensure_binary(print), tmp_path / "t.db", free_port(), free_port(), tmp_path / "log")
    yield made
    made.stop()


async def test_a_started_server_serves_and_knows_our_search_attributes(server: TemporalServer) -> None:
    server.start()

    client = await Client.connect(server.address)
    known = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))

    assert set(known.custom_attributes) == set(temporal.SEARCH_ATTRIBUTES)


def test_a_server_that_cannot_start_points_to_its_log(tmp_path: Path) -> None:
    server = TemporalServer(program(tmp_path / "temporal", "exit 3"), None, free_port(), None, tmp_path / "log")

    with pytest.raises(OpsCliError, match="did not start") as refusal:
        server.start()
    assert str(tmp_path / "log") in refusal.value.way_out


@workflow.defn
class SleepsForDays:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(days=30))
        return "awake"


async def test_the_test_server_skips_time() -> None:
    path = str(testserver.ensure_test_server(print))
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=path) as environment:
        worker = Worker(
            environment.client,
            task_queue="days",
            workflows=[SleepsForDays],
            # this file imports what a workflow never would
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        async with worker:
            told = await environment.client.execute_workflow(SleepsForDays.run, id="days", task_queue="days")
    assert told == "awake"
