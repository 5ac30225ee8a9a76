"""Outgoing HTTP that reaches the public internet only: the guard stands where the connection is made."""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from core.domain.event import is_public_address
from core.errors import Forbidden, Unavailable

TRIED_ADDRESSES = 3
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5)


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a name once, refuses it if any address is not public, and connects to an address it has checked.

    A check before the request would not do: the name could resolve to another address when the connection is made.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._inner, self._allow_private = httpcore.AnyIOBackend(), allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await _resolve(host, port, timeout)
        if not self._allow_private and not all(is_public_address(address) for address in addresses):
            raise Forbidden(f"{host} is a private or local address.", code="address_not_allowed")
        for address in addresses[1:TRIED_ADDRESSES]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _resolve(host: str, port: int, seconds: float | None) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Unavailable(f"The name {host} cannot be resolved.", code="name_not_resolved") from error
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"resolving {host} took too long") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx over the guarded network: httpx has no public way to hand its pool a network, so the pool is replaced."""

    def __init__(self, *, allow_private: bool) -> None:
        context = ssl.create_default_context()
        super().__init__(verify=context)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=LIMITS.max_connections,
            max_keepalive_connections=LIMITS.max_keepalive_connections,
            keepalive_expiry=LIMITS.keepalive_expiry,
            network_backend=GuardedNetwork(allow_private=allow_private),
        )


def guarded_client(*, allow_private: bool) -> httpx.AsyncClient:
    """A client without redirects and without proxies from the environment. Forbidden: a private address;
    Unavailable: a name nobody knows; httpx.TransportError: whatever else goes wrong on the way."""
    return httpx.AsyncClient(transport=GuardedTransport(allow_private=allow_private), follow_redirects=False)
