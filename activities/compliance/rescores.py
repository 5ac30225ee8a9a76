"""Chunks of a re-score: past checks read, judged again, counted. Their redacted texts stay in the database."""

from collections.abc import Iterator, Mapping, Sequence

from temporalio import activity

from core.contracts.compliance import (
    RESCORE_CHUNK,
    Check,
    CheckType,
    DetectorResult,
    PolicySettings,
    RescoreChunk,
    RescoreFigures,
    RescoreInput,
)
from core.domain.compliance.content import ContentFault, Extracted, extract
from core.domain.compliance.policies import Rulebook
from core.domain.compliance.rescores import add, rejudge
from core.ports import Inspector, Rulebooks, Transactions
from core.store import compliance as store
from core.tables.compliance import RescoreRow

CHUNK_CHECKS, SLICE_CHARACTERS = 100, 64 * 1024
"""As much as is read and counted at a time, and inspected between two heartbeats."""
Found = Mapping[CheckType, DetectorResult]


class RescoreActivities:
    """Collaborators: the database, the detectors, the policies."""

    def __init__(self, database: Transactions, detectors: Inspector, *, policies: Rulebooks) -> None:
        self._database, self._detectors, self._policies = database, detectors, policies

    @activity.defn(name=RESCORE_CHUNK)
    async def rescore_chunk(self, wanted: RescoreInput) -> RescoreChunk:
        """Judge the next checks again. Run again after a crash, it goes on where the last commit was."""
        async with self._database.begin(wanted.tenant_id) as session:
            row = await store.start_rescore(session, wanted.rescore_id)
            checks = await store.next_checks(session, row, limit=CHUNK_CHECKS) if row else []
        if row is None:
            return RescoreChunk()
        figures = await self._judged(row, checks)
        async with self._database.begin(wanted.tenant_id) as session:
            return await store.settle_rescore(session, row, figures, checks)

    async def _judged(self, row: RescoreRow, checks: Sequence[Check]) -> RescoreFigures:
        rules, figures = await self._rules(row), RescoreFigures.model_validate(row.result)
        thresholds = await self._thresholds(rules) if not row.run_detectors else {}
        for part in _parts(checks):
            read = [_read(check) for check in part]
            found = await self._inspected(rules, part, read) if row.run_detectors else [{} for _ in part]
            for check, one, seen in zip(part, read, found, strict=True):
                judgement = rejudge(check, _text(check), rules, seen, thresholds, read=one.text)
                figures = add(figures, check, judgement, examples=row.examples)
            activity.heartbeat(figures.rescored)
        return figures

    async def _rules(self, row: RescoreRow) -> Rulebook:
        if row.draft is not None:
            return self._policies.draft(PolicySettings.model_validate(row.draft))
        rules = await self._policies.version(row.tenant_id, row.policy or "", row.policy_version or 0)
        if rules is None:
            raise LookupError(f"no version {row.policy_version} of the policy {row.policy}")
        return rules

    async def _inspected(self, rules: Rulebook, checks: Sequence[Check], read: Sequence[Extracted]) -> list[Found]:
        """What detectors say of the redacted texts; checks that looked for the same types are asked for together."""
        found: dict[str, Found] = {}
        for types in {tuple(check.results) for check in checks}:
            alike = [(check, one) for check, one in zip(checks, read, strict=True) if tuple(check.results) == types]
            texts = [one.text for _, one in alike]
            results = await self._detectors.inspect(texts, types, rules.detectors(types))
            for (check, one), result in zip(alike, results, strict=True):
                found[check.check_id] = {check_type: one.located(said) for check_type, said in result.items()}
        return [found[check.check_id] for check in checks]

    async def _thresholds(self, rules: Rulebook) -> dict[CheckType, float]:
        """The detectors' own: a check keeps the one of the policy that judged it."""
        types = list(CheckType)
        (said,) = await self._detectors.inspect(["."], types, rules.detectors(types))
        return {check_type: result.threshold for check_type, result in said.items() if result.threshold is not None}


def _text(check: Check) -> str:
    pii = check.results.get(CheckType.PII)
    return (pii.redacted if pii else None) or ""


def _read(check: Check) -> Extracted:
    """Structured content; where a redaction has broken the structure, the text as it is."""
    try:
        return extract(check.content_type, _text(check))
    except ContentFault:
        return extract("text", _text(check))


def _parts(checks: Sequence[Check]) -> Iterator[list[Check]]:
    """In order, each of at most SLICE_CHARACTERS, or one check."""
    part: list[Check] = []
    size = 0
    for check in checks:
        length = len(_text(check))
        if part and size + length > SLICE_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(check)
        size += length
    if part:
        yield part
