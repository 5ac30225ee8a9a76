"""`python -m api [service ...]`: run front doors, each in a process of its own."""

import gc
import importlib
import os
import signal
import sys
import time
from types import FrameType

import uvicorn

from api.app import Door, create_app
from core.settings import SERVICES, ServiceName, get_settings
from core.telemetry import set_up_logs

RESTART_SECONDS = 1.0
DRAIN_SECONDS = 10
COLLECT_AFTER = 20_000  # new containers between two looks at the youngest; Python's own is 700


def door(name: ServiceName) -> Door:
    """The door that api/<name>.py declares."""
    found: Door = importlib.import_module(f"api.{name}").DOOR
    return found


def serve(name: ServiceName) -> None:
    """Run one front door until it is told to stop."""
    settings = get_settings()
    set_up_logs(name, settings.log_level)
    app = create_app(door(name), settings)
    _settle_memory()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port(name),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        backlog=2048,
    )
    uvicorn.Server(config).run()


def _settle_memory() -> None:
    """What lives as long as the process is not looked through again by the collector, which then runs less often.

    Requests leave few cycles behind; at the default threshold the collector took a tenth of each.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


class Family:
    """One child a service, forked after the imports so that they share memory; a child that dies is started again."""

    def __init__(self, names: list[ServiceName]) -> None:
        self._names, self._children, self._stopping = names, dict[int, ServiceName](), False

    def run(self) -> None:
        for name in self._names:
            door(name)
        _settle_memory()
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        for name in self._names:
            self._fork(name)
        while self._children:
            self._reap()

    def _fork(self, name: ServiceName) -> None:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            serve(name)
            os._exit(0)
        self._children[pid] = name

    def _reap(self) -> None:
        pid, status = os.wait()
        name = self._children.pop(pid, None)
        if name is None or self._stopping:
            return
        print(f"front door {name} ended with status {status}; starting it again", file=sys.stderr, flush=True)
        time.sleep(RESTART_SECONDS)
        self._fork(name)

    def _stop(self, _: int, __: FrameType | None) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)


def main(arguments: list[str]) -> None:
    """Serve the named services, or all five."""
    unknown = [name for name in arguments if name not in SERVICES]
    if unknown:
        sys.exit(f"No service is called {', '.join(unknown)}. The services: {', '.join(SERVICES)}")
    names = [name for name in SERVICES if not arguments or name in arguments]
    if len(names) == 1:
        serve(names[0])
    else:
        Family(names).run()


if __name__ == "__main__":
    main(sys.argv[1:])
