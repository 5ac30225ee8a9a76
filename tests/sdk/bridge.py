"""The SDK's HTTP, carried to the suite's own apps in this process: the port of an address says which app is meant."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from core.settings import ServiceName

PORTS: dict[int, ServiceName] = {
    8205: "audit", 8206: "notification", 8211: "task", 8226: "compliance", 8230: "event",
}  # fmt: skip
OpenApp = Callable[[ServiceName], Awaitable[Any]]


class Bridge:
    """The apps live on one event loop; clients may call from it, from another loop, or from a thread."""

    def __init__(self, open_app: OpenApp) -> None:
        self._open_app = open_app
        self._loop = asyncio.get_running_loop()

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        app = await self._open_app(PORTS[request.url.port or 80])
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        response = await transport.handle_async_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())

    def asynchronous(self) -> httpx.AsyncBaseTransport:
        async def handle(request: httpx.Request) -> httpx.Response:
            future = asyncio.run_coroutine_threadsafe(self._answered(await _read(request)), self._loop)
            return await asyncio.wrap_future(future)

        return httpx.MockTransport(handle)

    def synchronous(self) -> httpx.BaseTransport:
        def handle(request: httpx.Request) -> httpx.Response:
            content = request.read()
            copy = httpx.Request(request.method, request.url, headers=request.headers, content=content)
            return asyncio.run_coroutine_threadsafe(self._answered(copy), self._loop).result()

        return httpx.MockTransport(handle)


async def _read(request: httpx.Request) -> httpx.Request:
    return httpx.Request(request.method, request.url, headers=request.headers, content=await request.aread())
