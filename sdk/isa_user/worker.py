"""Serve task types of your own, in your own process. Needs the extra: `pip install 'isa-user[worker]'`."""

import asyncio
import contextlib
import gc
import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

try:
    from temporalio.client import Client, TLSConfig
    from temporalio.contrib.pydantic import pydantic_data_converter
    from temporalio.worker import Worker
except ImportError as error:
    raise ImportError("TaskWorker needs temporalio: pip install 'isa-user[worker]'") from error

from isa_user._async.task import TaskClient
from isa_user._constants import DRAIN_TIMEOUT, HEARTBEAT_INTERVAL, MAX_CONCURRENT_TASKS
from isa_user._retry import backoff
from isa_user._worker.context import SyncTaskContext, TaskContext
from isa_user._worker.execution import AsyncHandler, SyncHandler, TaskType

__all__ = ["SyncTaskContext", "TaskContext", "TaskWorker"]

log = logging.getLogger("isa_user.worker")

Handler = TypeVar("Handler", bound=AsyncHandler | SyncHandler)

# A type names a queue, so it holds no colon.
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}")


class TaskWorker:
    """Runs your handlers for your task types until told to stop.

    Args:
        tasks: A client whose token has scope `service`; payloads come and results go through it.
        temporal: Temporal's address, or a connected client (made with `pydantic_data_converter`).
        namespace: Temporal's namespace.
        tenant: The tenant whose tasks are served; the token's `organization_id`.
        identity: The name that executions show as their worker; process id and host when left out.
        api_key: Temporal's API key; it turns TLS on.
        tls: TLS for the connection to Temporal, with certificates if it asks for them.
        max_concurrent: How many tasks of each type run at once.
        drain_timeout: Seconds that running tasks get to end after SIGTERM; those that do not are tried again elsewhere.
        handle_signals: Whether SIGTERM and SIGINT end `run`; the second one is not held back.
    """

    def __init__(
        self,
        *,
        tasks: TaskClient,
        temporal: str | Client = "localhost:7233",
        namespace: str = "default",
        tenant: str = "default",
        identity: str | None = None,
        api_key: str | None = None,
        tls: bool | TLSConfig = False,
        max_concurrent: int = MAX_CONCURRENT_TASKS,
        drain_timeout: float = DRAIN_TIMEOUT,
        handle_signals: bool = True,
    ) -> None:
        self._tasks, self._tenant = tasks, tenant
        self._temporal, self._namespace = temporal, namespace
        self._api_key, self._tls = api_key, tls
        self._identity = identity or f"{os.getpid()}@{socket.gethostname()}"
        self._max_concurrent, self._drain_timeout = max_concurrent, drain_timeout
        self._handle_signals = handle_signals
        self._handlers: dict[str, AsyncHandler | SyncHandler] = {}
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def task(self, type: str) -> Callable[[Handler], Handler]:  # noqa: A002 - the API's word
        """Register the decorated function as the handler of a task type.

        It gets a context and the task's payload, and returns the result: any JSON value of at most 256 KiB. It may run
        more than once for the same task, so let it make its side effects once, keyed by `ctx.execution_id`.
        An `async def` runs on the event loop and gets a `TaskContext`; a plain `def` runs in a thread and gets a
        `SyncTaskContext`. An exception fails the attempt, and the next follows until the task's `max_attempts`;
        `PermanentTaskError` fails the task at once.
        """
        if not _TYPE.fullmatch(type):
            raise ValueError(f"{type!r} is no task type: 1 to 100 letters, digits, dots, dashes, underscores")
        if type in self._handlers:
            raise ValueError(f"the task type {type!r} has a handler already")

        def register(handler: Handler) -> Handler:
            self._handlers[type] = handler
            return handler

        return register

    async def run(self) -> None:
        """Serve until SIGTERM, SIGINT or `stop`, then let running tasks end. A Temporal not up yet is waited for.

        Raises RuntimeError when Temporal refuses the worker, for example because the namespace does not exist.
        """
        if not self._handlers:
            raise ValueError("no task type is registered: decorate a handler with @worker.task(...)")
        self._loop = asyncio.get_running_loop()
        with self._signals_handled(), ThreadPoolExecutor(self._threads(), "task") as threads:
            client = await self._connected()
            if client is not None:
                await self._serve([self._worker(client, name, threads) for name in self._handlers])
        # Temporal's core must not outlive the interpreter: without this a short process can abort at its exit
        # (https://github.com/temporalio/sdk-python/issues/300).
        del client
        gc.collect()
        self._loop = None

    def stop(self) -> None:
        """End `run` as SIGTERM would. May be called from any thread, and before `run`."""
        if self._loop is None:
            self._stop.set()
        else:
            self._loop.call_soon_threadsafe(self._stop.set)

    def _threads(self) -> int:
        return self._max_concurrent * len(self._handlers)

    async def _connected(self) -> Client | None:
        """A client, or None when the worker was stopped while it waited for Temporal."""
        tries = 0
        while not self._stop.is_set():
            try:
                return await self._connect()
            except RuntimeError as error:  # what the Temporal client raises when nobody answers
                pause = backoff(tries)
                log.warning("no connection to Temporal, next try in %.1f s: %s", pause, error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), pause)
                tries += 1
        return None

    async def _connect(self) -> Client:
        if isinstance(self._temporal, Client):
            return self._temporal
        return await Client.connect(
            self._temporal,
            namespace=self._namespace,
            identity=self._identity,
            api_key=self._api_key,
            tls=self._tls or self._api_key is not None,
            data_converter=pydantic_data_converter,
        )

    def _worker(self, client: Client, task_type: str, threads: ThreadPoolExecutor) -> Worker:
        served = TaskType(
            handler=self._handlers[task_type], tasks=self._tasks, worker=self._identity[:200], threads=threads
        )
        beat = timedelta(seconds=HEARTBEAT_INTERVAL)
        return Worker(
            client,
            task_queue=f"task:{self._tenant}:{task_type}",
            activities=[served.execute],
            identity=self._identity,
            max_concurrent_activities=self._max_concurrent,
            # By default heartbeats are held back for most of their time-out, and cancellations with them.
            max_heartbeat_throttle_interval=beat,
            default_heartbeat_throttle_interval=beat,
            graceful_shutdown_timeout=timedelta(seconds=self._drain_timeout),
        )

    async def _serve(self, workers: list[Worker]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for worker in workers:
                    group.create_task(worker.run())
                log.info("serving %s for tenant %s", ", ".join(self._handlers), self._tenant)
                await self._stop.wait()
                log.info("ending: running tasks have %.0f s", self._drain_timeout)
                for worker in workers:
                    group.create_task(worker.shutdown())
        except ExceptionGroup as failures:  # such as a namespace that is not there: the same for all the workers
            raise failures.exceptions[0] from None

    @contextlib.contextmanager
    def _signals_handled(self) -> Iterator[None]:
        if not self._handle_signals or threading.current_thread() is not threading.main_thread():
            yield
            return
        before: dict[signal.Signals, Any] = {}

        def restore() -> None:
            for name, previous in before.items():
                signal.signal(name, previous or signal.SIG_DFL)

        def handle(*_: Any) -> None:
            restore()
            self.stop()

        try:
            for name in (signal.SIGTERM, signal.SIGINT):
                before[name] = signal.signal(name, handle)
            yield
        finally:
            restore()
