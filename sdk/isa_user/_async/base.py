"""The one path every call takes: options, retries, errors, typed results, pages, waiting."""

import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self, TypedDict, TypeVar

import httpx
from pydantic import ValidationError as ModelMismatch

from isa_user._async._io import (
    HttpClient,
    Load,
    Paged,
    Pool,
    Token,
    Transport,
    pieces,
    resolve_token,
    sleep,
    start_paging,
)
from isa_user._async.page import Page
from isa_user._constants import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, POLL_FIRST, POLL_GROWTH, POLL_MAX
from isa_user._errors import (
    ConnectionFailed,
    InvalidAnswer,
    IsaError,
    ServiceUnavailable,
    TimedOut,
    error_from_response,
)
from isa_user._lines import MEDIA_TYPE, Lines
from isa_user._models.base import Listing, Result
from isa_user._request import Options, Prepared, Request, authorization, checked_base_url, prepare
from isa_user._retry import pause_before_retry

Item = TypeVar("Item", bound=Result)
Answer = TypeVar("Answer", bound=Result)


class CallOptions(TypedDict, total=False):
    """Keywords of every call. `token` replaces the client's; `timeout` is in seconds, for each try."""

    token: Token
    timeout: float
    max_retries: int


class ReadOptions(CallOptions, total=False):
    """`correlation_id` goes along as X-Correlation-ID and joins the call to its timeline."""

    correlation_id: str


class WriteOptions(ReadOptions, total=False):
    """`idempotency_key` makes the call happen once however often it is sent; left out, every call makes its own."""

    idempotency_key: str


class BaseClient:
    """What the five clients share.

    Args:
        base_url: Where the service answers, such as `http://localhost:8205`.
        token: The bearer token, or a function that returns it (asked before every try). A call's own `token=` wins.
        timeout: Seconds that each try may take.
        max_retries: How many more tries follow a dropped connection, a time-out, or 408, 429, 502, 503, 504.
        http_client: An httpx client to use (proxies, certificates); it stays yours to close.
        transport: An httpx transport instead, for example `httpx.ASGITransport(app)` in a test.

    A client may be used concurrently. `async with` closes it; one that nobody closes ends quietly with the program.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: Token | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_MAX_RETRIES,
        http_client: HttpClient | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self._token = token
        self._timeout = timeout
        self._max_retries = max_retries
        self._pool = Pool(http_client, transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. An `http_client` that was given stays open."""
        await self._pool.close()

    async def is_ready(self) -> bool:
        """Whether the service and all it depends on can serve now. Needs no token; False too when nobody answers."""
        try:
            await self._send(Request(method="GET", path="/health/ready"), Options(max_retries=0))
        except (ConnectionFailed, ServiceUnavailable):
            return False
        return True

    async def _call(self, request: Request, model: type[Answer], options: CallOptions) -> Answer:
        response = await self._send(request, Options(**options))
        return _parsed(response, model)

    async def _do(self, request: Request, options: CallOptions) -> None:
        await self._send(request, Options(**options))

    async def _text(self, request: Request, options: CallOptions) -> str:
        return (await self._send(request, Options(**options))).text

    async def _bytes(self, request: Request, options: CallOptions) -> bytes:
        return (await self._send(request, Options(**options))).content

    def _pages(self, request: Request, model: type[Item], options: CallOptions) -> Paged[Item]:
        return start_paging(lambda: self._page(request, model, options))

    async def _page(self, request: Request, model: type[Item], options: CallOptions) -> Page[Item]:
        listing = await self._call(request, Listing[model], options)  # type: ignore[valid-type]  # a class made at run time
        return Page(
            listing.items, listing.next_cursor, lambda cursor: self._page(request.after(cursor), model, options)
        )

    async def _read_lines(self, request: Request, model: type[Item], options: CallOptions) -> AsyncIterator[Item]:
        """An answer of lines, each given as soon as it is there. It is asked for once: what came stays said."""
        told = Options(**options)
        prepared = prepare(self.base_url, request, told)
        timeout = self._timeout if told.timeout is None else told.timeout
        http, token = await self._pool.http(), await resolve_token(told.token or self._token)
        headers = prepared.headers | authorization(token) | {"Accept": MEDIA_TYPE}
        try:
            async with http.stream(prepared.method, prepared.url, headers=headers, timeout=timeout) as response:
                if not response.is_success:
                    await response.aread()
                    raise error_from_response(response)
                async for line in response.aiter_lines():
                    yield model.model_validate_json(line)
        except httpx.TimeoutException as error:
            raise TimedOut(f"nothing from {self.base_url} for {timeout:g} s", code="timed_out") from error
        except httpx.TransportError as error:
            raise ConnectionFailed(f"{self.base_url} broke off: {error}", code="connection_failed") from error

    async def _wait(self, load: Load[Answer], *, done: Callable[[Answer], bool], within: float) -> Answer:
        deadline, pause = time.monotonic() + within, POLL_FIRST
        while not done(answer := await load()):
            if time.monotonic() + pause > deadline:
                raise TimedOut(f"not finished within {within:g} s; ask again later", code="wait_timed_out")
            await sleep(pause)
            pause = min(pause * POLL_GROWTH, POLL_MAX)
        return answer

    async def _send(self, request: Request, options: Options) -> httpx.Response:
        prepared = prepare(self.base_url, request, options)
        max_retries = self._max_retries if options.max_retries is None else options.max_retries
        retries_made = 0
        while True:
            try:
                return await self._try(prepared, options)
            except IsaError as error:
                pause = pause_before_retry(error, retries_made=retries_made, max_retries=max_retries)
                if pause is None:
                    raise
            await sleep(pause)
            retries_made += 1

    async def _try(self, prepared: Prepared, options: Options) -> httpx.Response:
        http = await self._pool.http()
        timeout = self._timeout if options.timeout is None else options.timeout
        token = await resolve_token(options.token or self._token)
        try:
            response = await http.request(
                prepared.method,
                prepared.url,
                params=prepared.params,
                headers=prepared.headers | authorization(token),
                content=pieces(prepared.content) if isinstance(prepared.content, Lines) else prepared.content,
                timeout=timeout,
            )
        except httpx.TimeoutException as error:
            raise TimedOut(f"no answer from {self.base_url} within {timeout:g} s", code="timed_out") from error
        except httpx.TransportError as error:
            raise ConnectionFailed(f"no answer from {self.base_url}: {error}", code="connection_failed") from error
        if not response.is_success:
            raise error_from_response(response)
        return response


def _parsed(response: httpx.Response, model: type[Answer]) -> Answer:
    try:
        return model.model_validate_json(response.content)
    except ModelMismatch as error:
        raise InvalidAnswer(
            f"{response.url} did not answer a {model.__name__}: {error.error_count()} fields do not fit",
            code="invalid_answer",
            status=response.status_code,
            correlation_id=response.headers.get("X-Correlation-ID"),
        ) from error
