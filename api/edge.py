"""What happens to a request before and after its route: correlation id, limits, metrics; JSON read strictly."""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import structlog
from fastapi import Request
from opentelemetry import propagate, trace
from pydantic_core import from_json
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from core.errors import FieldError, Invalid, TooLarge
from core.ids import new_id
from core.telemetry import HTTP_REQUESTS, HTTP_SECONDS, correlation_id

log = structlog.get_logger(__name__)

CORRELATION_HEADER = b"x-correlation-id"
_CORRELATION = re.compile(r"[\x21-\x7e]{1,200}")
NUL_AS_JSON = b"\\u0000"


class Edge:
    """The outermost layer of each app."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        service: str,
        max_body_bytes: int,
        body_limits: Mapping[str, int] = MappingProxyType({}),
        traced: bool = False,
    ) -> None:
        self._app, self._service, self._max_body, self._limits = app, service, max_body_bytes, body_limits
        self._serve = self._span if traced else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        correlation_id.set(_correlation(headers))
        started, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (CORRELATION_HEADER, correlation_id.get().encode())]
            await send(message)

        try:
            if refusal := self._refuse(scope, headers):
                await refusal(scope, receive, answer)
            else:
                await self._serve(scope, _bounded(receive, self._limit(scope)), answer)
        finally:
            self._count(scope, status, time.perf_counter() - started)

    async def _span(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request as a span, so that workflows it starts join its trace, or the caller's."""
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        attributes = {"http.request.method": scope["method"], "ops.correlation_id": correlation_id.get()}
        with trace.get_tracer("ops.api").start_as_current_span(
            f"{scope['method']} {scope['path']}", propagate.extract(carrier), trace.SpanKind.SERVER, attributes
        ) as span:
            await self._app(scope, receive, send)
            if route := getattr(scope.get("route"), "path", None):
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.route", route)

    def _refuse(self, scope: Scope, headers: dict[bytes, bytes]) -> Response | None:
        if b"%00" in scope["query_string"] or "\x00" in scope["path"]:
            found = [FieldError("query" if b"%00" in scope["query_string"] else "path", "holds a NUL character")]
            return problem(422, "invalid", Invalid.title, "The address holds a NUL character.", errors=found)
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._limit(scope):
            return problem(413, "too_large", TooLarge.title, f"The body may hold at most {self._limit(scope)} bytes.")
        return None

    def _limit(self, scope: Scope) -> int:
        return self._limits.get(scope["path"], self._max_body)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        HTTP_REQUESTS.labels(self._service, scope["method"], route, status).inc()
        HTTP_SECONDS.labels(self._service, scope["method"], route).observe(seconds)
        if status >= 500:
            log.error("request.answered", method=scope["method"], route=route, status=status)
        else:
            log.debug("request.answered", method=scope["method"], route=route, status=status, seconds=seconds)


def _correlation(headers: dict[bytes, bytes]) -> str:
    given = headers.get(CORRELATION_HEADER, b"").decode("latin-1")
    return given if _CORRELATION.fullmatch(given) else new_id("corr")


def _bounded(receive: Receive, limit: int) -> Receive:
    """A body without a declared length is counted as it arrives."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLarge(f"The body may hold at most {limit} bytes.")
        return message

    return bounded


class StrictRequest(Request):
    """JSON as Postgres can keep it: no lone surrogates, no NUL, nesting of at most 200."""

    async def json(self) -> Any:
        try:
            return from_json(await self.body(), allow_inf_nan=False)
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from error

    async def refuse_nul(self) -> None:
        """Read the body, within its limit, and name the first field that holds a NUL, which Postgres cannot keep.

        Before FastAPI reads it, because FastAPI answers every failure while reading with a bare 400.
        """
        if NUL_AS_JSON not in await self.body():
            return
        try:
            value = await self.json()
        except json.JSONDecodeError:
            return  # told with the other faults of the body
        if path := find_nul(value):
            message = "holds a NUL character"
            raise Invalid(f"{path} {message}.", errors=[FieldError(path, message)])


class StreamedRequest(StrictRequest):
    """A body too large to hold. For an idempotency key it counts as empty: the key alone tells what is the same."""

    async def body(self) -> bytes:
        return b""

    async def refuse_nul(self) -> None:
        """Left to the route."""


def find_nul(value: Any) -> str | None:
    """Where a value, or a name in it, holds a NUL character."""
    return _find(value, "", lambda part: isinstance(part, str) and "\x00" in part)


def find_infinite(value: Any, path: str) -> str | None:
    """Where a value below `path` holds a number beyond the range of a double."""
    return _find(value, path, lambda part: isinstance(part, float) and math.isinf(part))


def _find(value: Any, path: str, bad: Callable[[Any], bool]) -> str | None:
    if isinstance(value, dict):
        if any(bad(key) for key in value):
            return path or "body"
        parts = [(f"{path}.{key}".lstrip("."), part) for key, part in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[{index}]", part) for index, part in enumerate(value)]
    else:
        return (path or "body") if bad(value) else None
    return next((found for name, part in parts if (found := _find(part, name, bad))), None)
