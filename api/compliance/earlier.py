"""Checks of the same text a while ago, whose findings stand: looked for in groups, like checks are written."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import Check, CheckType, DetectorResult, KnownContent
from core.domain.compliance.checks import Order
from core.grouped import Grouped
from core.ports import Transactions
from core.store import compliance as store

Maker = tuple[str | None, str | None]
"""A detector's name and version."""


class EarlierChecks:
    """Finds them, as long as this process's detectors are those that the earlier check asked."""

    def __init__(self, database: Transactions) -> None:
        self._found: Grouped[KnownContent, Check | None] = Grouped(database, _find)
        self._present: dict[tuple[CheckType, str | None], Maker] = {}

    async def find(
        self, order: Order, text: str, check_types: Sequence[CheckType], *, own_only: str | None, now: datetime
    ) -> Check | None:
        """The check to tell again. Nothing is looked for while a type's detector has not shown its version here."""
        policy = order.rules.policy
        chosen = order.rules.detectors(check_types)
        makers = {check_type: self._present.get((check_type, chosen.get(check_type))) for check_type in check_types}
        if not policy.cache_seconds or None in makers.values():
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
        found = await self._found.do(order.tenant_id, wanted)
        return found if found and _stands(found, makers) else None

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
