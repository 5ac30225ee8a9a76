"""A scripted server, and one way to drive the asynchronous and the synchronous clients alike."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import isa_user
import isa_user.sync
import pytest
from isa_user import _retry

from tests.sdk.server import ScriptedServer

# An entry of the audit log, and a published event too.
EVENT = {
    "event_id": "aud_1",
    "event_type": "user.login",
    "category": "user",
    "severity": "info",
    "outcome": "success",
    "actor_id": "user_123",
    "occurred_at": "2024-01-01T00:00:00Z",
    "recorded_at": "2024-01-01T00:00:01Z",
    "published_at": "2024-01-01T00:00:01Z",
    "published_by": "user_123",
    "source": "api",
    "stream": "main",
    "payload": {},
}
REPORT = {
    "report_id": "report_1",
    "standard": "GDPR",
    "status": "running",
    "period_start": "2024-01-01T00:00:00Z",
    "period_end": "2024-01-31T00:00:00Z",
    "include_details": False,
    "requested_by": "user_123",
    "created_at": "2024-02-01T00:00:00Z",
    "workflow_id": "audit.report:report_1",
    "workflow_url": "http://localhost:8233/",
}
SUMMARY = {"user_id": "u", "total_events": 3, "activity_by_type": {"user.login": 3}}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off without the waiting."""
    monkeypatch.setattr(_retry, "BACKOFF_FIRST", 0.001)
    monkeypatch.setattr(_retry, "RETRY_AFTER_JITTER", 0.0)


class Twin:
    """One client, asynchronous or synchronous; `await twin.log_event(...)` works for both."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._is_async = hasattr(client, "aclose")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.client, name)

        async def call(*args: Any, **keywords: Any) -> Any:
            if not self._is_async:
                return await asyncio.to_thread(method, *args, **keywords)
            answer = method(*args, **keywords)
            return await answer if inspect.isawaitable(answer) else answer

        return call

    async def items(self, listing: str, **keywords: Any) -> list[Any]:
        """All items of a list, over all its pages."""
        method = getattr(self.client, listing)
        if not self._is_async:
            return await asyncio.to_thread(lambda: list(method(**keywords)))
        return [item async for item in method(**keywords)]

    async def close(self) -> None:
        if self._is_async:
            await self.client.aclose()
        else:
            self.client.close()


MakeTwin = Callable[..., Twin]


@pytest.fixture(params=["async", "sync"])
async def client(request: pytest.FixtureRequest, server: ScriptedServer) -> AsyncIterator[MakeTwin]:
    """`client("AuditClient", token="t")`: a client of the scripted server."""
    module = isa_user if request.param == "async" else isa_user.sync
    made: list[Twin] = []

    def make(kind: str = "AuditClient", **keywords: Any) -> Twin:
        twin = Twin(getattr(module, kind)(server.url, **keywords))
        made.append(twin)
        return twin

    yield make
    for twin in made:
        await twin.close()
