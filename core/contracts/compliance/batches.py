"""Batches: many texts checked by one workflow; the request, the answer, the workflow's payloads and names."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from core.contracts.compliance.checks import MAX_CHECK_BODY_BYTES, CheckTypes, ContentType, all_types
from core.contracts.compliance.detection import CheckStatus, CheckType, DetectorResult, RiskLevel
from core.contracts.compliance.policies import DEFAULT_POLICY
from core.contracts.platform import Answer, Contract, FieldProblem, Name, RefId

QUEUE = "compliance"
BATCH_RUN, CHECK_CHUNK = "compliance.batch", "compliance.check_chunk"
MAX_ITEMS = 1000
DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS = 10.0, 30.0


def batch_run_id(batch_id: str) -> str:
    """The id of the workflow that checks this batch."""
    return f"compliance.batch:{batch_id}"


def batch_channel(batch_id: str) -> str:
    """What Postgres notifies when this batch ends."""
    return f"compliance_batch_{batch_id}"


class BatchStatus(StrEnum):
    """How far a batch is."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


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
    """A batch to open: written with its items before its workflow starts. The texts go to the table, not along."""

    batch_id: str
    tenant_id: str
    checked_by: str
    check_types: list[CheckType]
    policy: str
    policy_version: int
    correlation_id: str | None = None


class BatchInput(Answer):
    """Whose batch, and which."""

    tenant_id: str
    batch_id: str


class ChunkResult(Answer):
    """What one chunk did, and what is left."""

    checked: int = 0
    failed: int = 0
    left: int = 0


class BatchOutcome(Answer):
    """What the workflow answers: counts only."""

    batch_id: str
    checked: int = 0
    failed: int = 0
