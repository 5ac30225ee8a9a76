"""The detectors of one process: built once, asked in threads or in processes that can be ended."""

import asyncio
import threading
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

import structlog

from core.adapters.detectors.asking import FAILED, NO_DETECTOR, NO_SUCH, NOT_LOADED, TIMEOUT, Asked, Choice, ask
from core.adapters.detectors.limits import PATIENCE, Limit
from core.adapters.detectors.pool import Pool, PoolAway
from core.adapters.detectors.registry import BUILT_IN, Makers, Source
from core.contracts.compliance import CheckType, DetectorResult
from core.domain.compliance import unavailable
from core.ports import Detector

log = structlog.get_logger(__name__)

SHORT = 16 * 1024
"""Characters that may be judged in a thread of this process: our detectors are linear, so that takes milliseconds."""
NATIVE_THREADS = 2
Column = list[DetectorResult]


class Detectors:
    """Implements `Inspector`. `processes`: how many may be started for long texts, batches, and short texts that come
    together; none: all in threads."""

    def __init__(self, makers: Makers = BUILT_IN, *, processes: int = 0, limit: Limit | None = None) -> None:
        self._makers, self._limit = makers, limit or Limit()
        self._built: dict[Choice, Detector | None] = {}
        self._building = threading.Lock()
        self._faults: dict[str, str] = {}
        self._under_way = self._long_jobs = 0
        self._pool = Pool(_ours(makers), processes, self._limit) if processes else None
        self._native = ThreadPoolExecutor(NATIVE_THREADS, thread_name_prefix="native-detector")

    def load(self) -> None:
        """Build every detector now. One that cannot be built is named in the log; the others serve.

        Side by side: weights are unpacked outside Python while recognisers are imported.
        """
        choices = [Choice(check_type, name) for check_type, named in self._makers.items() for name in named]
        with self._building, ThreadPoolExecutor(thread_name_prefix="load-detector") as pool:
            self._built |= zip(choices, pool.map(self._build, choices), strict=True)

    @property
    def faults(self) -> Mapping[str, str]:
        """The detectors that could not be built, and why."""
        return self._faults

    def known(self, check_type: CheckType) -> list[str]:
        """The names that a policy may choose from; the first is the usual one."""
        return list(self._makers.get(check_type, {}))

    async def aclose(self) -> None:
        """End the processes."""
        self._native.shutdown(wait=False, cancel_futures=True)
        if self._pool:
            await self._pool.aclose()

    async def inspect(
        self,
        texts: Sequence[str],
        check_types: Sequence[CheckType],
        chosen: Mapping[CheckType, str] = MappingProxyType({}),
    ) -> list[dict[CheckType, DetectorResult]]:
        """For each text, in order, one result a type."""
        choices = [self._choice(check_type, chosen.get(check_type)) for check_type in check_types]
        known = [choice for choice in choices if self._source(choice)]
        self._under_way += 1
        try:
            columns = await self._ask_all(known, texts)
        finally:
            self._under_way -= 1
        for choice in choices:
            if choice not in columns:
                columns[choice] = self._unknown(choice, len(texts))
        return [{choice.check_type: columns[choice][row] for choice in choices} for row in range(len(texts))]

    def _choice(self, check_type: CheckType, name: str | None) -> Choice:
        return Choice(check_type, name or next(iter(self._makers.get(check_type, {})), ""))

    def _source(self, choice: Choice) -> Source | None:
        return self._makers.get(choice.check_type, {}).get(choice.name)

    def _unknown(self, choice: Choice, count: int) -> Column:
        return choice.silent(NO_SUCH, count) if choice.name else [unavailable(NO_DETECTOR)] * count

    async def _ask_all(self, choices: Sequence[Choice], texts: Sequence[str]) -> dict[Choice, Column]:
        native = [choice for choice in choices if (source := self._source(choice)) and source.native]
        ours = [choice for choice in choices if choice not in native]
        groups = [self._in_native_thread(choice, texts) for choice in native]
        if self._pool and (len(texts) > 1 or sum(map(len, texts)) > SHORT):
            groups += [self._long_in_process(self._pool, choice, texts) for choice in ours]
        elif ours and texts and self._pool and self._better_there(self._pool):
            groups.append(self._in_process(ours, self._pool.ask_short(ours, texts[0]), 1))
        elif ours:
            groups.append(self._in_thread(ours, texts))
        return {choice: column for group in await asyncio.gather(*groups) for choice, column in group.items()}

    # ---- where they run

    def _better_there(self, pool: Pool) -> bool:
        """Whether a short text is better judged in a process: once there are some, and not all are at long work.
        They come when short texts begin to wait for each other, since threads of one process take turns."""
        if self._under_way > 1 and not pool.ready:
            pool.warm()
        return pool.ready and self._long_jobs < pool.processes

    async def _long_in_process(self, pool: Pool, choice: Choice, texts: Sequence[str]) -> dict[Choice, Column]:
        self._long_jobs += 1
        try:
            return await self._in_process([choice], pool.ask([choice], texts), len(texts))
        finally:
            self._long_jobs -= 1

    async def _in_process(
        self, choices: Sequence[Choice], answers: Awaitable[list[Asked]], count: int
    ) -> dict[Choice, Column]:
        try:
            asked = await answers
        except PoolAway:
            log.exception("detectors.no_process")
            return {choice: choice.silent(FAILED, count) for choice in choices}
        for choice, one in zip(choices, asked, strict=True):
            self._tell(choice, one.failures)
        return {choice: one.results for choice, one in zip(choices, asked, strict=True)}

    async def _in_thread(self, choices: Sequence[Choice], texts: Sequence[str]) -> dict[Choice, Column]:
        """One after another in one thread: a hop costs as much as a short text. Who comes too late is silent."""
        done: dict[Choice, Column] = {}
        work = asyncio.ensure_future(asyncio.to_thread(self._ask_each, choices, texts, done))
        await asyncio.wait([work], timeout=PATIENCE * self._limit.of(texts) * len(choices))
        return {choice: self._in_time(done, choice, texts) for choice in choices}

    async def _in_native_thread(self, choice: Choice, texts: Sequence[str]) -> dict[Choice, Column]:
        """In one of few threads of their own, so that slow models hold up nothing but each other."""
        done: dict[Choice, Column] = {}
        work = asyncio.get_running_loop().run_in_executor(self._native, self._ask_each, [choice], texts, done)
        await asyncio.wait([work], timeout=PATIENCE * sum(self._limit.of([text]) for text in texts))
        work.cancel()  # if it still waits for its turn
        return {choice: self._in_time(done, choice, texts)}

    def _in_time(self, done: dict[Choice, Column], choice: Choice, texts: Sequence[str]) -> Column:
        if choice in done:
            return done[choice]
        log.error("detector.timeout", detector=choice.name, check_type=choice.check_type)
        return choice.silent(TIMEOUT, len(texts))

    def _ask_each(self, choices: Sequence[Choice], texts: Sequence[str], done: dict[Choice, Column]) -> None:
        for choice in choices:
            done[choice] = self._asked(choice, texts)

    def _asked(self, choice: Choice, texts: Sequence[str]) -> Column:
        detector = self._detector(choice)
        if detector is None:
            return choice.silent(NOT_LOADED, len(texts))
        asked = ask(detector, texts)
        self._tell(choice, asked.failures)
        return asked.results

    def _tell(self, choice: Choice, failures: Sequence[str]) -> None:
        for failure in failures:  # the kind alone: a message or a traceback may quote the text
            log.error("detector.failed", detector=choice.name, check_type=choice.check_type, failure=failure)

    # ---- building

    def _detector(self, choice: Choice) -> Detector | None:
        with self._building:
            if choice not in self._built:
                self._built[choice] = self._build(choice)
            return self._built[choice]

    def _build(self, choice: Choice) -> Detector | None:
        try:
            return self._makers[choice.check_type][choice.name].make()
        except Exception as error:
            reason = str(error) or type(error).__name__
            self._faults[f"{choice.check_type}: {choice.name}"] = reason
            log.error("detector.not_loaded", check_type=choice.check_type, detector=choice.name, reason=reason)  # noqa: TRY400 - the reason says what to do; the way there does not
            log.debug("detector.not_loaded", exc_info=True)
            return None


def _ours(makers: Makers) -> Makers:
    """Those that other processes make, too."""
    return {
        check_type: {name: source for name, source in named.items() if not source.native}
        for check_type, named in makers.items()
    }
