"""Data-subject requests carried out: each service's rows page by page, every page in a transaction of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from pydantic_core import to_json
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.compliance.stopping import STOPS
from core.contracts.compliance.data_requests import (
    BEGIN_DATA_REQUEST,
    COLLECT_SUBJECT,
    ERASE_SUBJECT,
    EXPIRE_ARTIFACTS,
    FINISH_DATA_REQUEST,
    MANIFEST,
    REMIND_DATA_REQUEST,
    DataRequestInput,
    Expired,
    ExpireInput,
    RequestKind,
    RequestStatus,
    ServiceInput,
    ServiceOutcome,
    Standing,
    StepStatus,
)
from core.ports import Erasures, Sealer
from core.store.compliance import data_requests as store
from core.store.compliance.holdings import HOLDINGS
from core.store.platform.subject import Step, erase_step, export_step
from core.tables.compliance import DataRequestRow, DataRequestStepRow

CHUNK_BYTES = 256 * 1024
CHUNKS_AT_ONCE = 200
BEAT_SECONDS = 2.0


class DataRequestActivities:
    """Collaborators: the database, the seal of artifacts. `keep_for`: how long an artifact lives."""

    def __init__(self, database: Erasures, seals: Sealer, *, keep_for: timedelta) -> None:
        self._database, self._seals, self._keep_for = database, seals, keep_for

    @activity.defn(name=BEGIN_DATA_REQUEST)
    async def begin(self, wanted: DataRequestInput) -> Standing:
        """Where the request stands; one that is approved runs from now."""
        async with self._database.begin(wanted.tenant_id) as session:
            row = await store.begin(session, wanted.request_id)
        if row is None:
            raise _gone(wanted)
        return Standing(kind=RequestKind(row.kind), status=RequestStatus(row.status), due_at=row.due_at)

    @activity.defn(name=REMIND_DATA_REQUEST)
    async def remind(self, wanted: DataRequestInput) -> None:
        """Say that the request is overdue."""
        async with self._database.begin(wanted.tenant_id) as session:
            await store.remind(session, wanted.request_id)

    @activity.defn(name=COLLECT_SUBJECT)
    async def collect(self, wanted: ServiceInput) -> ServiceOutcome:
        """Put one service's rows into the artifact. Run again after a crash, it goes on where the last commit was."""
        async with _beating():
            while await self._collect_page(wanted):
                activity.heartbeat()
        return await self._outcome(wanted)

    async def _collect_page(self, wanted: ServiceInput) -> bool:
        async with self._database.begin(wanted.tenant_id) as session:
            request, step = await _under_way(session, wanted)
            if request is None or step is None:
                return False
            page = await export_step(session, HOLDINGS[wanted.service], store.subject_of(request), step.place)
            pieces = list(_pieces(page))
            sealed = [
                self._seals.close(f"{wanted.request_id}/{wanted.service}/{step.chunks + number}", piece)
                for number, piece in enumerate(pieces)
            ]
            done = store.Advance(
                kind=page.kind, rows=page.rows, place=page.next, sealed=sealed, length=sum(map(len, pieces))
            )
            if not await store.advance(session, request, step, done):
                raise _overtaken(wanted)
        return page.next is not None

    @activity.defn(name=ERASE_SUBJECT)
    async def erase(self, wanted: ServiceInput) -> ServiceOutcome:
        """End open work, then delete and pseudonymise one service's rows. Run again, it goes on where it was."""
        async with _beating():
            await self._stop(wanted)
            while await self._erase_page(wanted):
                activity.heartbeat()
        return await self._outcome(wanted)

    async def _stop(self, wanted: ServiceInput) -> None:
        stop, left = STOPS.get(wanted.service), 1
        while stop is not None and left:
            async with self._database.begin(wanted.tenant_id) as session:
                request, step = await _under_way(session, wanted)
                if request is None or step is None:
                    return
                left = await stop(session, store.subject_of(request))

    async def _erase_page(self, wanted: ServiceInput) -> bool:
        async with self._database.begin_erasure(wanted.tenant_id, wanted.request_id) as session:
            request, step = await _under_way(session, wanted)
            if request is None or step is None:
                return False
            page = await erase_step(session, HOLDINGS[wanted.service], store.subject_of(request), step.place)
            done = store.Advance(kind=page.kind, rows=page.rows, place=page.next)
            if not await store.advance(session, request, step, done):
                raise _overtaken(wanted)
        return page.next is not None

    async def _outcome(self, wanted: ServiceInput) -> ServiceOutcome:
        async with self._database.begin(wanted.tenant_id) as session:
            step = await store.step_of(session, wanted.request_id, wanted.service)
        return ServiceOutcome(service=wanted.service, rows=sum(step.counts.values()) if step else 0)

    @activity.defn(name=FINISH_DATA_REQUEST)
    async def finish(self, wanted: DataRequestInput) -> Standing:
        """All services are done: the file is complete, or the request forgets who it was about."""
        async with self._database.begin(wanted.tenant_id) as session:
            row = await store.request_of(session, wanted.request_id)
            if row is None:
                raise _gone(wanted)
            if row.kind == RequestKind.ERASE:
                await store.finish_erasure(session, row)
            else:
                manifest = _manifest(row, await store.steps_of(session, row.request_id))
                sealed = self._seals.close(f"{row.request_id}/{MANIFEST}/0", manifest)
                await store.finish_export(session, row, manifest=sealed, length=len(manifest), keep_for=self._keep_for)
            ended = await store.request_of(session, wanted.request_id)
            assert ended is not None  # nothing deletes requests
        return Standing(kind=RequestKind(ended.kind), status=RequestStatus(ended.status), due_at=ended.due_at)

    @activity.defn(name=EXPIRE_ARTIFACTS)
    async def expire(self, wanted: ExpireInput) -> Expired:
        """Delete artifacts past their time, all that there are, each in parts, and say of each that it is gone."""
        artifacts = 0
        while due := await self._due(wanted.limit):
            for tenant_id, request_id in due:
                artifacts += await self._expire(tenant_id, request_id)
                activity.heartbeat(artifacts)
        return Expired(artifacts=artifacts)

    async def _due(self, limit: int) -> Sequence[tuple[str, str]]:
        async with self._database.begin_all() as session:
            return await store.expiring(session, limit=limit)

    async def _expire(self, tenant_id: str, request_id: str) -> bool:
        left = CHUNKS_AT_ONCE
        while left == CHUNKS_AT_ONCE:
            async with self._database.begin(tenant_id) as session:
                left = await store.drop_chunks(session, request_id, limit=CHUNKS_AT_ONCE)
            activity.heartbeat()
        async with self._database.begin(tenant_id) as session:
            return await store.expire(session, request_id)


