"""Chunks of a batch checked, and reports made. Texts come from the database and go nowhere else."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from core.contracts.compliance import (
    BUILD_REPORT,
    BUILT_IN_POLICIES,
    CHECK_CHUNK,
    MAX_REPORT_CHECKS,
    BatchInput,
    CheckRecord,
    CheckType,
    ChunkResult,
    NewReport,
    ReportDetails,
    ReportedCheck,
    ReportInput,
    ReportOutcome,
    ReportResult,
    ReportStatus,
    ReportType,
)
from core.domain.compliance.checks import Order, conclude
from core.domain.compliance.figures import summarise
from core.ports import CheckReportPrinter, Inspector, Transactions
from core.store import compliance as store
from core.tables.compliance import BatchItemRow, BatchRow, ReportRow

CHUNK_ITEMS = 100
CHUNK_CHARACTERS, SLICE_CHARACTERS = 1024 * 1024, 64 * 1024
"""As much as is held and written at a time, and inspected between two heartbeats: about a second's work."""


class ComplianceActivities:
    """Collaborators: the database, the detectors, the key that texts are hashed under, what makes a report a page."""

    def __init__(
        self, database: Transactions, detectors: Inspector, *, hash_key: bytes, printer: CheckReportPrinter
    ) -> None:
        self._database, self._detectors = database, detectors
        self._hash_key, self._printer = hash_key, printer

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
        order = Order(
            tenant_id=batch.tenant_id,
            checked_by=batch.checked_by,
            policy=BUILT_IN_POLICIES[batch.policy],
            content_type="text",
            hash_key=self._hash_key,
            correlation_id=batch.correlation_id,
            batch_id=batch.batch_id,
        )
        types = [CheckType(word) for word in batch.check_types]
        records: list[CheckRecord] = []
        for part in parts(items, SLICE_CHARACTERS):
            texts = [item.content or "" for item in part]
            found = await self._detectors.inspect(texts, types)
            now = datetime.now(UTC)
            for item, text, results in zip(part, texts, found, strict=True):
                records.append(conclude(order, check_id=item.check_id, text=text, found=results, at=now))
            activity.heartbeat(len(records))
        return records

    @activity.defn(name=BUILD_REPORT)
    async def build_report(self, wanted: ReportInput) -> ReportOutcome:
        """Add up the counters, draw the page, keep both. A report that is completed already stays as it is."""
        async with self._database.begin(wanted.tenant_id) as session:
            row = await store.report_of(session, wanted.report_id, requested_by=None)
            if row is None or row.status == ReportStatus.COMPLETED:
                return ReportOutcome(report_id=wanted.report_id)
            result = await _figures(session, row)
        html = await self._printer.html(NewReport.model_validate(row), result)
        async with self._database.begin(wanted.tenant_id) as session:
            await store.complete_report(session, row, result, html)
        return ReportOutcome(report_id=wanted.report_id, total_checks=result.total_checks)


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


async def _figures(session: AsyncSession, row: ReportRow) -> ReportResult:
    counts = await store.counts(session, who=row.only_of, first=row.first_day, last=row.last_day)
    result = summarise(ReportType(row.report_type), counts)
    if row.include_details:
        result.details = await _details(session, row)
    return result


async def _details(session: AsyncSession, row: ReportRow) -> ReportDetails:
    found = await store.checks_found(
        session,
        who=row.only_of,
        of_pii=row.report_type == ReportType.PII_SUMMARY,
        since=datetime.combine(row.first_day, time.min, tzinfo=UTC),
        until=datetime.combine(row.last_day + timedelta(days=1), time.min, tzinfo=UTC),
        limit=MAX_REPORT_CHECKS + 1,
    )
    listed = [ReportedCheck.model_validate(dict(check)) for check in found[:MAX_REPORT_CHECKS]]
    return ReportDetails(checks=listed, truncated=len(found) > MAX_REPORT_CHECKS)
