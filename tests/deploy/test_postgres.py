"""The embedded Postgres: first start, broken-off start, crash, and stopping only its own."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.errors import OpsCliError
from deploy.local.postgres import EmbeddedPostgres
from tests.deploy.conftest import soon

Make = Callable[[str], EmbeddedPostgres]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[EmbeddedPostgres] = []

    def one(name: str) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(tmp_path / name))
        return made[-1]

    yield one
    for server in made:
        server.stop()


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def test_what_is_committed_survives_a_restart(make: Make) -> None:
    server = make("data")
    with psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()

    assert ask(server.start(), "SELECT n FROM kept") == 7


def test_a_commit_is_on_disk_before_it_is_answered(make: Make) -> None:
    assert ask(make("data").start(), "SHOW synchronous_commit") == "on"


def test_starting_twice_adopts_the_running_server(make: Make) -> None:
    first, second = make("data"), make("data")
    assert first.start() == second.start()
    assert first.pid() == second.pid()


def test_a_broken_off_creation_is_done_over(make: Make, tmp_path: Path) -> None:
    half = tmp_path / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")

    assert ask(make("data").start(), "SELECT 1") == 1
    assert not half.exists()


def test_a_killed_server_is_recovered(make: Make) -> None:
    server = make("data")
    server.start()
    os.kill(server.pid() or 0, signal.SIGKILL)
    assert soon(lambda: not server.running())

    assert ask(server.start(), "SELECT 1") == 1


def test_a_pid_file_that_names_somebody_else_is_no_obstacle(make: Make) -> None:
    server = make("data")
    server.start()
    lines = (server.data_dir / "postmaster.pid").read_text().splitlines()
    server.stop()
    (server.data_dir / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]))

    assert not server.running()
    assert ask(server.start(), "SELECT 1") == 1


def test_stop_leaves_another_directorys_server_alone(make: Make) -> None:
    ours, theirs = make("ours"), make("theirs")
    ours.start()
    url = theirs.start()

    ours.stop()

    assert not ours.running()
    assert ask(url, "SELECT 1") == 1


def test_a_folder_with_something_else_in_it_is_refused_untouched(make: Make, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("mine")

    with pytest.raises(OpsCliError, match="no Postgres data"):
        make("data").start()
    assert (tmp_path / "data" / "thesis.txt").read_text() == "mine"


def test_data_of_another_version_is_told_in_the_servers_words(make: Make) -> None:
    server = make("data")
    server.start()
    server.stop()
    (server.data_dir / "PG_VERSION").write_text("15\n")

    with pytest.raises(OpsCliError, match="Postgres did not start: database files are incompatible with server"):
        server.start()
