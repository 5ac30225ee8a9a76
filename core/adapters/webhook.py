"""Webhooks over HTTP: signed by Standard Webhooks, posted once within a bounded time."""

import asyncio
import ssl
import time
from datetime import UTC, datetime

import httpx
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from core.adapters.network import guarded_client
from core.contracts.event.webhook import SECRET_PURPOSE, SNIPPET_BYTES
from core.domain.event import BAD_ADDRESS, SECRET_UNREADABLE, retry_after_seconds
from core.errors import Forbidden, Unavailable
from core.keys import Seal, derive, webhook_secret
from core.ports import WebhookMessage, WebhookReply

CONTENT_TYPE = "application/cloudevents+json"
USER_AGENT = "isa-operations-webhook/1"
WHOLE_SECONDS = 15.0
TIMEOUT = httpx.Timeout(connect=5, read=10, write=10, pool=10)
READ_BYTES = 64 * 1024  # an answer that ends within this leaves its connection to be used again


class HttpWebhookSender:
    """One shared client for all endpoints. Opens sealed secrets only to sign."""

    def __init__(self, *, secret_key: SecretStr, allow_private: bool) -> None:
        self._secret_key = secret_key
        self._seal = Seal(derive(secret_key, SECRET_PURPOSE))
        self._client = guarded_client(allow_private=allow_private)

    async def send(self, message: WebhookMessage) -> WebhookReply:
        started = time.perf_counter()
        try:
            headers = self._headers(message)
        except ValueError:  # sealed under an OPS_SECRET_KEY of the past: rotating the secret seals a new one
            return WebhookReply(_since(started), error=SECRET_UNREADABLE)
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                return await self._post(message, headers, started)
        except (TimeoutError, httpx.TimeoutException):
            return WebhookReply(_since(started), error="timeout")
        except (Forbidden, Unavailable) as error:
            return WebhookReply(_since(started), error=error.code)
        except (httpx.InvalidURL, UnicodeError):  # UnicodeError: a host that looks like punycode and is none
            return WebhookReply(_since(started), error=BAD_ADDRESS)
        except (httpx.TransportError, ssl.SSLError) as error:
            tls = isinstance(error, ssl.SSLError) or "SSL" in str(error)
            return WebhookReply(_since(started), error="tls_failed" if tls else "connection_failed")

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, message: WebhookMessage, headers: dict[str, str], started: float) -> WebhookReply:
        content = message.body.encode()
        async with self._client.stream(
            "POST", message.url, content=content, headers=headers, timeout=TIMEOUT
        ) as response:
            text = await _beginning(response)
        status = response.status_code
        return WebhookReply(
            _since(started),
            status_code=status,
            error=None if response.is_success else f"http_{status}",
            response=text or None,
            retry_after=retry_after_seconds(response.headers.get("retry-after"), datetime.now(UTC)),
        )

    def _headers(self, message: WebhookMessage) -> dict[str, str]:
        now = datetime.now(UTC)
        signatures = [Webhook(secret).sign(message.webhook_id, now, message.body) for secret in self._secrets(message)]
        return {
            "webhook-id": message.webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
            "content-type": CONTENT_TYPE,
            "user-agent": USER_AGENT,
            "accept-encoding": "identity",  # the log shows the beginning of the answer as it is
        }

    def _secrets(self, message: WebhookMessage) -> list[str]:
        if not message.secrets:
            return [webhook_secret(self._secret_key, message.tenant_id)]
        return [self._seal.open(sealed).decode() for sealed in message.secrets]


async def _beginning(response: httpx.Response) -> str:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > READ_BYTES:
            break
    return bytes(body[:SNIPPET_BYTES]).decode("utf-8", "replace").replace("\x00", "\ufffd")


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
