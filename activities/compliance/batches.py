"""Chunks of a batch checked. Texts come from the database and go nowhere else."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from temporalio import activity

from core.contracts.compliance import (
    CHECK_CHUNK,
    BatchInput,
    CheckRecord,
    CheckType,
    ChunkResult,
)
from core.domain.compliance.checks import Order, conclude
from core.domain.compliance.policies import Rulebook
from core.domain.compliance.redaction import RedactionKeys
from core.ports import Inspector, Rulebooks, Transactions
from core.store import compliance as store
from core.tables.compliance import BatchItemRow, BatchRow

CHUNK_ITEMS = 100
CHUNK_CHARACTERS, SLICE_CHARACTERS = 1024 * 1024, 64 * 1024
"""As much as is held and written at a time, and inspected between two heartbeats: about a second's work."""


class BatchActivities:
    """Collaborators: database, detectors, policies, the key that texts are hashed under, the tenants' for redaction."""

    def __init__(
        self,
        database: Transactions,
        detectors: Inspector,
        *,
        policies: Rulebooks,
        hash_key: bytes,
        redaction_keys: Callable[[str], RedactionKeys],
    ) -> None:
        self._database, self._detectors, self._policies = database, detectors, policies
        self._hash_key, self._redaction_keys = hash_key, redaction_keys

    @activity.defn(name=CHECK_CHUNK)
    async def check_chunk(self, wanted: BatchInput) -> ChunkResult:
        """Check the next items that wait. Run again after a crash, it goes on where the last commit was."""
        async with self._database.begin(wanted.tenant_id) as session:
            batch = await store.start_batch(session, wanted.batch_id)
            items = await store.pending_items(session, wanted.batch_id, limit=CHUNK_ITEMS) if batch else []
        if batch is None:
            return ChunkResult()
        records = await self._inspected(batch, next(parts(items, CHUNK_CHARACTERS), []))
        async with self._database.begin(wanted.tenant_id) as session:
            return await store.settle_items(session, wanted.batch_id, records)

    async def _inspected(self, batch: BatchRow, items: Sequence[BatchItemRow]) -> list[CheckRecord]:
        rules = await self._rules(batch)
        order = Order(
            tenant_id=batch.tenant_id,
            checked_by=batch.checked_by,
            rules=rules,
            content_type="text",
            hash_key=self._hash_key,
            redaction_keys=self._redaction_keys(batch.tenant_id),
            correlation_id=batch.correlation_id,
            batch_id=batch.batch_id,
        )
        types = [CheckType(word) for word in batch.check_types]
        records: list[CheckRecord] = []
        for part in parts(items, SLICE_CHARACTERS):
            texts = [item.content or "" for item in part]
            found = await self._detectors.inspect(texts, types, rules.detectors(types))
            now = datetime.now(UTC)
            for item, text, results in zip(part, texts, found, strict=True):
                records.append(conclude(order, check_id=item.check_id, text=text, found=results, at=now))
            activity.heartbeat(len(records))
        return records

    async def _rules(self, batch: BatchRow) -> Rulebook:
        """The version that the batch was opened with, whatever came since."""
        rules = await self._policies.version(batch.tenant_id, batch.policy, batch.policy_version)
        if rules is None:
            raise LookupError(f"no version {batch.policy_version} of the policy {batch.policy}")
        return rules


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
