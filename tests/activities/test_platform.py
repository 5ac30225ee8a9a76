"""The reconciler of intents: everything due is tried in one run, whatever stands in front of it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.testing import ActivityEnvironment

from activities.platform import PlatformActivities
from core.contracts.platform import LAST_IN_LINE, Intent, ReconcileInput, ReconcileResult
from core.db import Database
from core.ids import new_id
from core.store import platform as store


@dataclass(frozen=True)
class OfOneTenant:
    """Transactions that see one tenant's intents where the reconciler sees everybody's."""

    database: Database
    tenant: str

    def begin(self, tenant: str) -> AbstractAsyncContextManager[AsyncSession]:
        return self.database.begin(tenant)

    def begin_all(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.database.begin(self.tenant)


@dataclass
class Refusing:
    """An IntentKeeper for which some intents can never be kept; notes what it was asked for, and what was told."""

    refused: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    told: int = -1

    async def keep(self, intents: Sequence[Intent]) -> list[str]:
        self.asked += [intent.intent_id for intent in intents]
        return [intent.intent_id for intent in intents if intent.intent_id not in self.refused]

    def pending(self, intents: int) -> None:
        self.told = intents


@pytest.fixture
def keeper() -> Refusing:
    return Refusing()


@pytest.fixture
def activities(database: Database, tenant: str, keeper: Refusing) -> PlatformActivities:
    return PlatformActivities(OfOneTenant(database, tenant), keeper, keeper)


async def _promised(database: Database, tenant: str, count: int, priority: int = 0) -> list[str]:
    """So many intents, oldest first."""
    ids = sorted(new_id("intent") for _ in range(count))
    for intent_id in ids:
        intent = Intent(intent_id=intent_id, tenant_id=tenant, workflow_id=f"test:{intent_id}", priority=priority)
        async with database.begin(tenant) as session:
            await store.add_intents(session, [intent])
    return ids


async def _reconcile(activities: PlatformActivities, limit: int) -> ReconcileResult:
    wanted = ReconcileInput(older_than_seconds=-60, limit=limit)
    result: ReconcileResult = await ActivityEnvironment().run(activities.reconcile, wanted)
    return result


async def test_intents_that_can_never_be_kept_do_not_hide_those_behind_them(
    activities: PlatformActivities, keeper: Refusing, database: Database, tenant: str
) -> None:
    ids = await _promised(database, tenant, 7)
    keeper.refused = {*ids[:4], ids[5]}
    assert await _reconcile(activities, limit=2) == ReconcileResult(kept=2, left=5)
    assert keeper.asked == ids
    assert keeper.told == 5


async def test_all_that_is_due_is_kept_in_one_run(
    activities: PlatformActivities, keeper: Refusing, database: Database, tenant: str
) -> None:
    ids = await _promised(database, tenant, 6)
    assert await _reconcile(activities, limit=2) == ReconcileResult(kept=6, left=0)
    assert keeper.asked == ids
    assert await _reconcile(activities, limit=2) == ReconcileResult()


async def test_what_is_last_in_line_comes_after_all_others_even_those_refused(
    activities: PlatformActivities, keeper: Refusing, database: Database, tenant: str
) -> None:
    last = await _promised(database, tenant, 3, priority=LAST_IN_LINE)
    first = await _promised(database, tenant, 3)
    keeper.refused = {first[1], last[0]}
    assert await _reconcile(activities, limit=2) == ReconcileResult(kept=4, left=2)
    assert keeper.asked == [*first, *last]
