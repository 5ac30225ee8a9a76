"""Progress reports: as often as a handler likes on one side, about one a second on the other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from isa_user._constants import LONGEST_PROGRESS_MESSAGE, PROGRESS_INTERVAL

Progress = tuple[float, str | None]


class ProgressReporter:
    """Sends the latest value at most once an interval. What was reported last is always sent in the end."""

    def __init__(self, send: Callable[[float, str | None], Awaitable[None]]) -> None:
        self._send = send
        self._latest: Progress | None = None
        self._changed = asyncio.Event()
        self._sending = asyncio.Lock()

    def report(self, percent: float, message: str | None) -> None:
        """Take a value; whatever was waiting to be sent is replaced."""
        self._latest = percent, message[:LONGEST_PROGRESS_MESSAGE] if message else None
        self._changed.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send what comes in while the block runs, and at its end the last value; if it is cancelled, nothing more."""
        sender = asyncio.create_task(self._run())
        try:
            yield
        except asyncio.CancelledError:
            raise
        except BaseException:
            await self._flush()
            raise
        else:
            await self._flush()
        finally:
            sender.cancel()
            await asyncio.wait([sender])

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            await self._flush()
            await asyncio.sleep(PROGRESS_INTERVAL)

    async def _flush(self) -> None:
        async with self._sending:
            self._changed.clear()
            sending, self._latest = self._latest, None
            if sending is not None:
                await self._send(*sending)


def checked_percent(percent: float) -> float:
    """The same value; a ValueError tells a handler that counts wrongly."""
    if not 0 <= percent <= 100:
        raise ValueError(f"progress is a percentage from 0 to 100, not {percent!r}")
    return percent
