"""One request, one transaction: who calls, the idempotency key, the commit, the intents that are kept after it."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from sqlmodel.ext.asyncio.session import AsyncSession

from api.edge import StreamedRequest, StrictRequest
from core.auth import Caller, Verifier
from core.contracts.platform import Intent
from core.db import Database
from core.errors import Conflict, FieldError, Invalid, RateLimited, Unauthenticated
from core.keys import Seal, derive
from core.settings import Settings
from core.store import platform as store
from core.tables.platform import IdempotencyRow
from core.temporal import Keeper

log = structlog.get_logger(__name__)

KEY_HEADER, KEY_LENGTH = "idempotency-key", 200


class State:
    """What one front door holds for as long as it runs."""

    def __init__(self, settings: Settings, database: Database, keeper: Keeper, extras: dict[str, Any]) -> None:
        self.settings, self.database, self.keeper, self.extras = settings, database, keeper, extras
        self.verifier = Verifier(settings)
        self.limiter = RateLimiter(settings.rate_limit_per_minute)
        self.kept = KeptIntents(database)
        self.idempotency_key = derive(settings.secret_key, "idempotency")


def state_of(app: FastAPI) -> State:
    """The app's state, typed."""
    state: State = app.state.ops
    return state


class RateLimiter:
    """A token bucket for each caller, per process."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, who: str) -> None:
        """Count one request; RateLimited when the bucket is empty."""
        if not self._per_minute:
            return
        now, rate = time.monotonic(), self._per_minute / 60
        level, seen = self._buckets.get(who, (float(self._per_minute), now))
        level = min(float(self._per_minute), level + (now - seen) * rate)
        if level < 1:
            raise RateLimited(f"At most {self._per_minute} requests a minute.", retry_after=(1 - level) / rate)
        self._buckets[who] = (level - 1, now)


async def authenticate(request: Request, state: State) -> Caller:
    """The verified bearer of the request's token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send a token: Authorization: Bearer …")
    caller = await state.verifier.verify(token.strip())
    state.limiter.take(f"{caller.tenant_id}/{caller.user_id}")
    return caller


class Replayed(Exception):
    """An idempotency key was seen before; carries the answer it had."""

    def __init__(self, response: Response) -> None:
        super().__init__("replayed")
        self.response = response


@dataclass(frozen=True, slots=True)
class ClaimedKey:
    """An idempotency key in use. Its answer is kept under a seal that only the same request opens: what somebody wrote
    or was told once stays between them and us."""

    key_hash: str
    tenant_id: str
    body_hash: str
    seal: Seal


