"""httpx behind the `http_request` task type: one shared client, answers read up to a limit."""

import httpx

from core.contracts.task import HttpReply, HttpRequestPayload
from core.errors import Unavailable

MAX_BODY_BYTES = 64 * 1024
CONNECTIONS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5)


class HttpxCaller:
    """Calls public addresses; private ones only where that is allowed."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._client = httpx.AsyncClient(limits=CONNECTIONS, follow_redirects=False)

    async def call(self, request: HttpRequestPayload, *, headers: dict[str, str]) -> HttpReply:
        content = request.body if isinstance(request.body, str) else None
        body = None if content is not None else request.body
        try:
            async with self._client.stream(
                request.method.value,
                str(request.url),
                headers=headers,
                content=content,
                json=body,
                timeout=request.timeout_seconds,
            ) as response:
                return await _read(response)
        except httpx.TimeoutException as error:
            raise Unavailable("The address did not answer in time.", code="http_timeout") from error
        except httpx.TransportError as error:
            raise Unavailable(
                f"The address could not be reached: {type(error).__name__}.", code="http_unreachable"
            ) from error

    async def close(self) -> None:
        await self._client.aclose()


async def _read(response: httpx.Response) -> HttpReply:
    body, truncated = bytearray(), False
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            truncated = True
            break
    text = bytes(body[:MAX_BODY_BYTES]).decode(response.encoding or "utf-8", "replace").replace("\x00", "\ufffd")
    return HttpReply(status=response.status_code, headers=dict(response.headers), body=text, truncated=truncated)
