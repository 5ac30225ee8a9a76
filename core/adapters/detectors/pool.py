"""Processes that ask detectors and that can be ended: the bound on time that holds against any detector."""

import asyncio
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from core.adapters.detectors.asking import FAILED, TIMEOUT, Asked, Choice, joined
from core.adapters.detectors.limits import PATIENCE, Limit
from core.adapters.detectors.registry import Makers
from core.adapters.detectors.together import Together
from core.adapters.detectors.zygote import FORK, HEAD, READY, Job, frame

log = structlog.get_logger(__name__)

ROOT = Path(__file__).parents[3]
START = "from core.adapters.detectors.zygote import main; main()"
START_SECONDS, GRACE_SECONDS = 60.0, 5.0
# Processes make it parallel; threads of the linear algebra beside them would only get in each other's way.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class PoolAway(RuntimeError):
    """No process could be started."""


class Ended(Exception):
    """The process that worked on a job is gone; `late` says that its time was over."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("late" if late else "died")
        self.late = late


class Pool:
    """At most `processes` at a time, started when there is first need. One that ended is replaced by the next need."""

    def __init__(self, makers: Makers, processes: int, limit: Limit) -> None:
        self.processes, self._limit = processes, limit
        self._zygote = Zygote(makers)
        self._idle: list[Worker] = []
        self._free = asyncio.Semaphore(processes)
        self._together = Together(self.ask, processes)
        self._warming: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the detectors are built there, so that a process costs next to nothing."""
        return self._zygote.running

    def warm(self) -> None:
        """Have it ready soon."""
        if self._warming is None:
            self._warming = asyncio.create_task(self._warm())

    async def _warm(self) -> None:
        with suppress(PoolAway):  # the next that needs it is told
            async with self._worker():
                return

    async def ask_short(self, choices: Sequence[Choice], text: str) -> list[Asked]:
        """As `ask`, of one short text; with others that wait for a process, too."""
        return await self._together.ask(choices, text)

    async def ask(self, choices: Sequence[Choice], texts: Sequence[str]) -> list[Asked]:
        """For each choice what `asking.ask` says, or that the detector ran out of time or its process died.

        Where that happens with several detectors or texts, they are tried one by one, and only the bad one suffers.
        PoolAway where no process can be started.
        """
        try:
            async with self._worker() as worker:
                return await worker.do(Job(list(choices), list(texts), self._limit.of(texts)))
        except Ended as end:
            names = [choice.name for choice in choices]
            log.warning("detector.process_ended", detectors=names, texts=len(texts), late=end.late)
            if len(choices) == len(texts) == 1:
                return [_verdict(choices[0], end)]
        if len(choices) > 1:
            return [one for choice in choices for one in await self.ask([choice], texts)]
        parts = [one for text in texts for one in await self.ask(choices, [text])]
        return [joined(parts)]

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator["Worker"]:
        async with self._free:
            worker = self._idle.pop() if self._idle else await self._zygote.fork()
            try:
                yield worker
            except BaseException:  # ended, or cancelled in the middle of a job whose answer nobody will read
                worker.close()
                raise
            self._idle.append(worker)

    async def aclose(self) -> None:
        """End all processes."""
        if self._warming is not None:
            self._warming.cancel()
        self._together.close()
        for worker in self._idle:
            worker.close()
        self._idle.clear()
        self._zygote.close()


def _verdict(choice: Choice, end: Ended) -> Asked:
    if end.late:
        return Asked(choice.silent(TIMEOUT), [TIMEOUT])
    return Asked(choice.silent(FAILED), ["process died"])


class Worker:
    """One forked process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def do(self, job: Job) -> list[Asked]:
        """The job's answers. Ended if the process does not live to give it."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(job.seconds * PATIENCE * len(job.choices) + GRACE_SECONDS):
                self._writer.write(frame(job))
                await self._writer.drain()
                return await self._answer()
        except (asyncio.IncompleteReadError, OSError) as error:
            late = isinstance(error, TimeoutError) or clock() - began >= job.seconds
            raise Ended(late=late) from error

    async def _answer(self) -> list[Asked]:
        (size,) = HEAD.unpack(await self._reader.readexactly(HEAD.size))
        answer: list[Asked] = pickle.loads(await self._reader.readexactly(size))
        return answer

    def close(self) -> None:
        """It ends when it next reads or answers, or when its time is over."""
        self._writer.close()


class Zygote:
    """The process that has built the detectors and forks the others."""

    def __init__(self, makers: Makers) -> None:
        self._makers = makers
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = asyncio.Lock()

    @property
    def running(self) -> bool:
        """Whether it has started and built the detectors."""
        return self._control is not None

    async def fork(self) -> Worker:
        """One more process. PoolAway where there can be none."""
        try:
            return await self._fork(await self._started())
        except OSError:  # it was killed, perhaps for memory: once more with a new one
            self.close()
        try:
            return await self._fork(await self._started())
        except OSError as error:
            self.close()
            raise PoolAway("the detectors' processes do not start") from error

    async def _fork(self, control: socket.socket) -> Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(control, [FORK], [theirs.fileno()])
        ours.setblocking(False)
        return Worker(*await asyncio.open_unix_connection(sock=ours))

    async def _started(self) -> socket.socket:
        async with self._starting:
            if self._control is None:
                self._control = await asyncio.to_thread(self._start)
            return self._control

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START],
                cwd=ROOT,
                env={**os.environ, **ONE_THREAD},
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
            )
        ours.settimeout(START_SECONDS)
        ours.sendall(frame(self._makers))
        if ours.recv(len(READY)) != READY:
            ours.close()
            raise ConnectionError("the detectors' process ended at its start")
        return ours

    def close(self) -> None:
        """It ends by itself when its line is closed."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):  # it is only a zombie less to find it ended
                self._process.wait(1)
            self._process = None
