"""Mail by SendGrid, through its own SDK."""

import asyncio
import time
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

from pydantic import SecretStr
from python_http_client.exceptions import HTTPError  # type: ignore[import-untyped]  # publishes no types
from sendgrid import SendGridAPIClient  # type: ignore[import-untyped]  # publishes no types
from sendgrid.helpers.mail import Content, CustomArg, From, Header, Mail, To  # type: ignore[import-untyped]  # publishes no types

from core.adapters.addresses import in_ascii
from core.contracts.event.webhook import FailureClass
from core.contracts.notification import PROVIDER_UNAVAILABLE
from core.domain.event import retry_after_seconds
from core.domain.notification import from_http
from core.ports import DeliveryFailure, OutgoingMessage, Receipt

TIMEOUT_SECONDS = 20


class SendGrid:
    """Hands mail to SendGrid's v3 API. The SDK blocks, so each call runs in a thread."""

    provider = "sendgrid"

    def __init__(self, api_key: SecretStr, *, sender: str, base_url: str) -> None:
        self._client = SendGridAPIClient(api_key.get_secret_value(), host=base_url.rstrip("/"))
        self._client.client.timeout = TIMEOUT_SECONDS
        self._sender = sender

    async def send(self, message: OutgoingMessage) -> Receipt:
        return await asyncio.to_thread(self._send, message)

    def _send(self, message: OutgoingMessage) -> Receipt:
        try:
            reply = self._client.send(_mail(message, self._sender))
        except HTTPError as error:
            raise _failure(error) from error
        except OSError as error:  # urllib's errors, time-outs among them
            raise DeliveryFailure(PROVIDER_UNAVAILABLE, FailureClass.TRANSIENT, str(error)) from error
        return Receipt(provider_message_id=reply.headers.get("X-Message-Id"))


def _mail(message: OutgoingMessage, sender: str) -> Mail:
    name, address = parseaddr(sender)
    mail = Mail(from_email=From(address, name or None), to_emails=To(in_ascii(message.addresses[0])))
    mail.subject = message.subject or "(no subject)"  # SendGrid refuses an empty one
    mail.add_content(Content("text/plain", message.text))
    if message.html is not None:
        mail.add_content(Content("text/html", message.html))
    mail.add_header(Header("X-Notification-ID", message.notification_id))
    mail.add_custom_arg(CustomArg("notification_id", message.notification_id))
    mail.add_custom_arg(CustomArg("correlation_id", message.correlation_id))
    return mail


def _failure(error: HTTPError) -> DeliveryFailure:
    found = from_http(error.status_code, retry_after=_retry_after(error.headers))
    told = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else str(error.body)
    return DeliveryFailure(
        found.code, found.failure_class, f"{error.status_code} {told}", retry_after=found.retry_after
    )


def _retry_after(headers: Any) -> float | None:
    """Retry-After, or the moment at which SendGrid's own limit begins anew."""
    if (seconds := retry_after_seconds(headers.get("Retry-After"), datetime.now(UTC))) is not None:
        return seconds
    reset = str(headers.get("X-RateLimit-Reset", ""))
    return max(0.0, int(reset) - time.time()) if reset.isascii() and reset.isdigit() else None
