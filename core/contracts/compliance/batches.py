"""Batches: many texts checked by one workflow; the request, the answer, the workflow's payloads and names."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from core.contracts.compliance.checks import MAX_CHECK_BODY_BYTES, MAX_CONTENT_BYTES, CheckTypes, ContentType, all_types
from core.contracts.compliance.detection import CheckStatus, CheckType, DetectorResult, RiskLevel
from core.contracts.compliance.policies import DEFAULT_POLICY
from core.contracts.platform import Answer, Contract, FieldProblem, JsonObject, Name, RefId

QUEUE = "compliance"
BATCH_RUN, CHECK_CHUNK, BATCH_PROGRESS = "compliance.batch", "compliance.check_chunk", "progress"
BATCH_COMPLETED, BATCH_CANCELLED = "compliance.batch_completed", "compliance.batch_cancelled"
MAX_ITEMS = 1000
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

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ItemFault(StrEnum):
    """What can be wrong with an item's text."""

    EMPTY = "content_empty"
    TOO_LONG = "content_too_long"


def item_fault(content: str) -> ItemFault | None:
    """Why this text cannot be checked, if so: the same rule as for a single check."""
    if not content:
        return ItemFault.EMPTY
    return ItemFault.TOO_LONG if len(content.encode()) > MAX_CONTENT_BYTES else None


class ItemStatus(StrEnum):
    """How far one item is. `failed`: the item itself is at fault, and `error` says how."""

    PENDING = "pending"
    CHECKED = "checked"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BatchItem(Contract):
    """One text. An empty or overlong one fails alone; `id` comes back as it was given, repeated or missing."""

    id: RefId | None = None
    content: Annotated[str, StringConstraints(max_length=MAX_CHECK_BODY_BYTES)]


Wait = Annotated[
    float, Field(ge=0, le=MAX_WAIT_SECONDS, description="seconds to wait for all results; 0 answers at once")
]


class BatchRequest(Contract):
    """Texts to check."""

    model_config = ConfigDict(json_schema_extra={"examples": [BATCH_EXAMPLE]})

    items: list[BatchItem] = Field(min_length=1, max_length=MAX_ITEMS)
    content_type: ContentType = "text"
    check_types: CheckTypes = Field(default_factory=all_types)
    policy: Name = DEFAULT_POLICY
    wait: Wait | None = None
    correlation_id: RefId | None = None


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


class Batch(Answer):
    """A batch and a page of its results, in the order of the request."""

    batch_id: str
    status: BatchStatus
    progress: BatchProgress
    by_status: dict[CheckStatus, int] = Field(description="checks so far, by outcome")
    check_types: list[CheckType]
    policy: str
    policy_version: int
    checked_by: str
    correlation_id: str | None
    created_at: datetime
    finished_at: datetime | None
    workflow_id: str
    workflow_url: str
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
    correlation_id: str | None = None


class BatchInput(Answer):
    """Whose batch, and which; `checked` counts what an earlier run of the same workflow did."""

    tenant_id: str
    batch_id: str
    checked: int = 0


class ChunkResult(Answer):
    """What one chunk did, and what is left."""

    checked: int = 0
    left: int = 0


class BatchOutcome(Answer):
    """What the workflow answers, and its query tells meanwhile: counts only."""

    batch_id: str
    checked: int = 0
    left: int = 0
