"""A batch gone through: planned, then range by range checked. Texts come from the database and go nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity

from core.contracts.compliance import (
    CHECK_CHUNK,
    CHECK_RANGE,
    FORGET_UPLOADS,
    PLAN_BATCH,
    BatchInput,
    BatchPlan,
    BatchRange,
    CheckRecord,
    CheckType,
    ChunkResult,
    ForgetUploads,
    ItemFault,
    PolicySource,
)
from core.domain.compliance.checks import Order, conclude, readable
from core.domain.compliance.content import ContentFault, Extracted
from core.domain.compliance.policies import Rulebook
from core.domain.compliance.redaction import RedactionKeys
from core.ports import Inspector, Rulebooks, Transactions
from core.store import compliance as store
from core.tables.compliance import BatchItemRow, BatchRow

CHUNK_ITEMS, RANGE_ITEMS = 250, 1000
CHUNK_CHARACTERS, SLICE_CHARACTERS = 1024 * 1024, 128 * 1024
"""As much as is held and written at a time, and inspected at a time."""
BEAT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Readable:
    """An item that can be checked, and what of it the detectors read."""

    item: BatchItemRow
    text: str
    extracted: Extracted | None

    @property
    def read(self) -> str:
        """What the detectors are given."""
        return self.text if self.extracted is None else self.extracted.text


@dataclass(slots=True)
class Found:
    """What came of a part: checks, and items that turned out not to be checkable, by their checks' ids."""

    records: list[CheckRecord] = field(default_factory=list)
    faults: dict[str, ItemFault] = field(default_factory=dict)


