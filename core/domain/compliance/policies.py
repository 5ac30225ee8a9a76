"""A policy applied: which findings count, what they lead to, and what may be kept of the text."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from core.contracts.compliance import Action, CheckStatus, CheckType, DetectorResult, Policy, RiskLevel, TypeRule
from core.domain.compliance.spans import kinds, redact
from core.domain.compliance.verdict import overall_status, risk_level

_NO_RULE = TypeRule(action=Action.FLAG)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy makes of the detectors' results."""

    status: CheckStatus
    risk_level: RiskLevel
    results: dict[CheckType, DetectorResult]


def judge(text: str, found: Mapping[CheckType, DetectorResult], policy: Policy) -> Judgement:
    """Results with the policy's thresholds and entities applied; status by its actions.

    A finding that the policy allows stays visible as `flagged`, but raises neither status nor risk.
    """
    rules = {check: policy.rules.get(check, _NO_RULE) for check in found}
    results = {check: _apply(text, result, rules[check]) for check, result in found.items()}
    actions = {check: rule.action for check, rule in rules.items()}
    counted = {check: result for check, result in results.items() if actions[check] is not Action.ALLOW}
    return Judgement(overall_status(results, actions), risk_level(counted), results)


def _apply(text: str, result: DetectorResult, rule: TypeRule) -> DetectorResult:
    if not result.available:
        return result
    threshold = result.threshold if rule.threshold is None else rule.threshold
    if result.spans is None:
        flagged = result.flagged if threshold is None else (result.score or 0.0) >= threshold
        return result.model_copy(update={"flagged": flagged, "threshold": threshold})
    kept = [
        span
        for span in result.spans
        if span.score >= (threshold or 0.0) and (rule.entities is None or span.entity in rule.entities)
    ]
    update = {
        "flagged": bool(kept),
        "score": max((span.score for span in kept), default=0.0),
        "threshold": threshold,
        "detected": kinds(kept),
        "redacted": redact(text, kept),
        "spans": kept,
    }
    return result.model_copy(update=update)


def content_hash(key: bytes, tenant_id: str, text: str) -> str:
    """Tells equal texts of one tenant apart from others, and tells whoever lacks the key nothing (HMAC-SHA256)."""
    return hmac.new(key, f"{tenant_id}\x00{text}".encode(), hashlib.sha256).hexdigest()
