"""One check put together from what the detectors found, or from what an earlier check of the same text did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.contracts.compliance import Check, CheckRecord, CheckType, DetectorResult, PolicySource
from core.domain.compliance.content import Extracted, extract
from core.domain.compliance.policies import Rulebook, content_hash, judge
from core.domain.compliance.redaction import RedactionKeys, redact


@dataclass(frozen=True, slots=True)
class Order:
    """What the checks of one request share. `hash_key`: under which their texts are hashed; `redaction_keys`: the
    tenant's, for policies that redact by hash or pseudonym."""

    tenant_id: str
    checked_by: str
    rules: Rulebook
    content_type: str
    hash_key: bytes
    redaction_keys: RedactionKeys | None = None
    policy_source: PolicySource = PolicySource.REQUEST
    category: str | None = None
    correlation_id: str | None = None
    batch_id: str | None = None

    def redacted(self, text: str, result: DetectorResult) -> str:
        """The text without the result's findings, as the policy has them replaced."""
        rule = self.rules.policy.rules.get(CheckType.PII)
        return redact(text, result.spans or [], rule.redaction if rule else None, self.redaction_keys)

    def hash_of(self, text: str) -> str:
        """By which the same text is known again."""
        return content_hash(self.hash_key, self.tenant_id, text)


def conclude(
    order: Order,
    *,
    check_id: str,
    text: str,
    found: Mapping[CheckType, DetectorResult],
    at: datetime,
    extracted: Extracted | None = None,
) -> CheckRecord:
    """The check as it is answered, and whether its redacted text may be kept.

    `extracted`: what the detectors read, where that was not the text itself; what they found is told in places of
    the text.
    """
    if extracted is not None:
        found = {check_type: extracted.located(result) for check_type, result in found.items()}
    judgement = judge(text, found, order.rules, read=extracted.text if extracted else None, keys=order.redaction_keys)
    check = Check(
        check_id=check_id,
        status=judgement.status,
        risk_level=judgement.risk_level,
        results=judgement.results,
        reasons=judgement.reasons,
        **_known(order, text),
        created_at=at,
    )
    return CheckRecord(check=check, keep_redacted=order.rules.policy.keep_redacted)


def repeat(order: Order, earlier: Check, *, check_id: str, text: str, at: datetime) -> CheckRecord:
    """The same outcome for the same text under the same version of the policy. No text was kept: what is redacted is
    redacted anew, from the places that were."""
    results = {
        check_type: result.model_copy(update={"redacted": order.redacted(text, result)})
        if check_type is CheckType.PII
        else result
        for check_type, result in earlier.results.items()
    }
    check = Check(
        check_id=check_id,
        status=earlier.status,
        risk_level=earlier.risk_level,
        results=results,
        reasons=earlier.reasons,
        **_known(order, text),
        cached=True,
        cached_from=earlier.check_id,
        cached_age_seconds=max(0.0, (at - earlier.created_at).total_seconds()),
        created_at=at,
    )
    return CheckRecord(check=check, keep_redacted=order.rules.policy.keep_redacted)


def _known(order: Order, text: str) -> dict[str, Any]:
    return {
        "policy": order.rules.policy.name,
        "policy_version": order.rules.policy.version,
        "policy_source": order.policy_source,
        "category": order.category,
        "content_type": order.content_type,
        "content_hash": order.hash_of(text),
        "content_length": len(text),
        "checked_by": order.checked_by,
        "batch_id": order.batch_id,
        "correlation_id": order.correlation_id,
    }


def readable(content_type: str, text: str) -> Extracted | None:
    """What there is to read in content of this kind; None where that is the text itself. ContentFault if it is not
    what its kind says."""
    return None if content_type in ("text", "prompt") else extract(content_type, text)
