"""`up` and `down`: what they start, what they leave alone, and what they say when something is in the way."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from deploy import record
from deploy.processes import Identity, identify, same
from tests.deploy.conftest import StandIn, plain, soon


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of our business."""
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_up_prints_one_table_and_a_token(stand_in: StandIn) -> None:
    done = stand_in.run("up", "--detach")

    assert done.returncode == 0, done.stderr
    for variable in ("AUDIT", "NOTIFICATION", "TASK", "COMPLIANCE", "EVENT", "TEMPORAL_UI"):
        assert f"http://localhost:{stand_in.environment[f'OPS_{variable}_PORT']}" in done.stdout
    assert done.stdout.count("┏") == 1
    assert any(line.startswith("eyJ") and line.count(".") == 2 for line in done.stdout.splitlines())
    assert "./ops demo" in done.stdout


def test_a_second_up_says_it_is_up_already(stand_in: StandIn) -> None:
    first = stand_in.up()

    again = stand_in.run("up")

    assert again.returncode == 0
    assert "already up" in again.stderr
    assert stand_in.environment["OPS_AUDIT_PORT"] in again.stdout
    assert stand_in.running() == first


def test_down_stops_all_of_ours_and_nothing_else(stand_in: StandIn, stranger: subprocess.Popen[bytes]) -> None:
    ours = stand_in.up()
    assert set(ours.parts) == {"temporal", "postgres", "mailbox", "api", "workers"}

    done = stand_in.run("down")

    assert "Stopped" in done.stderr
    assert stand_in.stopped(ours)
    assert stranger.poll() is None
    assert not stand_in.state.run.exists()


def test_down_with_nothing_running_says_so(stand_in: StandIn) -> None:
    assert "Nothing of this checkout is running" in stand_in.run("down").stderr


def test_ctrl_c_stops_everything(stand_in: StandIn) -> None:
    before_ones_eyes = stand_in.start("up")
    reached = soon(stand_in.is_up)
    assert reached or before_ones_eyes.poll() is None, before_ones_eyes.communicate()
    assert reached, stand_in.state.log("supervisor").read_text()
    ours = stand_in.running()

    before_ones_eyes.send_signal(signal.SIGINT)
    _, err = before_ones_eyes.communicate(timeout=60)

    assert before_ones_eyes.returncode == 0
    assert "Traceback" not in err
    assert stand_in.stopped(ours)


def test_a_stop_while_still_starting_leaves_nothing(stand_in: StandIn) -> None:
    stand_in.module("api", "import signal\nsignal.pause()\n")  # never ready
    starting = stand_in.start("up")
    reached = soon(lambda: (r := record.read(stand_in.state.run)) is not None and "workers" in r.parts)
    assert reached or starting.poll() is None, starting.communicate()
    assert reached, stand_in.state.log("supervisor").read_text()
    ours = stand_in.running()

    starting.send_signal(signal.SIGTERM)
    starting.communicate(timeout=60)

    assert stand_in.stopped(ours)


def test_a_process_that_dies_is_started_again(stand_in: StandIn) -> None:
    before = stand_in.up().parts["workers"]

    os.kill(before.pid, signal.SIGKILL)

    assert soon(lambda: stand_in.running().parts.get("workers", before) != before)
    assert same(stand_in.running().parts["workers"])
    assert "workers ended" in stand_in.state.log("supervisor").read_text()


def test_a_postgres_that_dies_is_started_again(stand_in: StandIn) -> None:
    before = stand_in.up().parts["postgres"]

    os.kill(before.pid, signal.SIGKILL)

    assert soon(lambda: stand_in.running().parts.get("postgres", before) != before)
    assert same(stand_in.running().parts["postgres"])


def test_up_recovers_after_its_supervisor_was_killed(stand_in: StandIn) -> None:
    lost = stand_in.up()
    os.kill(lost.supervisor.pid, signal.SIGKILL)
    assert soon(lambda: not same(lost.supervisor))

    done = stand_in.run("up", "--detach")

    assert done.returncode == 0, done.stderr
    now = stand_in.running()
    assert not any(same(identity) for name, identity in lost.parts.items() if name != "postgres")
    assert all(same(identity) for identity in now.parts.values())


def test_down_cleans_up_after_a_killed_supervisor(stand_in: StandIn) -> None:
    lost = stand_in.up()
    os.kill(lost.supervisor.pid, signal.SIGKILL)
    assert soon(lambda: not same(lost.supervisor))

    stand_in.run("down")

    assert stand_in.stopped(lost)


def test_a_stale_pid_that_is_somebody_elses_now_is_left_alone(
    stand_in: StandIn, stranger: subprocess.Popen[bytes]
) -> None:
    gone = Identity(pid=stranger.pid, created=psutil.Process(stranger.pid).create_time() - 3600)
    record.write(stand_in.state.run, record.Running(supervisor=gone, parts={"api": gone, "postgres": gone}))

    stand_in.up()
    stand_in.run("down")

    assert stranger.poll() is None
    assert identify(stranger.pid) is not None


