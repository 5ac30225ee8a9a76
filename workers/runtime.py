"""Builds and runs workers: one for each service asked for, in one process, until told to stop."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleAlreadyRunningError,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError
from temporalio.worker import Worker

from core.contracts.platform import PUMP_RUN, PumpInput, PumpName, pump_id
from core.contracts.platform import QUEUE as PLATFORM_QUEUE
from core.db import Database
from core.settings import Settings
from core.temporal import Keeper, connect, register_search_attributes, sandbox

log = structlog.get_logger(__name__)

CONNECT_AGAIN_SECONDS = 1.0
DRAIN = timedelta(seconds=8)
HEARTBEAT_THROTTLE = timedelta(seconds=1)


@dataclass(frozen=True)
class Deps:
    """What every service's worker may build its adapters from."""

    settings: Settings
    database: Database
    client: Client
    keeper: Keeper
    stack: AsyncExitStack


@dataclass(frozen=True)
class Scheduled:
    """One Temporal Schedule, applied idempotently at start-up."""

    schedule_id: str
    schedule: Schedule


@dataclass(frozen=True)
class Crew:
    """What one service's worker runs."""

    queue: str
    workflows: Sequence[type] = ()
    activities: Sequence[Callable[..., Any]] = ()
    pumps: Sequence[PumpName] = ()
    schedules: Sequence[Scheduled] = ()
    max_activities: int = 100
    options: dict[str, Any] = field(default_factory=dict)


def build_worker(client: Client, crew: Crew) -> Worker:
    """A worker as production and tests run it."""
    return Worker(
        client,
        task_queue=crew.queue,
        workflows=crew.workflows,
        activities=crew.activities,
        workflow_runner=sandbox(),
        max_concurrent_activities=crew.max_activities,
        graceful_shutdown_timeout=DRAIN,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        **crew.options,
    )


async def start_pumps(client: Client, crew: Crew) -> None:
    """Have a supervising workflow for each pump; one that runs already goes on."""
    for name in crew.pumps:
        await client.start_workflow(
            PUMP_RUN,
            PumpInput(name=name, queue=crew.queue),
            id=pump_id(name),
            task_queue=PLATFORM_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=f"Pump {name.value}: moves rows in bulk, for ever",
        )


async def apply_schedules(client: Client, crew: Crew) -> None:
    """Create each schedule, or bring it to what the code says; one that an operator has paused stays so."""
    for wanted in crew.schedules:
        try:
            await client.create_schedule(wanted.schedule_id, wanted.schedule)
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(wanted.schedule_id).update(_to(wanted.schedule))


def _to(schedule: Schedule) -> Callable[[ScheduleUpdateInput], ScheduleUpdate]:
    return lambda known: ScheduleUpdate(replace(schedule, state=known.description.schedule.state))


async def connect_patiently(settings: Settings) -> Client:
    """A client, waiting for a Temporal that is not up yet."""
    while True:
        try:
            client = await connect(settings)
            await register_search_attributes(client)
            return client
        except (RPCError, RuntimeError, OSError) as error:
            log.warning("temporal.away", reason=str(error)[:200])
            await asyncio.sleep(CONNECT_AGAIN_SECONDS)


async def run(settings: Settings, crews: Sequence[Callable[[Deps], Crew]], *, stop: asyncio.Event) -> None:
    """Run the crews' workers until `stop` is set, then drain."""
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, pool=settings.database_pool)
        stack.push_async_callback(database.close)
        client = await connect_patiently(settings)
        deps = Deps(settings, database, client, Keeper(client), stack)
        built = [make(deps) for make in crews]
        workers = [build_worker(client, crew) for crew in built]
        for worker in workers:
            await stack.enter_async_context(worker)
        for crew in built:
            await start_pumps(client, crew)
            await apply_schedules(client, crew)
        log.info("workers.ready", queues=[crew.queue for crew in built])
        await stop.wait()


def stop_on_signals(loop: asyncio.AbstractEventLoop) -> asyncio.Event:
    """Set when the process is told to end."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    return stop
