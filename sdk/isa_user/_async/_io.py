"""What an event loop does its own way: waiting, tokens, the connection pool, and when paging starts.

`isa_user._sync._io` offers the same names for threads. Nothing else in the SDK exists twice by hand.
"""

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from typing import Generic, TypeVar

import httpx

from isa_user._async.page import Page
from isa_user._lines import Lines
from isa_user._models.base import Result
from isa_user._request import tls

Item = TypeVar("Item", bound=Result)
Answer = TypeVar("Answer")

Token = str | Callable[[], str | Awaitable[str]]
Load = Callable[[], Awaitable[Answer]]
HttpClient = httpx.AsyncClient
Transport = httpx.AsyncBaseTransport

sleep = asyncio.sleep


async def resolve_token(token: Token | None) -> str | None:
    """The token's text; a callable is asked before every try, so it may refresh."""
    if not callable(token):
        return token
    answer = token()
    return await answer if inspect.isawaitable(answer) else answer


async def pieces(content: Lines) -> AsyncIterator[bytes]:
    """The lines as a body that is sent as it is read."""
    for piece in content.pieces():
        yield piece


class Pool:
    """The HTTP connections of one client: those given to it, or its own, one set for each event loop it is used on."""

    def __init__(self, given: HttpClient | None, transport: Transport | None) -> None:
        self._given, self._transport = given, transport
        self._own: dict[asyncio.AbstractEventLoop, tuple[HttpClient, AsyncGenerator[None]]] = {}
        self._closed = False

    async def http(self) -> HttpClient:
        """The connections for the running event loop; an error after `close`."""
        if self._given is not None:
            return self._given
        if self._closed:
            raise RuntimeError("the client is closed")
        loop = asyncio.get_running_loop()
        if loop not in self._own:
            await self._open(loop)
        return self._own[loop][0]

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._own = {used: own for used, own in self._own.items() if not used.is_closed()}
        http = HttpClient(transport=self._transport, verify=tls())
        # asyncio ends open generators before it ends the loop: a client that nobody closes is closed then.
        guard = _closing(http)
        await anext(guard)
        self._own[loop] = http, guard

    async def close(self) -> None:
        """Close the connections of the running loop, unless they were given."""
        self._closed = True
        if own := self._own.pop(asyncio.get_running_loop(), None):
            await own[1].aclose()


async def _closing(http: HttpClient) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await http.aclose()


class Pages(Generic[Item]):
    """A list that has not been asked for yet.

    `async for item in …` goes through all items, asking for page after page. `await …` asks for one `Page`.
    """

    def __init__(self, load: Load[Page[Item]]) -> None:
        self._load = load

    def __await__(self) -> Generator[None, None, Page[Item]]:
        return self._load().__await__()

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for item in await self:
            yield item

    async def pages(self) -> AsyncIterator[Page[Item]]:
        """Page after page, the first one included."""
        async for page in (await self).pages():
            yield page


def start_paging(load: Load[Page[Item]]) -> Pages[Item]:
    """Asynchronous lists are asked for when they are awaited or iterated."""
    return Pages(load)


Paged = Pages
