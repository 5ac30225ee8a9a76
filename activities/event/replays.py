"""Replays: events of the past copied into another stream, chunk by chunk, each chunk and its checkpoint one commit."""

import asyncio
from collections.abc import Callable

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from core.contracts.event.replay import (
    REPLAY_CANCEL,
    REPLAY_COPY,
    ReplayRef,
    ReplayResult,
    ReplayStatus,
)
from core.contracts.platform import DomainEvent
from core.domain.event import span
from core.ports import Transactions
from core.store import event as log
from core.store.event import replay as store
from core.store.platform import scan_long
from core.tables.event import ReplayRow

CHUNK = 1000
HEARTBEAT_SECONDS = 1.0
Progress = Callable[[int, int], None]


class Replays:
    """The activities of the workflow `event.replay`.

    They may run again after a crash: the row remembers how far the replay came, and no event is copied twice. Another
    service keeps a row with `core.store.event.replay.create` and runs the workflow `event.replay` as its child.
    """

    def __init__(self, database: Transactions, *, chunk: int = CHUNK) -> None:
        self._database, self._chunk = database, chunk

    @activity.defn(name=REPLAY_COPY)
    async def run(self, ref: ReplayRef) -> ReplayResult:
        """Copy until nothing is left, or until somebody cancels."""
        alive = asyncio.create_task(_heartbeats())
        try:
            return await self.copy(ref, activity.heartbeat)
        finally:
            alive.cancel()

    @activity.defn(name=REPLAY_CANCEL)
    async def cancel(self, ref: ReplayRef) -> ReplayResult:
        """End a replay that has not ended; what it copied stays."""
        async with self._database.begin(ref.tenant_id) as session:
            await store.finish(session, ref.replay_id, ReplayStatus.CANCELLED)
            return _result(await _found(session, ref))

    async def copy(self, ref: ReplayRef, progress: Progress) -> ReplayResult:
        """Copy chunk by chunk; `progress` hears (done, total) after each."""
        while True:
            async with self._database.begin(ref.tenant_id) as session:
                row = await _found(session, ref, lock=True)
                if row.status in store.OPEN:
                    await self._step(session, row)
                result = _result(row)
            progress(result.copied + result.skipped, result.total)
            if result.status not in store.OPEN:
                return result

    async def _step(self, session: AsyncSession, row: ReplayRow) -> None:
        wanted = log.EventFilter(
            stream=row.source_stream,
            types=[span(pattern) for pattern in row.event_types],
            since=row.from_timestamp,
            until=row.to_timestamp,
        )
        await scan_long(session)  # to count a long log, or to find what is rare in it, takes more than half a minute
        await store.begin(session, row, wanted)
        if not await store.copy_chunk(session, row, wanted, size=self._chunk):
            await store.finish(session, row.replay_id, ReplayStatus.COMPLETED)
            await session.refresh(row)
            await log.append(session, row.tenant_id, [_completed(row)])


async def _heartbeats() -> None:
    """Counting a long log, or waiting for a lock, is no sign of death; and only who heartbeats hears of a cancel."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _found(session: AsyncSession, ref: ReplayRef, *, lock: bool = False) -> ReplayRow:
    row = await store.get(session, ref.replay_id, lock=lock)
    if row is None:
        raise LookupError(f"no replay {ref.replay_id}")
    return row


def _result(row: ReplayRow) -> ReplayResult:
    return ReplayResult(status=ReplayStatus(row.status), total=row.total or 0, copied=row.copied, skipped=row.skipped)


def _completed(row: ReplayRow) -> DomainEvent:
    return DomainEvent(
        event_type="event.replay_completed",
        source="event",
        payload={"replay_id": row.replay_id, "target_stream": row.target_stream, "copied": row.copied},
        correlation_id=row.correlation_id,
    )
