"""From results to one status and one risk level."""

from collections.abc import Iterable, Mapping

from core.contracts.compliance import Action, CheckStatus, CheckType, DetectorResult, PiiEntity, RiskLevel

_STATUS_OF_ACTION = {
    Action.BLOCK: CheckStatus.BLOCKED,
    Action.REVIEW: CheckStatus.REVIEW,
    Action.FLAG: CheckStatus.FLAGGED,
    Action.REDACT: CheckStatus.FLAGGED,
}
_FIRST_TO_LAST = (CheckStatus.BLOCKED, CheckStatus.REVIEW, CheckStatus.FLAGGED, CheckStatus.INCOMPLETE)


def overall_status(
    results: Mapping[CheckType, DetectorResult], actions: Mapping[CheckType, Action] | None = None
) -> CheckStatus:
    """The check's status: the first of blocked, review, flagged, incomplete that any result calls for, else passed.

    A finding calls for its policy action's status (flag where the policy says nothing; allow calls for none). An
    unavailable detector calls for `incomplete`, whatever the action: a check that needed it never counts as passed.
    """
    asked = {_status_of(result, (actions or {}).get(check, Action.FLAG)) for check, result in results.items()}
    return next((status for status in _FIRST_TO_LAST if status in asked), CheckStatus.PASSED)


def _status_of(result: DetectorResult, action: Action) -> CheckStatus:
    if not result.available:
        return CheckStatus.INCOMPLETE
    return _STATUS_OF_ACTION.get(action, CheckStatus.PASSED) if result.flagged else CheckStatus.PASSED


def unavailable(reason: str | None = None) -> DetectorResult:
    """The result where no detector could judge: none is built in, it failed, or it ran out of time."""
    return DetectorResult(available=False, reason=reason)


_LEVELS = tuple(RiskLevel)


def at_least(floor: RiskLevel, level: RiskLevel) -> RiskLevel:
    """The higher of the two."""
    return max(floor, level, key=_LEVELS.index)


_PII_RISK = {
    PiiEntity.IP_ADDRESS: RiskLevel.LOW,
    PiiEntity.EMAIL: RiskLevel.MEDIUM,
    PiiEntity.PHONE: RiskLevel.MEDIUM,
    PiiEntity.ADDRESS: RiskLevel.MEDIUM,
    PiiEntity.PERSON: RiskLevel.MEDIUM,
    PiiEntity.DATE_OF_BIRTH: RiskLevel.MEDIUM,
    PiiEntity.SSN: RiskLevel.HIGH,
    PiiEntity.CREDIT_CARD: RiskLevel.HIGH,
    PiiEntity.IBAN: RiskLevel.HIGH,
    PiiEntity.PASSPORT: RiskLevel.HIGH,
    PiiEntity.SECRET: RiskLevel.HIGH,
}
_WORST = {
    CheckType.SPAM: RiskLevel.MEDIUM,
    CheckType.NSFW: RiskLevel.HIGH,
    CheckType.TOXICITY: RiskLevel.HIGH,
    CheckType.PROMPT_INJECTION: RiskLevel.CRITICAL,
}


def risk_level(results: Mapping[CheckType, DetectorResult]) -> RiskLevel:
    """The highest risk among the findings. `none` means that the detectors that ran found nothing.

    | finding                                                      | risk     |
    | ------------------------------------------------------------ | -------- |
    | pii: ip_address                                              | low      |
    | pii: email, phone, address, person, date_of_birth            | medium   |
    | pii: ssn, credit_card, iban, passport, secret                | high     |
    | pii: two or more kinds of the line above                     | critical |
    | spam                                                         | medium   |
    | toxicity, nsfw                                               | high     |
    | prompt_injection                                             | critical |
    | the last three lines, score in the lower half above threshold | one less |

    A hit in a policy's block list counts as `high` at least; `core.domain.compliance.policies` adds it.
    """
    return max(
        (_risk_of(check, result) for check, result in results.items()), key=_LEVELS.index, default=RiskLevel.NONE
    )


def _risk_of(check: CheckType, result: DetectorResult) -> RiskLevel:
    if not result.flagged:
        return RiskLevel.NONE
    return _pii_risk(result.detected or ()) if check is CheckType.PII else _score_risk(_WORST[check], result)


def _pii_risk(found: Iterable[PiiEntity]) -> RiskLevel:
    levels = [_PII_RISK[entity] for entity in set(found)]
    if levels.count(RiskLevel.HIGH) > 1:
        return RiskLevel.CRITICAL
    return max(levels, key=_LEVELS.index, default=RiskLevel.LOW)


def _score_risk(worst: RiskLevel, result: DetectorResult) -> RiskLevel:
    score, threshold = result.score or 0.0, result.threshold or 0.0
    sure = score >= (1 + threshold) / 2
    return worst if sure else _LEVELS[_LEVELS.index(worst) - 1]
