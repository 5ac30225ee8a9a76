"""Past checks judged again: by kept scores or by detectors on the redacted text, and what that would change."""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.contracts.compliance import (
    ALLOW_LIST,
    BLOCK_LIST,
    ChangedCheck,
    Check,
    CheckType,
    DetectorResult,
    RescoreFigures,
    Span,
    StatusMove,
    TypeFlips,
)
from core.domain.compliance.policies import Judgement, Rulebook, judge


def rejudge(
    check: Check,
    text: str,
    rules: Rulebook,
    found: Mapping[CheckType, DetectorResult],
    thresholds: Mapping[CheckType, float],
    *,
    read: str | None = None,
) -> Judgement:
    """What these rules make of a check of which the redacted `text` is left. `read`: what there is to read in it, where
    that is not the text itself; lists are held against that, as they were.

    `found` holds what detectors say of that text; a type it leaves out is judged by its kept score, against the
    detector's own threshold where the rules have none. Personal data that was redacted is found no more, so what was
    found then counts besides; its values are gone, so no list knows it.
    """
    results = {check_type: found.get(check_type) or _as_found(result) for check_type, result in check.results.items()}
    for check_type, threshold in thresholds.items():
        if check_type in results and check_type not in found and results[check_type].available:
            results[check_type] = results[check_type].model_copy(update={"threshold": threshold})
    kept = check.results.get(CheckType.PII)
    if kept is not None and kept.spans:
        results[CheckType.PII] = _with_kept(results[CheckType.PII], kept.spans, after=len(text))
    return judge(text, results, _unredacting(rules), read=read)


def _as_found(result: DetectorResult) -> DetectorResult:
    """Before any list had its say. Offsets lead into a text that is gone."""
    reasons = [reason for reason in result.reasons or () if reason not in (ALLOW_LIST, BLOCK_LIST)]
    spans: list[Span] | None = None if result.spans is None and result.detected is None else []
    return result.model_copy(update={"reasons": reasons or None, "spans": spans})


def _with_kept(result: DetectorResult, spans: Sequence[Span], *, after: int) -> DetectorResult:
    """What was found then, placed behind the end of the text: nothing there can be taken for its value."""
    moved = [span.model_copy(update={"start": after + n, "end": after + n + 1}) for n, span in enumerate(spans)]
    return result.model_copy(update={"available": True, "reason": None, "spans": [*(result.spans or ()), *moved]})


def _unredacting(rules: Rulebook) -> Rulebook:
    """Nothing is redacted again, so no keys are needed."""
    plain = {check: rule.model_copy(update={"redaction": None}) for check, rule in rules.policy.rules.items()}
    return Rulebook(rules.policy.model_copy(update={"rules": plain}), rules.block, rules.allow)


def add(figures: RescoreFigures, check: Check, judgement: Judgement, *, examples: int) -> RescoreFigures:
    """The figures with one more check; the first so many that change are named."""
    before, after = _flagged(check.results), _flagged(judgement.results)
    changed = ChangedCheck(
        check_id=check.check_id,
        before=check.status,
        after=judgement.status,
        newly_flagged=[check_type for check_type in after if check_type not in before],
        no_longer_flagged=[check_type for check_type in before if check_type not in after],
    )
    told = changed.before != changed.after or changed.newly_flagged or changed.no_longer_flagged
    return RescoreFigures(
        rescored=figures.rescored + 1,
        changed=figures.changed + (changed.before != changed.after),
        moves=_moved(figures.moves, changed),
        by_type=_flipped(figures.by_type, changed),
        examples=[*figures.examples, changed] if told and len(figures.examples) < examples else figures.examples,
    )


def _flagged(results: Mapping[CheckType, DetectorResult]) -> list[CheckType]:
    return [check_type for check_type, result in results.items() if result.flagged]


def _moved(moves: Sequence[StatusMove], changed: ChangedCheck) -> list[StatusMove]:
    counts = Counter({(move.before, move.after): move.count for move in moves})
    counts[changed.before, changed.after] += 1
    return [StatusMove(before=before, after=after, count=count) for (before, after), count in sorted(counts.items())]


def _flipped(flips: Mapping[CheckType, TypeFlips], changed: ChangedCheck) -> dict[CheckType, TypeFlips]:
    found = dict(flips)
    for check_type in (*changed.newly_flagged, *changed.no_longer_flagged):
        known, anew = found.get(check_type, TypeFlips()), check_type in changed.newly_flagged
        found[check_type] = TypeFlips(
            newly_flagged=known.newly_flagged + anew, no_longer_flagged=known.no_longer_flagged + (not anew)
        )
    return found
