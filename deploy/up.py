"""`up` and `down`: what is checked first, the start before one's eyes or behind one's back, and the end."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from deploy import health, locks, record, show
from deploy.config import Port, Stack
from deploy.console import Progress, err
from deploy.errors import OpsCliError
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.temporal import ensure_binary
from deploy.processes import holder, port_taken, same, wait_until
from deploy.supervisor import Report, Supervisor, sweep

# longer than every part's own grace together
DOWN_SECONDS = 60.0


def up(stack: Stack, *, detach: bool) -> None:
    if locks.held(stack.state.lock):
        _already_up(stack)
        return
    with Progress() as progress:
        temporal = prepare(stack, progress)
        if detach:
            _behind(stack, progress)
        else:
            _before_ones_eyes(stack, temporal, progress)


def prepare(stack: Stack, progress: Report) -> Path | None:
    """Find what is in the way before anything is started. Answers the Temporal binary, if it is ours to run."""
    left = sweep(stack)
    if left:
        progress(f"Ended what an earlier start had left running: {', '.join(left)}")
    check_ports(stack.ports(), stack.host)
    if not stack.own_postgres:
        _reach_postgres(stack.environment["DATABASE_URL"])
    if stack.own_temporal:
        return ensure_binary(progress)
    _reach_temporal(stack.environment["TEMPORAL_ADDRESS"])
    return None


def check_ports(ports: list[Port], host: str) -> None:
    seen: dict[int, Port] = {}
    for port in ports:
        other = seen.setdefault(port.number, port)
        if other is not port:
            raise OpsCliError(
                f"Port {port.number} is wanted twice, by {other.purpose} and {port.purpose}.",
                f"Give one of them another: {port.variable}=<port> ./ops up",
            )
        if port_taken(port.number, host):
            raise OpsCliError(
                f"Port {port.number}, which {port.purpose} needs, is taken by {holder(port.number)}.",
                f"Stop that, or choose another port: {port.variable}=<port> ./ops up",
            )


def _reach_postgres(url: str) -> None:
    # only who brings a database of their own pays for the driver here
    import psycopg

    try:
        psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=5).close()
    except psycopg.Error as error:
        said = str(error).strip().splitlines()
        raise OpsCliError(
            f"DATABASE_URL cannot be reached: {said[-1] if said else type(error).__name__}",
            "Correct it, or unset it to use the embedded Postgres.",
        ) from error


def _reach_temporal(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise OpsCliError(
            f"TEMPORAL_ADDRESS={address} cannot be reached: {error}",
            "Correct it (host:port), or unset it to run a local Temporal.",
        ) from error


def _already_up(stack: Stack) -> None:
    running = record.read(stack.state.run)
    if running is None or not running.ready:
        err.print("This stack is just starting or stopping; `./ops status` shows how far it is.")
        return
    err.print("This stack is already up.")
    show.welcome(stack)


def _before_ones_eyes(stack: Stack, temporal: Path | None, progress: Progress) -> None:
    log_to_file(stack)

    def on_ready() -> None:
        progress.end()
        show.welcome(stack)
        err.print("[dim]Ctrl-C stops it all.[/]")

    Supervisor(stack, temporal=temporal, report=progress).run(on_ready)


def log_to_file(stack: Stack) -> None:
    stack.state.logs.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=stack.state.log("supervisor"), level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )


def _behind(stack: Stack, progress: Progress) -> None:
    """The supervisor in a process of its own, which tells us how it goes until all is ready."""
    stack.state.logs.mkdir(parents=True, exist_ok=True)
    with stack.state.log("supervisor").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.detached"], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        _listen(process, stack, progress)
    except BaseException:
        process.terminate()
        process.wait(DOWN_SECONDS)
        raise
    progress.end()
    show.welcome(stack)
    err.print("It runs in the background: [bold]./ops status[/], [bold]./ops logs -f[/], [bold]./ops down[/].")


def _listen(process: "subprocess.Popen[str]", stack: Stack, progress: Progress) -> None:
    for line in process.stdout or ():
        said = json.loads(line)
        if "ready" in said:
            return
        if "error" in said:
            raise OpsCliError(said["error"], said["way_out"])
        progress(said["progress"])
    path = stack.state.log("supervisor")
    raise OpsCliError(f"The start broke off: {health.last_line(path)}", f"Its log is {path}.")


def down(stack: Stack) -> None:
    running = record.read(stack.state.run)
    supervised = running is not None and same(running.supervisor)
    if running is not None and supervised:
        _end(running.supervisor.pid, stack)
    left = sweep(stack)
    postgres = EmbeddedPostgres(stack.state.postgres)
    if not locks.held(stack.state.lock) and postgres.running():
        postgres.stop()
        left.append("postgres")
    err.print("Stopped." if supervised or left else "Nothing of this checkout is running.")


def _end(pid: int, stack: Stack) -> None:
    with Progress() as progress:
        progress("Stopping")
        os.kill(pid, signal.SIGTERM)
        if not wait_until(lambda: not locks.held(stack.state.lock), seconds=DOWN_SECONDS, every=0.1):
            psutil.Process(pid).kill()
