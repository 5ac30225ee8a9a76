"""`python -m api [service ...]`: run front doors, each in a process of its own.

Whatever is large is imported inside the functions: by then `main` has told the collector to rest, which would look
again and again through two hundred thousand objects that all stay. That is a seventh of the time to start.
"""

import gc
import importlib
import os
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.app import Door
    from core.settings import ServiceName

RESTART_SECONDS = 1.0
DRAIN_SECONDS = 10
COLLECT_AFTER = 20_000  # new containers between two looks at the youngest; Python's own is 700


def door(name: "ServiceName") -> "Door":
    """The door that api/<name>.py declares."""
    found: Door = importlib.import_module(f"api.{name}").DOOR
    return found


def serve(name: "ServiceName") -> None:
    """Run one front door until it is told to stop."""
    import uvicorn

    from api.app import create_app
    from core.settings import get_settings
    from core.telemetry import set_up_logs

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
    """What lives as long as the process is never looked through by the collector, which from now on runs, but seldom.

    Imports leave next to no cycles behind, and requests few; at the default threshold the collector took a tenth of
    each.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    gc.enable()


class Family:
    """One child a service, forked after the imports so that they share memory; a child that dies is started again."""

    def __init__(self, names: "list[ServiceName]") -> None:
        self._names, self._stopping = names, False
        self._children: dict[int, ServiceName] = {}

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

    def _fork(self, name: "ServiceName") -> None:
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
    gc.disable()
    from core.settings import SERVICES

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
