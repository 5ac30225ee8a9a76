"""Batches: many texts checked by one workflow; the request, the answer, the workflow's payloads and names."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from core.contracts.compliance.checks import (
    MAX_CONTENT_BYTES,
    SUPPORTED_CONTENT,
    CheckTypes,
    ContentType,
    all_types,
)
from core.contracts.compliance.detection import CheckStatus, CheckType, DetectorResult, RiskLevel
from core.contracts.compliance.policies import Category, PolicySource
from core.contracts.platform import Answer, Contract, FieldProblem, JsonObject, Name, RefId

QUEUE = "compliance"
BATCH_RUN, CHECK_CHUNK, BATCH_PROGRESS = "compliance.batch", "compliance.check_chunk", "progress"
PLAN_BATCH, CHECK_RANGE = "compliance.plan_batch", "compliance.check_range"
FORGET_UPLOADS = "compliance.forget_uploads"
BATCH_COMPLETED, BATCH_CANCELLED = "compliance.batch_completed", "compliance.batch_cancelled"
BATCH_CONTENT = SUPPORTED_CONTENT
MAX_ITEMS, MAX_ROWS = 10_000, 1_000_000
"""Of a batch in one JSON body, and of one uploaded as lines."""
MAX_LINE_BYTES = 2 * 1024 * 1024
LINES = "application/x-ndjson"
DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS = 10.0, 30.0


BATCH_EXAMPLE: JsonObject = {
    "items": [{"id": "msg_1", "content": "First message"}, {"id": "msg_2", "content": "Second message"}],
    "check_types": ["toxicity", "pii"],
}


def batch_run_id(batch_id: str) -> str:
    """The id of the workflow that checks this batch."""
    return f"compliance.batch:{batch_id}"


class BatchStatus(StrEnum):
    """How far a batch is."""

    UPLOADING = "uploading"
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ItemFault(StrEnum):
    """What can be wrong with an item."""

    EMPTY = "content_empty"
    TOO_LONG = "content_too_long"
    INVALID = "content_invalid"
    MALFORMED = "content_malformed"
    TOO_DEEP = "content_too_deep"
    UNSUPPORTED = "unsupported_content_type"
    ID = "id_invalid"
    LINE = "line_malformed"
    LINE_TOO_LONG = "line_too_long"


def item_fault(content: str, content_type: str | None = None, *, limit: int = MAX_CONTENT_BYTES) -> ItemFault | None:
    """Why this text cannot be checked, if so: the same rule as for a single check. `limit`: bytes of UTF-8."""
    if not content:
        return ItemFault.EMPTY
    if content_type is not None and content_type not in BATCH_CONTENT:
        return ItemFault.UNSUPPORTED
    return ItemFault.TOO_LONG if len(content) * 4 > limit and len(content.encode()) > limit else None


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to write down; one at fault has failed already, and of its text nothing is kept."""

    item_id: str | None
    content: str | None
    content_type: str | None = None
    fault: ItemFault | None = None


class ItemStatus(StrEnum):
    """How far one item is. `failed`: the item itself is at fault, and `error` says how."""

    PENDING = "pending"
    CHECKED = "checked"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BatchItem(Contract):
    """One text. An empty or overlong one fails alone; `id` comes back as it was given, repeated or missing."""

    id: RefId | None = None
    content_type: ContentType | None = Field(None, description="left out: the batch's")
    content: str


Wait = Annotated[
    float, Field(ge=0, le=MAX_WAIT_SECONDS, description="seconds to wait for all results; 0 answers at once")
]


class BatchWish(Contract):
    """What the checks of a batch share."""

    content_type: ContentType = "text"
    check_types: CheckTypes = Field(default_factory=all_types)
    policy: Name | None = Field(None, description="left out: the one assigned to the caller, the category, the tenant")
    category: Category | None = None
    correlation_id: RefId | None = None


class BatchRequest(BatchWish):
    """Texts to check."""

    model_config = ConfigDict(json_schema_extra={"examples": [BATCH_EXAMPLE]})

    items: list[BatchItem] = Field(min_length=1, max_length=MAX_ITEMS)
    wait: Wait | None = None


class BatchItemResult(Answer):
    """What became of one item."""

    index: int = Field(description="place in the request, from 0")
    id: str | None
    status: CheckStatus | ItemStatus = Field(description="the check's status once there is one, else the item's")
    check_id: str | None = None
    risk_level: RiskLevel | None = None
    results: dict[CheckType, DetectorResult] | None = None
    error: FieldProblem | None = None


class BatchProgress(Answer):
    """How many items are where; `checked` + `failed` + `cancelled` + `pending` = `total`."""

    total: int
    pending: int
    checked: int
    failed: int
    cancelled: int
    percent: int


class BatchHead(Answer):
    """A batch without its results."""

    batch_id: str
    status: BatchStatus
    progress: BatchProgress
    by_status: dict[CheckStatus, int] = Field(description="checks so far, by outcome")
    check_types: list[CheckType]
    policy: str
    policy_version: int
    policy_source: PolicySource
    category: str | None
    content_type: str
    checked_by: str
    correlation_id: str | None
    created_at: datetime
    finished_at: datetime | None
    workflow_id: str
    workflow_url: str


class Batch(BatchHead):
    """A batch and a page of its results, in the order of the request."""

    items: list[BatchItemResult]
    next_cursor: str | None = None


class NewBatch(Answer):
    """A batch to open, before its workflow starts. Its texts go to the table with it, and nowhere else."""

    batch_id: str
    tenant_id: str
    checked_by: str
    check_types: list[CheckType]
    policy: str
    policy_version: int
    policy_source: PolicySource = PolicySource.REQUEST
    category: str | None = None
    content_type: str = "text"
    correlation_id: str | None = None


class BatchInput(Answer):
    """Whose batch, and which; `checked` and `position` say how far an earlier run of the same workflow came."""

    tenant_id: str
    batch_id: str
    checked: int = 0
    position: int = 0


class BatchPlan(Answer):
    """How a batch is gone through: so many items, so many in a range, so many ranges at a time."""

    total: int
    size: int
    parallel: int


class BatchRange(Answer):
    """The items of a batch from `first` up to but without `end`, by their places in the request."""

    tenant_id: str
    batch_id: str
    first: int
    end: int


class ForgetUploads(Answer):
    """Give up uploads of which nothing came for so long."""

    idle_seconds: int


class ChunkResult(Answer):
    """What one chunk did, and what is left."""

    checked: int = 0
    left: int = 0


class BatchOutcome(Answer):
    """What the workflow answers, and its query tells meanwhile: counts only."""

    batch_id: str
    checked: int = 0
    left: int = 0