def test_an_unreadable_record_is_no_obstacle(stand_in: StandIn) -> None:
    stand_in.state.run.parent.mkdir(parents=True)
    stand_in.state.run.write_text('{"supervisor": {"pid": 1')

    assert stand_in.up().ready


def test_a_taken_port_is_named_with_its_variable(stand_in: StandIn) -> None:
    with socket.create_server(("127.0.0.1", int(stand_in.environment["OPS_TASK_PORT"]))):
        done = stand_in.run("up")

    said = plain(done.stderr)
    assert done.returncode == 1
    assert f"Port {stand_in.environment['OPS_TASK_PORT']}, which the task service needs, is taken by" in said
    assert "OPS_TASK_PORT=<port> ./ops up" in said
    assert not stand_in.state.run.exists()


def test_a_port_wanted_twice_is_named(stand_in: StandIn) -> None:
    stand_in.environment["OPS_EVENT_PORT"] = stand_in.environment["OPS_AUDIT_PORT"]

    said = plain(stand_in.run("up").stderr)

    assert "wanted twice, by the audit service and the event service" in said


def test_a_port_that_is_no_number_is_one_sentence(stand_in: StandIn) -> None:
    stand_in.environment["OPS_EVENT_PORT"] = "many"

    done = stand_in.run("up")

    assert done.returncode == 1
    assert "OPS_EVENT_PORT is no port number" in done.stderr


def test_a_front_door_that_cannot_start_is_told_with_its_last_words(stand_in: StandIn) -> None:
    stand_in.module("api", "import sys\nsys.exit('no such table')\n")

    done = stand_in.run("up", "--detach")

    assert done.returncode == 1
    assert "api ends as soon as it starts: no such table" in plain(done.stderr)
    assert not stand_in.state.run.exists()


def test_migrations_that_fail_are_told_with_their_last_words(stand_in: StandIn) -> None:
    stand_in.module("core/migrations", "import sys\nsys.exit('column exists')\n")

    done = stand_in.run("up")

    assert done.returncode == 1
    assert "The migrations failed: column exists" in plain(done.stderr)


def test_a_second_start_migrates_only_when_there_is_something_new(stand_in: StandIn) -> None:
    stand_in.up()
    stand_in.run("down")
    stand_in.module("core/migrations", "import sys\nsys.exit('ran again')\n")
    assert stand_in.up().ready
    stand_in.run("down")

    stand_in.state.schema.write_text("of an older checkout")

    assert "The migrations failed: ran again" in plain(stand_in.run("up").stderr)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/ops"), ("TEMPORAL_ADDRESS", "127.0.0.1:1")],
)
def test_a_given_server_that_is_away_is_told_before_anything_starts(
    stand_in: StandIn, variable: str, value: str
) -> None:
    stand_in.environment[variable] = value

    done = stand_in.run("up")

    assert done.returncode == 1
    assert variable in done.stderr
    assert "unset it" in plain(done.stderr)


def test_status_says_what_runs_and_fails_when_nothing_does(stand_in: StandIn) -> None:
    assert stand_in.run("status").returncode == 1
    ours = stand_in.up()

    done = stand_in.run("status")

    assert done.returncode == 0
    assert all(str(identity.pid) in done.stdout for identity in ours.parts.values())
    assert done.stdout.count("ready") == 5


def test_logs_prints_one_process_or_all_with_names(stand_in: StandIn) -> None:
    stand_in.up()

    one, all_of_them = stand_in.run("logs", "workers"), stand_in.run("logs")

    assert one.stdout == "worker at work\n"
    assert "workers    │ worker at work" in all_of_them.stdout
    assert "postgres" in all_of_them.stdout


def test_logs_of_an_unknown_name_lists_the_known(stand_in: StandIn) -> None:
    stand_in.up()

    done = stand_in.run("logs", "nobody")

    assert done.returncode == 1
    assert "workers" in plain(done.stderr)


def test_reset_deletes_the_data_and_keeps_secrets_and_what_is_not_ours(stand_in: StandIn) -> None:
    stand_in.up()
    own = stand_in.state.home / "notes.txt"
    own.write_text("mine")
    secrets = stand_in.state.secrets.read_text()

    done = stand_in.run("reset", "--yes")

    assert done.returncode == 0, done.stderr
    assert not stand_in.state.postgres.exists()
    assert not stand_in.state.temporal.exists()
    assert own.read_text() == "mine"
    assert stand_in.state.secrets.read_text() == secrets


def test_reset_deletes_nothing_unasked(stand_in: StandIn) -> None:
    stand_in.up()

    done = stand_in.run("reset")

    assert done.returncode == 1
    assert stand_in.state.postgres.exists()


def test_migrate_works_without_a_running_stack(stand_in: StandIn) -> None:
    done = stand_in.run("migrate")

    assert done.returncode == 0, done.stderr
    assert "migrated postgresql://" in stand_in.state.log("migrations").read_text()
    assert not (stand_in.state.postgres / "postmaster.pid").exists()
