"""Policies as a process holds them: versions for good, because how they judge never changes; who uses which for two
seconds. Whom a version has told of reviews is read anew for each review: an erasure changes that."""

import asyncio
import time

from core.compliance.recent import Recent
from core.contracts.compliance import BUILT_IN_POLICIES, ChosenPolicy, PolicyHeads, PolicySettings
from core.domain.compliance.lists import Compile, Pattern
from core.domain.compliance.policies import DRAFT, Rulebook, choose, policy_of, rulebook
from core.ports import Transactions
from core.store import compliance as store

FRESH_SECONDS = 2.0
"""How long another process may take to notice a change."""
UNSETTLED_SECONDS = 1.0
"""After a change by this process nothing is shared or kept: its transaction may not have committed yet."""
MAX_TENANTS, MAX_RULEBOOKS = 1024, 512


class Policies:
    """Implements `core.ports.Rulebooks`."""

    def __init__(self, database: Transactions, compiled: Compile) -> None:
        self._database, self._compiled = database, compiled
        self._heads: Recent[str, tuple[float, PolicyHeads]] = Recent(MAX_TENANTS)
        self._books: Recent[tuple[str, str, int], Rulebook] = Recent(MAX_RULEBOOKS)
        self._built_in = {name: rulebook(policy, compiled) for name, policy in BUILT_IN_POLICIES.items()}
        self._reading: dict[str, asyncio.Task[PolicyHeads]] = {}
        self._changed: Recent[str, float] = Recent(MAX_TENANTS)

    async def choose(
        self, tenant_id: str, *, named: str | None, caller: str, category: str | None
    ) -> ChosenPolicy | None:
        """Which policy judges a check, and why; None where the one named is not there (asked anew to be sure)."""
        heads = await self._known(tenant_id)
        found = choose(heads, named=named, caller=caller, category=category)
        if found is None:
            found = choose(await self._read(tenant_id), named=named, caller=caller, category=category)
        return found

    async def version(self, tenant_id: str, name: str, version: int) -> Rulebook | None:
        """One version of a policy, ready to judge."""
        if name in self._built_in:
            return self._built_in[name]
        key = (tenant_id, name, version)
        known = self._books.get(key)
        if known is None:
            async with self._database.begin(tenant_id) as session:
                policy = await store.policy_version(session, name, version)
            known = rulebook(policy, self._compiled) if policy else None
            if known is not None:
                self._books.put(key, known)
        return known

    def draft(self, settings: PolicySettings) -> Rulebook:
        """A policy that is not made yet; PatternFault for an expression that is none."""
        return rulebook(policy_of(settings, name=DRAFT, version=0), self._compiled)

    def compile(self, expression: str) -> Pattern:
        """As entries of lists are; PatternFault for an expression that is none."""
        return self._compiled(expression)

    def forget(self, tenant_id: str) -> None:
        """This process is changing something of the tenant's."""
        self._heads.drop(tenant_id)
        self._changed.put(tenant_id, time.monotonic() + UNSETTLED_SECONDS)

    async def _known(self, tenant_id: str) -> PolicyHeads:
        known = self._heads.get(tenant_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        return await self._read(tenant_id)

    async def _read(self, tenant_id: str) -> PolicyHeads:
        """Requests that come meanwhile share one read."""
        if (self._changed.get(tenant_id) or 0) > time.monotonic():
            return await self._read_now(tenant_id)
        if tenant_id not in self._reading:
            self._reading[tenant_id] = asyncio.create_task(self._read_to_keep(tenant_id))
        return await asyncio.shield(self._reading[tenant_id])

    async def _read_to_keep(self, tenant_id: str) -> PolicyHeads:
        started = time.monotonic()
        try:
            heads = await self._read_now(tenant_id)
        finally:
            del self._reading[tenant_id]
        if (self._changed.get(tenant_id) or 0) < started:
            self._heads.put(tenant_id, (started + FRESH_SECONDS, heads))
        return heads

    async def _read_now(self, tenant_id: str) -> PolicyHeads:
        async with self._database.begin(tenant_id) as session:
            return await store.policy_heads(session)
