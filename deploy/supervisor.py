"""Starts the parts of one stack, waits for them, starts anew what dies, and stops exactly what it started."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Protocol

import psutil

from deploy import health, locks, record, schema
from deploy.config import SERVICES, Stack
from deploy.errors import OpsCliError
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.temporal import TemporalServer
from deploy.processes import Child, Identity, same, stop_sessions

READY_SECONDS = 120.0
WATCH_SECONDS = 0.5
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.5, 30.0
# a process that lived this long did start: its next end begins the back-off anew
STEADY_SECONDS = 60.0
DEATHS_BEFORE_READY = 3

log = logging.getLogger("ops")
Report = Callable[[str], None]


class Part(Protocol):
    """One thing that can be started, watched and stopped."""

    @property
    def name(self) -> str: ...
    def launch(self) -> object: ...
    def alive(self) -> bool: ...
    def identity(self) -> Identity | None: ...
    def stop(self) -> None: ...


@dataclass
class Watched:
    """A part and its recent deaths."""

    part: Part
    deaths: int = 0
    started: float = field(default_factory=time.monotonic)
    due: float | None = None

    def backoff(self) -> float:
        return float(min(FIRST_BACKOFF_SECONDS * 2 ** (self.deaths - 1), LONGEST_BACKOFF_SECONDS))


class Supervisor:
    """`run` stays until a signal comes; whatever happens, what was started is stopped on the way out."""

    def __init__(self, stack: Stack, *, temporal: Path | None, report: Report) -> None:
        self._stack = stack
        self._temporal = temporal
        self._report = report
        self._watched: list[Watched] = []
        self._stopping = False
        self._ready = False

    def run(self, on_ready: Callable[[], None]) -> None:
        lock = locks.take(self._stack.state.lock)
        if lock is None:
            raise OpsCliError("Another `./ops up` is at work in this checkout.", "See `./ops status`.")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        with lock:
            try:
                self._bring_up()
                if not self._stopping:
                    on_ready()
                self._watch()
            finally:
                self._take_down()

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        log.info("signal %s: stopping", signal.Signals(number).name)
        self._stopping = True

    def _bring_up(self) -> None:
        stack, logs = self._stack, self._stack.state.logs
        self._report("Starting Postgres and Temporal")
        temporal = self._launch_temporal()
        url = self._launch_postgres()
        environment = stack.child_environment(url)
        if stack.own_mailbox:
            self._launch(Child("mailbox", _python("deploy.local.mailbox"), environment, logs / "mailbox.log"))
        self._migrate(environment)
        self._report("Starting the front doors and the workers")
        self._launch(Child("api", _python("api"), environment, logs / "api.log"))
        self._launch(Child("workers", _python("workers"), environment, logs / "workers.log"))
        self._wait_until_ready(temporal)

    def _migrate(self, environment: Mapping[str, str]) -> None:
        state = self._stack.state
        if self._stack.own_postgres and schema.is_newest(state):
            return
        self._report("Migrating the database")
        schema.migrate(environment, state.log("migrations"))
        if self._stack.own_postgres:
            schema.remember(state)

    def _launch_temporal(self) -> TemporalServer | None:
        if self._temporal is None:
            return None
        stack = self._stack
        server = TemporalServer(
            self._temporal,
            stack.state.temporal,
            stack.port("OPS_TEMPORAL_PORT"),
            stack.port("OPS_TEMPORAL_UI_PORT"),
            stack.state.logs / "temporal.log",
        )
        self._launch(server)
        return server

    def _launch_postgres(self) -> str:
        if not self._stack.own_postgres:
            return self._stack.environment["DATABASE_URL"]
        server = EmbeddedPostgres(self._stack.state.postgres)
        self._launch(server)
        return server.start()

    def _launch(self, part: Part) -> None:
        # written into the list first: what fails half-way is stopped too
        self._watched.append(Watched(part))
        part.launch()
        self._write_down()

    def _write_down(self) -> None:
        me = Identity(pid=os.getpid(), created=psutil.Process().create_time())
        parts = {w.part.name: identity for w in self._watched if (identity := w.part.identity())}
        record.write(self._stack.state.run, record.Running(supervisor=me, parts=parts, ready=self._ready))

    def _wait_until_ready(self, temporal: TemporalServer | None) -> None:
        waiting = {service: self._stack.probe_url(service) for service in SERVICES}
        deadline = time.monotonic() + READY_SECONDS
        while not self._stopping:
            self._mend()
            self._give_up_on_the_hopeless()
            waiting = {service: url for service, url in waiting.items() if not health.ready(url)}
            if not waiting and (temporal is None or temporal.ready()):
                self._ready = True
                self._write_down()
                return
            if time.monotonic() > deadline:
                raise _not_ready(waiting, self._stack.state.logs)
            time.sleep(0.1)

    def _give_up_on_the_hopeless(self) -> None:
        for watched in self._watched:
            if watched.deaths >= DEATHS_BEFORE_READY:
                name = watched.part.name
                path = self._stack.state.log(name)
                raise OpsCliError(f"{name} ends as soon as it starts: {health.last_line(path)}", f"Its log is {path}.")

    def _watch(self) -> None:
        while not self._stopping:
            self._mend()
            time.sleep(WATCH_SECONDS)

    def _mend(self) -> None:
        for watched in self._watched:
            if watched.due is None and not watched.part.alive():
                self._note_death(watched)
            elif watched.due is not None and time.monotonic() >= watched.due:
                self._start_anew(watched)

    def _note_death(self, watched: Watched) -> None:
        now = time.monotonic()
        watched.deaths = 1 if now - watched.started > STEADY_SECONDS else watched.deaths + 1
        watched.due = now + watched.backoff()
        self._tell(f"{watched.part.name} ended; starting it again in {watched.backoff():g} s")

    def _start_anew(self, watched: Watched) -> None:
        watched.due, watched.started = None, time.monotonic()
        try:
            # its own children may have outlived it and hold its ports
            watched.part.stop()
            watched.part.launch()
        except OpsCliError as error:
            self._tell(error.message)
        self._write_down()

    def _tell(self, message: str) -> None:
        log.warning(message)
        self._report(message)

    def _take_down(self) -> None:
        self._report("Stopping")
        servers = [w.part for w in self._watched if w.part.name in ("temporal", "postgres")]
        others = [w.part for w in self._watched if w.part not in servers]
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda part: part.stop(), others))
            # only now: what used them has ended in order
            list(pool.map(lambda part: part.stop(), servers))
        self._stack.state.run.unlink(missing_ok=True)
        log.info("stopped")


def sweep(stack: Stack) -> list[str]:
    """End what a supervisor left behind that itself was killed; the names of what was found."""
    running = record.read(stack.state.run)
    if running is None or same(running.supervisor):
        return []
    left = {name: identity for name, identity in running.parts.items() if name != "postgres"}
    found = [name for name, identity in left.items() if stop_sessions([identity])]
    stack.state.run.unlink(missing_ok=True)
    return found


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _not_ready(waiting: dict[str, str], logs: Path) -> OpsCliError:
    what = "; ".join(f"{service}: {health.complaint(url)}" for service, url in waiting.items()) or "Temporal"
    return OpsCliError(
        f"Not ready after {READY_SECONDS:g} s: {what}", f"`./ops doctor` looks for the cause; logs: {logs}."
    )
