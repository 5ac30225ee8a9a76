"""Many texts checked by one workflow."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._async.compliance.checks import ROOT
from isa_user._constants import WAIT_WITHIN
from isa_user._lines import Lines
from isa_user._models.compliance import BatchState, BatchStatus, CheckBatch, CheckedItem, CheckType, ContentItem
from isa_user._request import Request, path


class Batches(BaseClient):
    """Batches of texts."""

    async def check_batch(
        self,
        items: Sequence[ContentItem],
        *,
        content_type: str | None = None,
        check_types: Sequence[CheckType] | None = None,
        policy: str | None = None,
        category: str | None = None,
        wait: float | None = None,
        **options: Unpack[WriteOptions],
    ) -> CheckBatch:
        """Check up to 10,000 texts. The answer is `finished` when that took less than `wait` seconds (10 if left out).

        If it is not, `wait_for_batch` waits for the rest. `wait` may be up to 30, and comes on top of the time-out.
        """
        if wait is not None:
            options.setdefault("timeout", self._timeout + wait)
        body = {
            "items": items,
            "content_type": content_type,
            "check_types": check_types,
            "policy": policy,
            "category": category,
            "wait": wait,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/batch-check", body=body), CheckBatch, options)

    async def upload_batch(
        self,
        items: Iterable[ContentItem],
        *,
        content_type: str | None = None,
        check_types: Sequence[CheckType] | None = None,
        policy: str | None = None,
        category: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> BatchState:
        """Upload up to 1,000,000 texts as lines, and have them checked. A bad one fails alone.

        `items` may be a generator: they wait in a temporary file until all are sent. `wait_for_batch` waits for the
        end, `batch_results` reads what came of each.
        """
        query = {"content_type": content_type, "check_types": check_types, "policy": policy, "category": category}
        request = Request(method="POST", path=f"{ROOT}/batches", query=query, lines=Lines(items))
        return await self._call(request, BatchState, options)

    def list_batches(
        self,
        *,
        status: BatchStatus | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[BatchState]:
        """Batches, newest first; a user's token lists that user's own."""
        query = {"status": status, "limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=f"{ROOT}/batches", query=query), BatchState, options)

    async def get_batch(
        self, batch_id: str, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> CheckBatch:
        """How far a batch is, with a page of its results."""
        query = {"limit": limit, "cursor": cursor}
        request = Request(method="GET", path=path(ROOT + "/batches/{}", batch_id), query=query)
        return await self._call(request, CheckBatch, options)

    def batch_items(
        self, batch_id: str, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> Paged[CheckedItem]:
        """A batch's results in the order of the request."""
        query = {"limit": limit, "cursor": cursor}
        request = Request(method="GET", path=path(ROOT + "/batches/{}", batch_id), query=query)
        return self._pages(request, CheckedItem, options)

    def batch_results(self, batch_id: str, **options: Unpack[ReadOptions]) -> AsyncIterator[CheckedItem]:
        """All results in the order of the request, read as they come; items that wait are `pending`."""
        request = Request(method="GET", path=path(ROOT + "/batches/{}/results", batch_id))
        return self._read_lines(request, CheckedItem, options)

    async def cancel_batch(self, batch_id: str, **options: Unpack[WriteOptions]) -> CheckBatch:
        """Give up what waits and delete its texts; what is checked stays. `Conflict` (`batch_finished`) at its end."""
        request = Request(method="POST", path=path(ROOT + "/batches/{}/cancel", batch_id))
        return await self._call(request, CheckBatch, options)

    async def wait_for_batch(
        self, batch_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]
    ) -> CheckBatch:
        """The batch once it has ended. `TimedOut` after `within` seconds."""
        return await self._wait(
            lambda: self.get_batch(batch_id, **options), done=lambda batch: batch.finished, within=within
        )
