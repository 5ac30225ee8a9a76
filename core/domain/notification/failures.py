"""What a provider's refusal means for the next try: a stable code and a class."""

import re
from dataclasses import dataclass

from core.contracts.event.webhook import FailureClass
from core.contracts.notification import (
    BAD_ADDRESS,
    PROVIDER_UNAUTHORIZED,
    PROVIDER_UNAVAILABLE,
    REJECTED,
    THROTTLED,
)
from core.domain.event import failure_class

NOT_LET_IN = frozenset({401, 403})
# RFC 5321, 4.2.3: replies about the mailbox that was named.
WRONG_MAILBOX = frozenset({550, 551, 553})
# RFC 4954, 6: replies about our own authentication.
NO_LOGIN = frozenset({530, 534, 535, 538})
CLOSING = 421
# RFC 3463: X.7 is policy, which is where servers limit rates; X.1 is the address.
_LIMITED = re.compile(r"^4\.7\.\d|^4\.2\.1\b|rate|too many|throttl", re.I)
_ADDRESS = re.compile(r"^5\.1\.\d")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message was not taken. `retry_after` in seconds, where the provider said so."""

    code: str
    failure_class: FailureClass
    retry_after: float | None = None


def from_http(status: int, *, retry_after: float | None = None) -> Failure:
    """What an HTTP API's status says. Being refused is our fault and may be mended, so it is worth another try."""
    if status in NOT_LET_IN:
        return Failure(PROVIDER_UNAUTHORIZED, FailureClass.TRANSIENT, retry_after)
    found = failure_class(status, retry_after=retry_after) or FailureClass.PERMANENT
    codes = {
        FailureClass.THROTTLED: THROTTLED,
        FailureClass.TRANSIENT: PROVIDER_UNAVAILABLE,
        FailureClass.PERMANENT: REJECTED,
    }
    return Failure(codes[found], found, retry_after)


def from_smtp(reply: int, text: str, *, about_recipient: bool = False) -> Failure:
    """What a mail server's reply says (RFC 5321, with the enhanced codes of RFC 3463 where it gives them)."""
    if reply in NO_LOGIN:
        return Failure(PROVIDER_UNAUTHORIZED, FailureClass.TRANSIENT)
    if reply >= 500:
        wrong = _ADDRESS.match(text) is not None or (about_recipient and reply in WRONG_MAILBOX)
        return Failure(BAD_ADDRESS if wrong else REJECTED, FailureClass.PERMANENT)
    if reply == CLOSING or _LIMITED.search(text):
        return Failure(THROTTLED, FailureClass.THROTTLED)
    return Failure(PROVIDER_UNAVAILABLE, FailureClass.TRANSIENT)
