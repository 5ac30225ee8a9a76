"""Push by Firebase Cloud Messaging (HTTP v1), through firebase-admin."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import firebase_admin  # type: ignore[import-untyped]  # publishes no types
from firebase_admin import credentials, exceptions, messaging
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from core.contracts.event.webhook import FailureClass
from core.contracts.notification import BAD_ADDRESS, NO_ADDRESS, PROVIDER_UNAUTHORIZED, PROVIDER_UNAVAILABLE
from core.domain.event import retry_after_seconds
from core.domain.notification import from_http
from core.ports import DeliveryFailure, OutgoingMessage, Receipt

GOOGLE = "https://fcm.googleapis.com"
TIMEOUT_SECONDS, MOST_DEVICES = 20, 500
# The push message carries a beginning; FCM takes at most 4096 bytes in all.
MOST_TITLE_CHARACTERS, MOST_TEXT_CHARACTERS = 100, 700
WORTH_ANOTHER_TRY = (FailureClass.THROTTLED, FailureClass.TRANSIENT)


class Firebase:
    """Hands push messages to FCM, one for each device. The SDK blocks, so each call runs in a thread."""

    provider = "firebase"

    def __init__(self, service_account: str, *, base_url: str | None) -> None:
        certificate = credentials.Certificate(service_account)
        name = f"isa-operations-{uuid.uuid4()}"
        self._app = firebase_admin.initialize_app(certificate, {"httpTimeout": TIMEOUT_SECONDS}, name=name)
        _take_over_transport(self._app, base_url)

    async def close(self) -> None:
        """Forget the app. In a thread: firebase-admin closes its own asynchronous client in a loop of its own."""
        await asyncio.to_thread(firebase_admin.delete_app, self._app)

    async def send(self, message: OutgoingMessage) -> Receipt:
        return await asyncio.to_thread(self._send, message)

    def _send(self, message: OutgoingMessage) -> Receipt:
        tokens = list(message.addresses[:MOST_DEVICES])
        try:
            sent = messaging.send_each([_push(message, token) for token in tokens], app=self._app)
        except exceptions.FirebaseError as error:  # before any message went out: no access token
            raise DeliveryFailure(PROVIDER_UNAUTHORIZED, FailureClass.TRANSIENT, str(error)) from error
        return _receipt(tokens, sent.responses)


def _receipt(tokens: Sequence[str], responses: Sequence[messaging.SendResponse]) -> Receipt:
    """A user is reached when one device is. None reached: the failure that is most worth another try."""
    failed = [(token, r.exception) for token, r in zip(tokens, responses, strict=True) if r.exception]
    dead = [token for token, error in failed if isinstance(error, messaging.UnregisteredError)]
    accepted = [str(r.message_id) for r in responses if r.exception is None]
    if accepted:
        return Receipt(accepted[0], dead)
    if len(dead) == len(tokens):
        told = "No device of the recipient is registered any more."
        raise DeliveryFailure(NO_ADDRESS, FailureClass.PERMANENT, told, dead_addresses=dead)
    failures = [_failure(error, dead) for token, error in failed if token not in dead]
    raise next((f for f in failures if f.failure_class in WORTH_ANOTHER_TRY), failures[0])


def _failure(error: Exception, dead: Sequence[str]) -> DeliveryFailure:
    response = getattr(error, "http_response", None)
    told = str(error)
    if response is None:
        return DeliveryFailure(PROVIDER_UNAVAILABLE, FailureClass.TRANSIENT, told, dead_addresses=dead)
    if isinstance(error, messaging.SenderIdMismatchError):
        return DeliveryFailure(BAD_ADDRESS, FailureClass.PERMANENT, told, dead_addresses=dead)
    after = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
    found = from_http(response.status_code, retry_after=after)
    return DeliveryFailure(found.code, found.failure_class, told, retry_after=found.retry_after, dead_addresses=dead)


def _push(message: OutgoingMessage, token: str) -> messaging.Message:
    return messaging.Message(
        token=token,  # what devices register with; the installation id that may replace it is none of ours yet
        notification=messaging.Notification(
            title=(message.subject or "")[:MOST_TITLE_CHARACTERS] or None, body=message.text[:MOST_TEXT_CHARACTERS]
        ),
        data={"notification_id": message.notification_id, "correlation_id": message.correlation_id},
        # a device shows one message for one key, so a repetition replaces what it repeats
        android=messaging.AndroidConfig(
            collapse_key=message.message_id, priority="high" if message.urgent else "normal"
        ),
        apns=messaging.APNSConfig(headers={"apns-collapse-id": message.message_id[:64]}),
    )


class _Transport(HTTPAdapter):
    """To another host where one is set; without tries of its own, which would sleep through any Retry-After."""

    def __init__(self, base_url: str | None) -> None:
        super().__init__(max_retries=0, pool_maxsize=50)
        self._base = urlsplit(base_url) if base_url else None

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        if self._base is not None and request.url is not None:
            url = urlsplit(request.url)._replace(scheme=self._base.scheme, netloc=self._base.netloc)
            request.url = urlunsplit(url)
        return super().send(request, *args, **options)


def _take_over_transport(app: firebase_admin.App, base_url: str | None) -> None:
    """firebase-admin has no option for the address or the retries of messaging, and its makers want none; a transport
    mounted on its session is the narrowest way. The adapter's tests break first if the SDK changes here."""
    session = messaging._get_messaging_service(app)._client.session
    session.mount(GOOGLE, _Transport(base_url))
