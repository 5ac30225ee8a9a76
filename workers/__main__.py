"""`python -m workers [service ...]`: run the workers of the named services, or of all."""

import asyncio
import gc
import importlib
import sys
from collections.abc import Callable

import uvloop
from prometheus_client import start_http_server

from core.settings import SERVICES, get_settings
from core.telemetry import set_up_logs, set_up_traces
from workers.runtime import Crew, Deps, run, stop_on_signals

NAMES = ("platform", *SERVICES)
OBJECTS_A_COLLECTION = 20_000


def crew_of(name: str) -> Callable[[Deps], Crew]:
    """The crew that workers/<name>.py declares."""
    made: Callable[[Deps], Crew] = importlib.import_module(f"workers.{name}").crew
    return made


async def _main(names: list[str]) -> None:
    settings = get_settings()
    set_up_logs("worker", settings.log_level)
    set_up_traces("worker", settings)
    if settings.worker_metrics_port:
        start_http_server(settings.worker_metrics_port, settings.host)
    crews = [crew_of(name) for name in names]
    gc.collect()
    # What the imports made stays. Runs of workflows make many cycles: collect them in larger lots, and only them.
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION)
    await run(settings, crews, stop=stop_on_signals(asyncio.get_running_loop()))


def main(arguments: list[str]) -> None:
    """Run the named crews."""
    # The sandbox imports a workflow's modules anew for each run: without byte code it would compile them each time.
    sys.dont_write_bytecode = False
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        sys.exit(f"No worker is called {', '.join(unknown)}. The workers: {', '.join(NAMES)}")
    uvloop.run(_main([name for name in NAMES if not arguments or name in arguments]))


if __name__ == "__main__":
    main(sys.argv[1:])
