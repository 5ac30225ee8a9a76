"""What threads do their own way: waiting, tokens, the connection pool, and when paging starts.

`isa_user._async._io` offers the same names for an event loop. Nothing else in the SDK exists twice by hand.
"""

import time
import weakref
from collections.abc import Callable, Iterator
from typing import TypeVar

import httpx

from isa_user._lines import Lines
from isa_user._models.base import Result
from isa_user._request import tls
from isa_user._sync.page import Page

Item = TypeVar("Item", bound=Result)
Answer = TypeVar("Answer")

Token = str | Callable[[], str]
Load = Callable[[], Answer]
HttpClient = httpx.Client
Transport = httpx.BaseTransport

sleep = time.sleep


def resolve_token(token: Token | None) -> str | None:
    """The token's text; a callable is asked before every try, so it may refresh."""
    return token() if callable(token) else token


def pieces(content: Lines) -> Iterator[bytes]:
    """The lines as a body that is sent as it is read."""
    return content.pieces()


class Pool:
    """The HTTP connections of one client: those given to it, or its own."""

    def __init__(self, given: HttpClient | None, transport: Transport | None) -> None:
        self._http = given or HttpClient(transport=transport, verify=tls())
        # Also runs when the client is forgotten, and at exit: nobody has to close.
        self._close = weakref.finalize(self, _nothing if given else self._http.close)

    def http(self) -> HttpClient:
        """The connections; an error after `close`."""
        return self._http

    def close(self) -> None:
        """Close the connections, unless they were given."""
        self._close()


def _nothing() -> None:
    """Connections that were given stay their owner's."""


def start_paging(load: Load[Page[Item]]) -> Page[Item]:
    """Synchronous lists are asked for at once."""
    return load()


Paged = Page