class UnitOfWork:
    """The request's one transaction: opened at first need, committed with the answer, then its intents are kept."""

    def __init__(self, request: Request, state: State, caller: Caller) -> None:
        self._request, self._state, self.caller = request, state, caller
        self._stack = AsyncExitStack()
        self._session: AsyncSession | None = None
        self._intents: list[Intent] = []
        self._key: ClaimedKey | None = None
        self.has_key = request.method == "POST" and KEY_HEADER in request.headers

    async def open(self) -> AsyncSession:
        """The session, with the caller's tenant set and the idempotency key claimed."""
        session = await self._transaction(self.caller.tenant_id)
        if self.has_key and self._key is None:
            await self._claim_key(session, self.caller)
        return session

    async def _transaction(self, tenant: str) -> AsyncSession:
        if self._session is None:
            self._session = await self._stack.enter_async_context(self._state.database.begin(tenant))
        return self._session

    async def promise(self, session: AsyncSession, intents: Sequence[Intent]) -> None:
        """Add intents to the transaction; they are kept once it commits."""
        await store.add_intents(session, intents)
        self._intents.extend(intents)

    def carry_out(self, intents: Sequence[Intent]) -> None:
        """Keep intents that a group commit has written, once the request is answered."""
        self._intents.extend(intents)

    async def commit(self, response: Response) -> None:
        """Store the answer under its key, commit, then reach Temporal. A second call replaces the answer."""
        if self._key is not None and response.status_code < 300:
            await self._keep_answer(self._key, response)
        self._session = None
        await self._stack.aclose()
        intents, self._intents = self._intents, []
        if intents:
            self._state.kept.forget(await self._state.keeper.keep(intents), intents)

    async def let_go(self) -> None:
        """End the transaction so far, for a request that takes long; its key is claimed anew at the next `open`."""
        self._session, self._key = None, None
        await self._stack.aclose()

    async def roll_back(self, error: BaseException) -> None:
        """Undo everything the request wrote."""
        self._session = None
        await self._stack.__aexit__(type(error), error, error.__traceback__)

    async def _claim_key(self, session: AsyncSession, caller: Caller) -> None:
        key = self._request.headers[KEY_HEADER]
        if not 0 < len(key) <= KEY_LENGTH:
            found = [FieldError("Idempotency-Key", f"must have 1 to {KEY_LENGTH} characters")]
            raise Invalid("The idempotency key has a wrong length.", errors=found)
        target = f"{self._request.url.path}?{self._request.url.query}"
        secret, request = self._state.idempotency_key, target.encode() + b"\n" + await self._request.body()
        body_hash = hmac.new(secret, request, hashlib.sha256).hexdigest()
        parts = "\n".join((caller.tenant_id, caller.user_id, self._request.app.title, key))
        key_hash = hashlib.sha256(parts.encode()).hexdigest()
        seal = Seal(hmac.digest(secret, b"answer\n" + request, hashlib.sha256))
        if not await store.lock_key(session, key_hash):
            detail = "A request with this key is being worked on: wait for its answer."
            raise Conflict(detail, code="idempotency_in_flight", retry_after=1)
        if kept := await store.kept_answer(session, key_hash):
            raise Replayed(_replay(kept, body_hash, seal))
        self._key = ClaimedKey(key_hash, caller.tenant_id, body_hash, seal)

    async def _keep_answer(self, key: ClaimedKey, response: Response) -> None:
        names = ("content-type", "location")
        headers = {name: response.headers[name] for name in names if name in response.headers}
        row = IdempotencyRow(
            key_hash=key.key_hash,
            tenant_id=key.tenant_id,
            body_hash=key.body_hash,
            status=response.status_code,
            headers=headers,
            body=key.seal.close(bytes(response.body)),
        )
        await store.keep_answer(await self._transaction(key.tenant_id), row)


def _replay(kept: IdempotencyRow, body_hash: str, seal: Seal) -> Response:
    if kept.body_hash != body_hash:
        detail = "This idempotency key belongs to another request: use a new key for a new request."
        raise Invalid(detail, code="idempotency_key_reused", errors=[FieldError("Idempotency-Key", "already used")])
    return Response(seal.open(kept.body), kept.status, {**kept.headers, "Idempotency-Replayed": "true"})


class KeptIntents:
    """Deletes intents that were kept, many at a time. One that survives a crash is found kept by the reconciler."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, list[str]] = {}
        self._task: asyncio.Task[None] | None = None

    def forget(self, kept: Sequence[str], intents: Sequence[Intent]) -> None:
        """Have these deleted soon."""
        for intent in intents:
            if intent.intent_id in kept:
                self._waiting.setdefault(intent.tenant_id, []).append(intent.intent_id)
        if self._waiting and self._task is None:
            self._task = asyncio.create_task(self._delete())

    async def _delete(self) -> None:
        try:
            await asyncio.sleep(0.05)
            while self._waiting:
                tenant, ids = self._waiting.popitem()
                async with self._database.begin(tenant) as session:
                    await store.delete_intents(session, ids)
        except Exception:
            log.warning("intents.not_deleted", exc_info=True)
        finally:
            self._task = None

    async def settle(self) -> None:
        """Wait for deletions under way."""
        if self._task is not None:
            await self._task


class OpsRoute(APIRoute):
    """Asks who calls, reads JSON strictly, and gives each request its unit of work.

    All here rather than in dependencies: FastAPI resolves each dependency of each request anew, and these are the same
    for every route. `request_class` says how a body is read.
    """

    request_class: type[StrictRequest] = StrictRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def one_transaction(request: Request) -> Response:
            state, strict = state_of(request.app), self.request_class(request.scope, request.receive)
            unit = UnitOfWork(strict, state, await authenticate(request, state))
            request.scope["ops.unit"] = unit
            try:
                await strict.refuse_nul()
                if unit.has_key:
                    await unit.open()
                response = await handle(strict)
                await unit.commit(response)
            except Replayed as replayed:
                await unit.roll_back(replayed)
                return replayed.response
            except BaseException as error:
                await unit.roll_back(error)
                raise
            return response

        return one_transaction


class StreamRoute(OpsRoute):
    """A route that reads its body as it comes, in transactions of its own."""

    request_class = StreamedRequest
