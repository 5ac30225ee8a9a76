"""SMS by Twilio, through its own SDK."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from pydantic import SecretStr
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]  # publishes no types
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # publishes no types
from twilio.http.response import Response  # type: ignore[import-untyped]  # publishes no types
from twilio.rest import Client  # type: ignore[import-untyped]  # publishes no types

from core.contracts.event.webhook import FailureClass
from core.contracts.notification import BAD_ADDRESS, OPTED_OUT, PROVIDER_UNAVAILABLE
from core.domain.event import retry_after_seconds
from core.domain.notification import from_http
from core.ports import DeliveryFailure, OutgoingMessage, Receipt

TIMEOUT_SECONDS = 20.0
BUSY = frozenset({429, 503})
# https://www.twilio.com/docs/api/errors: what is wrong with the number we named.
WRONG_NUMBER = frozenset({21211, 21214, 21217, 21401, 21421, 21612, 21614})
UNSUBSCRIBED = 21610


class Twilio:
    """Hands text messages to Twilio's REST API. The SDK blocks, so each call runs in a thread."""

    provider = "twilio"

    def __init__(self, account_sid: str, auth_token: SecretStr, *, sender: str, base_url: str | None) -> None:
        self._client = Client(account_sid, auth_token.get_secret_value(), http_client=_Http(base_url))
        self._sender = sender

    async def send(self, message: OutgoingMessage) -> Receipt:
        return await asyncio.to_thread(self._send, message)

    def _send(self, message: OutgoingMessage) -> Receipt:
        try:
            sent = self._client.messages.create(to=message.addresses[0], from_=self._sender, body=message.text)
        except TwilioRestException as error:
            raise _failure(error) from error
        except requests.RequestException as error:
            raise DeliveryFailure(PROVIDER_UNAVAILABLE, FailureClass.TRANSIENT, str(error)) from error
        return Receipt(provider_message_id=sent.sid)


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the SDK publishes no types
    """The SDK's own client, to another host where one is set; the SDK's errors forget when to come back."""

    def __init__(self, base_url: str | None) -> None:
        super().__init__(timeout=TIMEOUT_SECONDS)
        self._base = urlsplit(base_url) if base_url else None

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Response:
        if self._base is not None:
            url = urlunsplit(urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc))
        response = super().request(method, url, *args, **options)
        if response.status_code in BUSY:
            after = retry_after_seconds((response.headers or {}).get("Retry-After"), datetime.now(UTC))
            found = from_http(response.status_code, retry_after=after)
            told = f"{response.status_code} {response.text}"
            raise DeliveryFailure(found.code, found.failure_class, told, retry_after=found.retry_after)
        return response


def _failure(error: TwilioRestException) -> DeliveryFailure:
    told = f"{error.status} {error.code}: {error.msg}"
    if error.code in WRONG_NUMBER:
        return DeliveryFailure(BAD_ADDRESS, FailureClass.PERMANENT, told)
    if error.code == UNSUBSCRIBED:
        return DeliveryFailure(OPTED_OUT, FailureClass.PERMANENT, told)
    found = from_http(error.status)
    return DeliveryFailure(found.code, found.failure_class, told)
