"""Verify webhooks signed by Standard Webhooks (https://www.standardwebhooks.com, specification 1.0.0).

The signature is an HMAC-SHA256 over `id.timestamp.body` under the secret's bytes; the headers are `webhook-id`,
`webhook-timestamp` (Unix seconds) and `webhook-signature` (`v1,<base64>`; several, with blanks between, in a rotation).
"""

import base64
import binascii
import hmac
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from isa_user._errors import WebhookVerificationError

__all__ = ["TOLERANCE", "WebhookMessage", "WebhookVerificationError", "sign", "verify"]

TOLERANCE: Final = 300.0
"""Seconds that a message's time may lie before or after now; against replays of old messages."""

_SECRET_PREFIX: Final = "whsec_"
_VERSION: Final = "v1"


@dataclass(frozen=True, kw_only=True)
class WebhookMessage:
    """A webhook whose signature holds. A message may come again with the same `id`: handle each id once."""

    id: str
    timestamp: datetime
    payload: Any


def verify(
    body: bytes | str,
    headers: Mapping[str, str],
    *,
    secret: str | Sequence[str],
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> WebhookMessage:
    """Check a webhook and return what it holds.

    Args:
        body: The request's body exactly as it arrived; parsed and written again it has another signature.
        headers: The request's headers, in any case.
        secret: The subscription's secret (`whsec_…`), or several while it is rotated.
        tolerance: Seconds that the message's time may differ from now.
        now: The present as Unix seconds, for tests.

    Raises:
        WebhookVerificationError: a header is missing, the time is off, or no signature fits. Answer 400, do nothing.
        ValueError: the secret itself is not one.
    """
    keys = [_key(one) for one in ([secret] if isinstance(secret, str) else secret)]
    message_id, timestamp, signatures = _three_headers(headers)
    sent_at = _time_within(timestamp, tolerance, time.time() if now is None else now)
    raw = body.encode() if isinstance(body, str) else body
    expected = [_signature(key, message_id, timestamp, raw) for key in keys]
    if not _any_equal(expected, _v1_signatures(signatures)):
        raise WebhookVerificationError("no signature fits this body and secret")
    return WebhookMessage(id=message_id, timestamp=sent_at, payload=_json(raw))


def sign(body: bytes | str, *, secret: str, message_id: str, timestamp: int) -> dict[str, str]:
    """The three headers a webhook would carry; to test your own endpoint with."""
    raw = body.encode() if isinstance(body, str) else body
    signature = base64.b64encode(_signature(_key(secret), message_id, str(timestamp), raw)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"{_VERSION},{signature}",
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ followed by base64") from error
    if not key:
        raise ValueError("the webhook secret is empty")
    return key


def _three_headers(headers: Mapping[str, str]) -> tuple[str, str, str]:
    found = {name.lower(): value for name, value in headers.items()}
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    if missing := [name for name in names if not found.get(name)]:
        raise WebhookVerificationError(f"header missing: {', '.join(missing)}")
    message_id, timestamp, signatures = (found[name] for name in names)
    return message_id, timestamp, signatures


def _time_within(timestamp: str, tolerance: float, now: float) -> datetime:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookVerificationError("webhook-timestamp is not Unix seconds")
    off = int(timestamp) - now
    if abs(off) > tolerance:
        raise WebhookVerificationError(f"the message is too {'old' if off < 0 else 'far in the future'}")
    return datetime.fromtimestamp(int(timestamp), UTC)


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")


def _v1_signatures(header: str) -> Iterator[bytes]:
    """Signatures of our version; others, and what is not base64, can belong to a newer sender and are passed over."""
    for one in header.split(" "):
        version, _, text = one.partition(",")
        if version == _VERSION:
            try:
                yield base64.b64decode(text, validate=True)
            except binascii.Error:
                continue


def _any_equal(expected: Iterable[bytes], given: Iterable[bytes]) -> bool:
    given = list(given)
    return any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in given)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise WebhookVerificationError("the body is signed but is not JSON") from error
