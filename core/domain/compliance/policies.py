"""A policy chosen and applied: which findings count, what they lead to, and what may be kept of the text."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.contracts.compliance import (
    ALLOW_LIST,
    BLOCK_LIST,
    BUILT_IN_POLICIES,
    DEFAULT_POLICY,
    Action,
    CheckStatus,
    CheckType,
    ChosenPolicy,
    DetectorResult,
    Policy,
    PolicyHeads,
    PolicySettings,
    PolicySource,
    RiskLevel,
    Span,
    TypeRule,
)
from core.domain.compliance.lists import Compile, TextList, Types, ready
from core.domain.compliance.redaction import RedactionKeys, redaction
from core.domain.compliance.spans import kinds
from core.domain.compliance.verdict import at_least, overall_status, risk_level

_NO_RULE = TypeRule(action=Action.FLAG)
DRAFT = "draft"
"""The name under which a policy that is not made yet judges."""


# ---- which policy


def choose(heads: PolicyHeads, *, named: str | None, caller: str, category: str | None) -> ChosenPolicy | None:
    """The policy that judges: the one named, else the one assigned to the caller, the category, the tenant, else
    `default`. None where the one named is not there; an assignment to one that is not there counts for nothing."""
    if named is not None:
        return _chosen(heads, named, PolicySource.REQUEST)
    assigned = (
        (heads.callers.get(caller), PolicySource.CALLER),
        (heads.categories.get(category or ""), PolicySource.CATEGORY),
        (heads.tenant, PolicySource.TENANT),
        (DEFAULT_POLICY, PolicySource.DEFAULT),
    )
    found = (_chosen(heads, name, source) for name, source in assigned if name is not None)
    return next(filter(None, found), None)


def _chosen(heads: PolicyHeads, name: str, source: PolicySource) -> ChosenPolicy | None:
    if built_in := BUILT_IN_POLICIES.get(name):
        return ChosenPolicy(name=name, version=built_in.version, source=source)
    version = heads.versions.get(name)
    return None if version is None else ChosenPolicy(name=name, version=version, source=source)


def policy_of(settings: PolicySettings, *, name: str, version: int) -> Policy:
    """A policy with these settings, and a rule for every type: the default policy's where the settings have none."""
    rules = BUILT_IN_POLICIES[DEFAULT_POLICY].rules | {
        check: TypeRule(**rule.model_dump()) for check, rule in settings.rules.items()
    }
    known = {name: getattr(settings, name) for name in PolicySettings.model_fields if name != "rules"}
    return Policy(name=name, version=version, built_in=False, rules=rules, **known)


# ---- what it makes of findings


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A policy with its lists ready."""

    policy: Policy
    block: TextList = field(default_factory=TextList)
    allow: TextList = field(default_factory=TextList)

    def detectors(self, check_types: Sequence[CheckType]) -> dict[CheckType, str]:
        """The detectors that the policy asks for by name."""
        named = ((check, self.policy.rules.get(check, _NO_RULE).detector) for check in check_types)
        return {check: detector for check, detector in named if detector}


def rulebook(policy: Policy, compiled: Compile) -> Rulebook:
    """The policy, ready to judge."""
    return Rulebook(policy, ready(policy.block_list, compiled), ready(policy.allow_list, compiled))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy makes of the detectors' results. `reasons`: what its lists had to say."""

    status: CheckStatus
    risk_level: RiskLevel
    results: dict[CheckType, DetectorResult]
    reasons: list[str]


def judge(
    text: str,
    found: Mapping[CheckType, DetectorResult],
    rules: Rulebook,
    *,
    read: str | None = None,
    keys: RedactionKeys | None = None,
) -> Judgement:
    """Results with the policy's thresholds, entities and lists applied; status by its actions.

    `read` is what the detectors read, where that is not the text itself; `keys` are for a rule whose redaction needs
    them. A finding that the policy allows stays visible as `flagged`, but raises neither status nor risk. The lists
    come last, the block list very last: what it names is flagged and blocks whatever else was said, and counts as a
    high risk at least.
    """
    asked, seen = frozenset(found), text if read is None else read
    blocked = rules.block.within(seen) & asked if rules.block else frozenset()
    spared = rules.allow.of(seen) & asked if rules.allow else frozenset()
    own = {check: _apply(text, check, result, rules, spared, keys) for check, result in found.items()}
    actions = {check: rules.policy.rules.get(check, _NO_RULE).action for check in found}
    counted = {check: result for check, result in own.items() if actions[check] is not Action.ALLOW}
    status, risk = overall_status(own, actions), risk_level(counted)
    if blocked:
        status, risk = CheckStatus.BLOCKED, at_least(RiskLevel.HIGH, risk)
    results = {check: _blocked(result) if check in blocked else result for check, result in own.items()}
    return Judgement(status, risk, results, _reasons(blocked, own))


def _reasons(blocked: Types, results: Mapping[CheckType, DetectorResult]) -> list[str]:
    spared = any(ALLOW_LIST in (result.reasons or ()) for result in results.values())
    return [*([BLOCK_LIST] if blocked else []), *([ALLOW_LIST] if spared else [])]


def _blocked(result: DetectorResult) -> DetectorResult:
    """Flagged by the list; one that could not judge stays without a judgement of its own."""
    if not result.available:
        return result
    return result.model_copy(update={"flagged": True, "reasons": [*(result.reasons or ()), BLOCK_LIST]})


def _apply(
    text: str, check: CheckType, result: DetectorResult, rules: Rulebook, spared: Types, keys: RedactionKeys | None
) -> DetectorResult:
    if not result.available:
        return result
    rule = rules.policy.rules.get(check, _NO_RULE)
    threshold = result.threshold if rule.threshold is None else rule.threshold
    if result.spans is None:
        flagged = result.flagged if threshold is None else (result.score or 0.0) >= threshold
        let_go = bool(flagged) and check in spared
        update: dict[str, object] = {"flagged": flagged and not let_go, "threshold": threshold}
        if not flagged:
            update |= {"reasons": None, "passages": None}
    else:
        counting = [span for span in result.spans if _counts(span, rule, threshold)]
        kept = [span for span in counting if not _is_spared(text, check, span, rules, spared)]
        let_go = len(kept) < len(counting)
        redacted = redaction(text, kept, rule.redaction, keys)
        update = _of_spans(redacted.placed(kept)) | {"threshold": threshold, "redacted": redacted.text}
    if let_go:
        update["reasons"] = [*(result.reasons or ()), ALLOW_LIST]
    return result.model_copy(update=update)


def _counts(span: Span, rule: TypeRule, threshold: float | None) -> bool:
    return span.score >= (threshold or 0.0) and (rule.entities is None or span.entity in rule.entities)


def _is_spared(text: str, check: CheckType, span: Span, rules: Rulebook, spared: Types) -> bool:
    return check in spared or bool(rules.allow and check in rules.allow.value(text[span.start : span.end]))


def _of_spans(kept: list[Span]) -> dict[str, object]:
    return {
        "flagged": bool(kept),
        "score": max((span.score for span in kept), default=0.0),
        "detected": kinds(kept),
        "spans": kept,
    }


def content_hash(key: bytes, tenant_id: str, text: str) -> str:
    """Tells equal texts of one tenant apart from others, and tells whoever lacks the key nothing (HMAC-SHA256)."""
    return hmac.new(key, f"{tenant_id}\x00{text}".encode(), hashlib.sha256).hexdigest()