class BatchActivities:
    """Collaborators: the database, the detectors, the policies, the key that texts are hashed under, the keys that a
    tenant's redaction uses. `parallel`: how many ranges of a batch are worth working on at a time."""

    def __init__(
        self,
        database: Transactions,
        detectors: Inspector,
        *,
        policies: Rulebooks,
        hash_key: bytes,
        redaction_keys: Callable[[str], RedactionKeys] | None = None,
        parallel: int = 2,
    ) -> None:
        self._database, self._detectors, self._policies = database, detectors, policies
        self._hash_key, self._redaction_keys, self._parallel = hash_key, redaction_keys, parallel

    def all(self) -> list[Callable[..., Any]]:
        """Every activity of batches, for the worker."""
        return [self.plan_batch, self.check_range, self.check_chunk, self.forget_uploads]

    @activity.defn(name=PLAN_BATCH)
    async def plan_batch(self, wanted: BatchInput) -> BatchPlan:
        """How to go through a batch; nothing to do where it is finished or gone."""
        async with self._database.begin(wanted.tenant_id) as session:
            batch = await store.start_batch(session, wanted.batch_id)
            total = batch.total if batch else 0
            if batch and total == batch.failed:
                await store.settle_items(session, wanted.batch_id, [])
        return BatchPlan(total=total, size=RANGE_ITEMS, parallel=self._parallel)

    @activity.defn(name=CHECK_RANGE)
    async def check_range(self, wanted: BatchRange) -> ChunkResult:
        """Check the items of a range that wait. Run again after a crash, it goes on where the last commit was, and
        counts what was done before."""
        async with _beating():
            while part := await self._part(wanted.tenant_id, wanted.batch_id, first=wanted.first, end=wanted.end):
                await self._check(*part)
            async with self._database.begin(wanted.tenant_id) as session:
                return await store.range_result(session, wanted.batch_id, wanted.first, wanted.end)

    @activity.defn(name=CHECK_CHUNK)
    async def check_chunk(self, wanted: BatchInput) -> ChunkResult:
        """Check the next items that wait: what workflows ask for that began before there were ranges."""
        async with _beating():
            part = await self._part(wanted.tenant_id, wanted.batch_id)
            return await self._check(*part) if part else ChunkResult()

    @activity.defn(name=FORGET_UPLOADS)
    async def forget_uploads(self, wanted: ForgetUploads) -> int:
        """Delete uploads of which nothing came for long, texts and all; how many."""
        async with self._database.begin_all() as session:
            idle = await store.idle_uploads(session, longer_than=timedelta(seconds=wanted.idle_seconds))
        for batch_id in idle:
            gone = False
            while not gone:
                async with self._database.begin_all() as session:
                    gone = await store.discard_upload(session, batch_id)
                activity.heartbeat()
        return len(idle)

    async def _part(
        self, tenant_id: str, batch_id: str, *, first: int = 0, end: int = 2**31 - 1
    ) -> tuple[BatchRow, list[BatchItemRow]] | None:
        """The batch and its next items that wait; None where there are none, or it is finished."""
        async with self._database.begin(tenant_id) as session:
            batch = await store.start_batch(session, batch_id)
            if batch is None:
                return None
            items = await store.pending_items(
                session, batch_id, limit=CHUNK_ITEMS, characters=CHUNK_CHARACTERS, first=first, end=end
            )
        return (batch, items) if items else None

    async def _check(self, batch: BatchRow, items: Sequence[BatchItemRow]) -> ChunkResult:
        order = await self._order(batch)
        found = Found()
        types = [CheckType(word) for word in batch.check_types]
        for part in parts(items, SLICE_CHARACTERS):
            await self._inspect(order, types, part, found)
        async with self._database.begin(batch.tenant_id) as session:
            return await store.settle_items(session, batch.batch_id, found.records, found.faults)

    async def _order(self, batch: BatchRow) -> Order:
        return Order(
            tenant_id=batch.tenant_id,
            checked_by=batch.checked_by,
            rules=await self._rules(batch),
            content_type=batch.content_type,
            hash_key=self._hash_key,
            redaction_keys=self._redaction_keys(batch.tenant_id) if self._redaction_keys else None,
            policy_source=PolicySource(batch.policy_source),
            category=batch.category,
            correlation_id=batch.correlation_id,
            batch_id=batch.batch_id,
        )

    async def _rules(self, batch: BatchRow) -> Rulebook:
        """The version that the batch was opened with, whatever came since."""
        rules = await self._policies.version(batch.tenant_id, batch.policy, batch.policy_version)
        if rules is None:
            raise LookupError(f"no version {batch.policy_version} of the policy {batch.policy}")
        return rules

    async def _inspect(
        self, order: Order, types: Sequence[CheckType], items: Sequence[BatchItemRow], found: Found
    ) -> None:
        texts = list(_readable(order, items, found))
        results = await self._detectors.inspect([one.read for one in texts], types, order.rules.detectors(types))
        now = datetime.now(UTC)
        for one, result in zip(texts, results, strict=True):
            own = replace(order, content_type=one.item.content_type) if one.item.content_type else order
            found.records.append(
                conclude(own, check_id=one.item.check_id, text=one.text, found=result, at=now, extracted=one.extracted)
            )


def _readable(order: Order, items: Sequence[BatchItemRow], found: Found) -> Iterator[Readable]:
    """The items that are what their content type says; the others are noted as faulty."""
    for item in items:
        content = item.content or ""
        try:
            yield Readable(item, content, readable(item.content_type or order.content_type, content))
        except ContentFault as fault:
            found.faults[item.check_id] = ItemFault(fault.code)


@asynccontextmanager
async def _beating() -> AsyncIterator[None]:
    """Heartbeats for as long as the block runs: one text may take its detectors longer than a beat."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT_SECONDS)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):  # its end is wanted
            await beating


def parts(items: Sequence[BatchItemRow], characters: int) -> Iterator[list[BatchItemRow]]:
    """The items in order, in parts of at most so many characters, or of one item."""
    part: list[BatchItemRow] = []
    size = 0
    for item in items:
        length = len(item.content or "")
        if part and size + length > characters:
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    if part:
        yield part
