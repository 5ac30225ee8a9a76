"""Rules of the event log and of webhooks: categories, wildcards, failure classes, the message that goes out."""

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from core.contracts.event import EventCategory
from core.contracts.event.webhook import FailureClass

CATEGORIES: Mapping[str, EventCategory] = {category.value: category for category in EventCategory}
# Statuses with which a server says "later", though they look like the sender's fault (RFC 9110, RFC 8470).
LATER = frozenset({408, 409, 425})
TOO_MANY, GONE, BUSY = 429, 410, 503
NOT_ALLOWED, BAD_ADDRESS, SECRET_UNREADABLE = "address_not_allowed", "bad_address", "secret_unreadable"
HOPELESS = frozenset({NOT_ALLOWED, BAD_ADDRESS, SECRET_UNREADABLE})
CLOUD_EVENTS_VERSION = "1.0"
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address it leads to
# RFC 4291, 2.4: what is routed on the internet. Python calls much else global, such as old site-local addresses and a
# network's own translation prefix (RFC 8215), both of which lead inside.
GLOBAL_UNICAST = IPv6Network("2000::/3")


def category_of(event_type: str) -> EventCategory:
    """The category an event has when nobody names one: its type's first word where that is a category, else custom."""
    return CATEGORIES.get(event_type.partition(".")[0], EventCategory.CUSTOM)


def span(pattern: str) -> tuple[str, str | None]:
    """The event types a pattern means: one type as (type, None), else the half-open range [low, high) by bytes."""
    if pattern == "*":
        return "", "\U0010ffff"
    if not pattern.endswith(".*"):
        return pattern, None
    beginning = pattern[:-1]
    return beginning, beginning[:-1] + chr(ord(".") + 1)


def failure_class(
    status_code: int | None, *, error: str | None = None, retry_after: float | None = None
) -> FailureClass | None:
    """What a reply says about the next try; None for success. Without a status code `error` says why none came."""
    if status_code is None:
        return FailureClass.PERMANENT if error in HOPELESS else FailureClass.TRANSIENT
    if 200 <= status_code < 300:
        return None
    if status_code == TOO_MANY or (status_code == BUSY and retry_after is not None):
        return FailureClass.THROTTLED
    return FailureClass.TRANSIENT if status_code >= 500 or status_code in LATER else FailureClass.PERMANENT


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """The header Retry-After (RFC 9110, 10.2.3) in seconds from now; None where it is missing or unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:12]), 10**9))
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # TypeError: a date without a zone cannot be compared
        return None


def next_delay(planned: float | None, retry_after: float | None, *, longest: float) -> float | None:
    """Seconds until the next try: what was planned, or as long as the endpoint asks for, within reason."""
    if planned is None:
        return None
    return max(planned, min(retry_after or 0.0, longest))


def is_private(host: str) -> bool:
    """Whether a host is, by its spelling alone, not on the public internet. A name is judged when it is resolved."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return not is_public_address(name.partition("%")[0])
    except ValueError:
        return False


def is_public_address(address: str) -> bool:
    """Whether a packet to this IP address leaves for the public internet; an IPv4 inside an IPv6 is judged itself."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        inner = IPv4Address(int(parsed) & 0xFFFF_FFFF) if parsed in NAT64 else parsed.ipv4_mapped or parsed.sixtofour
        if inner is None and parsed not in GLOBAL_UNICAST:
            return False
        parsed = inner or parsed
    return parsed.is_global and not parsed.is_multicast


def host_of(url: str) -> str:
    """The host of a web address."""
    return urlsplit(url).hostname or ""


def percent(done: int, total: int | None) -> float:
    """How much of `total` is done, 0 to 100, rounded down to one decimal so that 100 means all."""
    if not total:
        return 0.0 if total is None else 100.0
    return min(100.0, math.floor(done * 1000 / total) / 10)


def cloud_event(
    *,
    event_id: str,
    event_type: str,
    source: str,
    time: datetime,
    data: Mapping[str, object],
    extensions: Mapping[str, str | None],
) -> dict[str, object]:
    """The message a webhook carries: a CloudEvent 1.0 in structured JSON; extensions without a value stay away."""
    event: dict[str, object] = {
        "specversion": CLOUD_EVENTS_VERSION,
        "id": event_id,
        "type": event_type,
        "source": source,
        "time": time.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
    }
    event.update({name: value for name, value in extensions.items() if value})
    event["data"] = data
    return event
