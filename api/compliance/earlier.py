"""Checks of the same text a while ago, whose findings stand: looked for in groups, like checks are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from core.compliance.recent import Recent
from core.contracts.compliance import Check, CheckType, DetectorResult, KnownContent
from core.domain.compliance.checks import Order
from core.grouped import Grouped
from core.ports import Transactions
from core.store import compliance as store

Maker = tuple[str | None, str | None]
"""A detector's name and version."""
REMEMBERED, TENANTS = 20_000, 1024
VAIN_LOOKS, SELDOM = 64, 16
"""After so many looks in a row that found nothing, only every so many-th text new to this process is looked for."""


@dataclass(slots=True)
class _Luck:
    """Of one tenant: looks in vain since the last find, and texts passed over since the last look."""

    vain: int = 0
    passed: int = 0

    def try_it(self) -> bool:
        """Whether a text that this process has not seen is worth a look: other processes may have checked it."""
        if self.vain < VAIN_LOOKS or self.passed >= SELDOM - 1:
            self.passed = 0
            return True
        self.passed += 1
        return False


class EarlierChecks:
    """Finds them, as long as this process's detectors are those that the earlier check asked.

    What this process has checked itself it always looks for. Texts new to it cost a look each only as long as such
    looks find something, so that a stream of texts that never repeat pays next to nothing.
    """

    def __init__(self, database: Transactions) -> None:
        self._found: Grouped[KnownContent, Check | None] = Grouped(database, _find)
        self._present: dict[tuple[CheckType, str | None], Maker] = {}
        self._seen: Recent[int, datetime] = Recent(REMEMBERED)
        self._luck: Recent[str, _Luck] = Recent(TENANTS)

    async def find(
        self, order: Order, text: str, check_types: Sequence[CheckType], *, own_only: str | None, now: datetime
    ) -> Check | None:
        """The check to tell again. Nothing is looked for while a type's detector has not shown its version here."""
        policy, chosen = order.rules.policy, order.rules.detectors(check_types)
        if not policy.cache_seconds:
            return None
        wanted = KnownContent(
            content_hash=order.hash_of(text),
            content_type=order.content_type,
            check_types=list(check_types),
            policy=policy.name,
            policy_version=policy.version,
            checked_by=own_only,
            since=now - timedelta(seconds=policy.cache_seconds),
        )
        ours = self._remember(order.tenant_id, wanted, now)
        makers = {check_type: self._present.get((check_type, chosen.get(check_type))) for check_type in check_types}
        found = None if None in makers.values() else await self._look(order.tenant_id, wanted, ours=ours)
        return found if found and _stands(found, makers) else None

    def _remember(self, tenant: str, wanted: KnownContent, now: datetime) -> bool:
        """Whether this process has seen the text within the time that counts."""
        key = hash((tenant, wanted.content_hash, wanted.checked_by))
        seen = self._seen.get(key)
        self._seen.put(key, now)
        return seen is not None and seen > wanted.since

    async def _look(self, tenant: str, wanted: KnownContent, *, ours: bool) -> Check | None:
        luck = self._luck.get(tenant) or _Luck()
        self._luck.put(tenant, luck)
        if not ours and not luck.try_it():
            return None
        found = await self._found.do(tenant, wanted)
        luck.vain = 0 if found else luck.vain + (not ours)
        return found

    def learn(self, results: Mapping[CheckType, DetectorResult], chosen: Mapping[CheckType, str]) -> None:
        """These detectors answer now."""
        for check_type, result in results.items():
            if result.available:
                self._present[check_type, chosen.get(check_type)] = (result.detector, result.detector_version)


def _stands(check: Check, makers: Mapping[CheckType, Maker | None]) -> bool:
    """Every type was judged, and by the detector that would judge it now."""
    return all(
        result.available and (result.detector, result.detector_version) == makers[check_type]
        for check_type, result in check.results.items()
    )


async def _find(session: AsyncSession, _tenant: str, wanted: list[KnownContent]) -> list[Check | None]:
    return await store.known_checks(session, wanted)
