"""Batches, and the item of one."""

from datetime import datetime
from typing import Literal, Required, TypedDict

from isa_user._models.base import FieldError, Result, WorkResult
from isa_user._models.compliance.checks import DetectorResult

BatchStatus = Literal["uploading", "pending", "running", "completed", "cancelled"]


class ContentItem(TypedDict, total=False):
    """One text of a batch; its `id` comes back with its result. `content_type`: the batch's where it is left out."""

    id: str
    content_type: str
    content: Required[str]


class CheckedItem(Result):
    """What became of one item of a batch, by its place in the request (from 0) and the id it was given.

    `status` is the check's once there is one, else the item's: pending, failed (then `error` says why) or cancelled.
    """

    index: int
    id: str | None
    status: str
    check_id: str | None = None
    risk_level: str | None = None
    results: dict[str, DetectorResult] | None = None
    error: FieldError | None = None


class BatchProgress(Result):
    """How many items are where; `percent` of them are done."""

    total: int
    pending: int
    checked: int
    failed: int
    cancelled: int
    percent: int


class BatchState(WorkResult):
    """A batch without its results."""

    batch_id: str
    status: str
    progress: BatchProgress
    by_status: dict[str, int]
    check_types: list[str]
    policy: str
    policy_version: int
    policy_source: str
    category: str | None
    content_type: str
    checked_by: str
    correlation_id: str | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def finished(self) -> bool:
        """Whether every item has been handled."""
        return self.status in {"completed", "cancelled"}


class CheckBatch(BatchState):
    """A batch and results in the order of the request: all when it was just checked, else the first of them.

    `batch_items` and `batch_results` go through all.
    """

    items: list[CheckedItem]
    next_cursor: str | None = None