async def _under_way(
    session: AsyncSession, wanted: ServiceInput
) -> tuple[DataRequestRow | None, DataRequestStepRow | None]:
    """The request and this service's step, as long as there is something left to do."""
    step = await store.step_of(session, wanted.request_id, wanted.service)
    if step is None or step.status == StepStatus.COMPLETED:
        return None, None
    return await store.request_of(session, wanted.request_id), step


def _pieces(page: Step) -> Iterator[bytes]:
    """The page as lines of the file, cut to what one row of the artifact may hold."""
    head = b'{"kind":%s,"data":' % to_json(page.kind)
    whole = b"".join(head + line + b"}\n" for line in page.lines)
    for start in range(0, len(whole), CHUNK_BYTES):
        yield whole[start : start + CHUNK_BYTES]


def _manifest(row: DataRequestRow, steps: Sequence[DataRequestStepRow]) -> bytes:
    services = {step.service: {kind: rows for kind, rows in step.counts.items() if rows} for step in steps}
    about = {
        "request_id": row.request_id,
        "subject": row.subject,
        "created_at": datetime.now(UTC),
        "reference": row.reference,
        "rows": services,
    }
    return to_json({"kind": MANIFEST, "data": about}) + b"\n"


@asynccontextmanager
async def _beating() -> AsyncIterator[None]:
    """Heartbeats while one statement may search a large table for longer than a heartbeat may stay out."""
    beats = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beats.cancel()
        with suppress(asyncio.CancelledError):
            await beats


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(BEAT_SECONDS)


def _gone(wanted: DataRequestInput) -> ApplicationError:
    return ApplicationError(
        f"There is no request {wanted.request_id}.", type="compliance.data_request_missing", non_retryable=True
    )


def _overtaken(wanted: ServiceInput) -> ApplicationError:
    """Another attempt has done this page: what this one did is rolled back, and the next try goes on from there."""
    return ApplicationError(
        f"Another attempt works on {wanted.service} of {wanted.request_id}.", type="compliance.overtaken"
    )
