"""Rules of data-subject requests: who may decide, when one is overdue, and what is asked of Temporal."""

from datetime import datetime

from core.contracts.compliance import QUEUE
from core.contracts.compliance.data_requests import (
    DATA_REQUEST_RUN,
    DECIDED,
    OPEN,
    DataRequestInput,
    Nothing,
    RequestKind,
    data_request_id,
)
from core.contracts.platform import Intent, IntentKind, Service


def is_overdue(status: str, due_at: datetime, now: datetime) -> bool:
    """Whether a person waits longer than they were promised."""
    return status in OPEN and due_at < now


def may_approve(decider: str, *, requested_by: str, subject: str, four_eyes: bool) -> bool:
    """With four eyes, neither who asked nor whom it is about; else anybody who may approve at all."""
    return not four_eyes or decider not in (requested_by, subject)


def start_of_request(tenant_id: str, request_id: str, kind: RequestKind, *, intent_id: str, user_id: str) -> Intent:
    """The promise to run the workflow of this request."""
    return Intent(
        intent_id=intent_id,
        tenant_id=tenant_id,
        workflow_id=data_request_id(request_id),
        workflow_type=DATA_REQUEST_RUN,
        queue=QUEUE,
        payload=DataRequestInput(tenant_id=tenant_id, request_id=request_id).model_dump(mode="json"),
        service=Service.COMPLIANCE,
        user_id=user_id,
        summary=f"Data-subject request {request_id}: {kind}",
    )


def decided(tenant_id: str, request_id: str, *, intent_id: str) -> Intent:
    """Tell the workflow to look at its request again. One that starts later looks first, so this may come too early."""
    return Intent(
        intent_id=intent_id,
        kind=IntentKind.SIGNAL,
        tenant_id=tenant_id,
        workflow_id=data_request_id(request_id),
        signal=DECIDED,
        payload=Nothing().model_dump(),
        service=Service.COMPLIANCE,
    )
