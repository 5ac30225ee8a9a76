"""One check put together from what the detectors found; an item of a batch is the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.contracts.compliance import Check, CheckRecord, CheckType, DetectorResult, Policy
from core.domain.compliance.policies import content_hash, judge


@dataclass(frozen=True, slots=True)
class Order:
    """What the checks of one request share. `hash_key`: under which their texts are hashed."""

    tenant_id: str
    checked_by: str
    policy: Policy
    content_type: str
    hash_key: bytes
    correlation_id: str | None = None
    batch_id: str | None = None


def conclude(
    order: Order, *, check_id: str, text: str, found: Mapping[CheckType, DetectorResult], at: datetime
) -> CheckRecord:
    """The check as it is answered, and whether its redacted text may be kept."""
    judgement = judge(text, found, order.policy)
    check = Check(
        check_id=check_id,
        status=judgement.status,
        risk_level=judgement.risk_level,
        results=judgement.results,
        policy=order.policy.name,
        policy_version=order.policy.version,
        content_type=order.content_type,
        content_hash=content_hash(order.hash_key, order.tenant_id, text),
        content_length=len(text),
        checked_by=order.checked_by,
        batch_id=order.batch_id,
        correlation_id=order.correlation_id,
        created_at=at,
    )
    return CheckRecord(check=check, keep_redacted=order.policy.keep_redacted)
