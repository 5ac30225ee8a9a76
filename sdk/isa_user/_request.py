"""A call before it is sent: one description that the async and the sync transport both understand."""

import platform
import ssl
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
from pydantic_core import to_json

from isa_user._lines import MEDIA_TYPE, Lines
from isa_user._version import __version__

USER_AGENT = f"isa-user/{__version__} python/{platform.python_version()}"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One API call: where it goes and what it carries. None values are left out, of the body unless `keep_null`.

    `lines` go in the place of a body.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    keep_null: bool = False
    lines: Lines | None = None

    def after(self, cursor: str) -> "Request":
        """The same list, continued where a page ended; a list asked for by POST takes its cursor in the body."""
        if self.body is None:
            return replace(self, query={**self.query, "cursor": cursor})
        return replace(self, body={**self.body, "cursor": cursor})


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a caller may say about any one call; the fields are those of `CallOptions` and `WriteOptions`."""

    token: Any = None
    correlation_id: str | None = None
    timeout: float | None = None
    max_retries: int | None = None
    idempotency_key: str | None = None


def path(template: str, *ids: str) -> str:
    """Fill ids into a path, each as exactly one segment whatever it contains."""
    return template.format(*(_segment(value) for value in ids))


def _segment(value: str) -> str:
    if not value:
        raise ValueError("an id in a path must not be empty")
    # A segment of dots alone would be resolved away as a relative path (RFC 3986, 5.2.4).
    return quote(value, safe="") if value.strip(".") else value.replace(".", "%2E")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that goes over the wire but the token. Made once, before the first try: all tries share body and key."""

    method: str
    url: str
    params: httpx.QueryParams
    headers: dict[str, str]
    content: bytes | Lines | None


def prepare(base_url: str, request: Request, options: Options) -> Prepared:
    """Serialise a request; raises ValueError when the body cannot be JSON."""
    return Prepared(
        method=request.method,
        url=base_url + request.path,
        params=httpx.QueryParams(list(_query(request.query))),
        headers=_headers(request, options),
        content=_content(request),
    )


def _content(request: Request) -> bytes | Lines | None:
    if request.lines is not None:
        return request.lines
    if request.body is None:
        return None
    return to_json(request.body if request.keep_null else _given(request.body))


def _headers(request: Request, options: Options) -> dict[str, str]:
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    if request.lines is not None:
        headers["Content-Type"] = MEDIA_TYPE
    if request.method == "POST":
        headers["Idempotency-Key"] = _header("idempotency_key", options.idempotency_key or str(uuid.uuid4()))
    if options.correlation_id:
        headers["X-Correlation-ID"] = _header("correlation_id", options.correlation_id)
    return headers


def authorization(token: str | None) -> dict[str, str]:
    """The header that carries a token; one read from a file may end with a line break."""
    return {"Authorization": f"Bearer {_header('token', token.strip())}"} if token else {}


def _header(name: str, value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{name} holds characters that no HTTP header can")  # and may be secret: it is not shown
    return value


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _query(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in _given(values).items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            yield name, _query_text(one)


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


@cache
def tls() -> ssl.SSLContext:
    """The certificates to trust, read once: that takes longer than most calls."""
    return httpx.create_ssl_context()


def checked_base_url(base_url: str) -> str:
    """The base URL without its trailing slash; anything but http(s)://host is a ValueError at construction."""
    url = httpx.URL(base_url)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"base_url must look like http://localhost:8205, not {base_url!r}")
    return base_url.rstrip("/")
