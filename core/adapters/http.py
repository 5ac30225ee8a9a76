"""The HTTP call of the `http_request` task type: one shared guarded client, answers read up to a limit."""

import asyncio
import ssl

import httpx

from core.adapters.network import guarded_client
from core.contracts.task import HttpReply, HttpRequestPayload
from core.errors import Unavailable

MAX_BODY_BYTES = 64 * 1024
USER_AGENT = "isa-operations-task/1"


class HttpxCaller:
    """Calls public addresses; private ones only where that is allowed. Redirects are answers like any other."""

    def __init__(self, *, allow_private: bool) -> None:
        self._client = guarded_client(allow_private=allow_private)
        self._client.headers["user-agent"] = USER_AGENT
        # a small answer could unpack to any size, so none is unpacked
        self._client.headers["accept-encoding"] = "identity"

    async def call(self, request: HttpRequestPayload, *, headers: dict[str, str]) -> HttpReply:
        text = request.body if isinstance(request.body, str) else None
        try:
            async with (
                asyncio.timeout(request.timeout_seconds),
                self._client.stream(
                    request.method.value,
                    str(request.url),
                    headers=headers,
                    content=text,
                    json=request.body if text is None else None,
                    timeout=request.timeout_seconds,
                ) as response,
            ):
                return await _read(response)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Unavailable("The address did not answer in time.", code="http_timeout") from error
        except (httpx.TransportError, ssl.SSLError) as error:
            detail = f"The address could not be reached: {type(error).__name__}."
            raise Unavailable(detail, code="http_unreachable") from error

    async def close(self) -> None:
        await self._client.aclose()


async def _read(response: httpx.Response) -> HttpReply:
    body, truncated = bytearray(), False
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            truncated = True
            break
    text = _text(bytes(body[:MAX_BODY_BYTES]), response.encoding or "utf-8")
    return HttpReply(status=response.status_code, headers=dict(response.headers), body=text, truncated=truncated)


def _text(body: bytes, encoding: str) -> str:
    """What can be kept of a body: no NUL, no half of a surrogate pair. Python knows encodings that are none of text."""
    try:
        text = body.decode(encoding, "replace")
    except (LookupError, UnicodeError):
        text = body.decode("utf-8", "replace")
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
