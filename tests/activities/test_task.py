"""The handler of `http_request` and the adapter behind it: what is sent, kept, refused, and worth another try."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.task import HttpRequest, Job, PermanentTaskError, TaskFailure
from core.adapters.http import MAX_BODY_BYTES, HttpxCaller
from core.contracts.task import HttpReply, HttpRequestPayload
from core.errors import Forbidden, Unavailable
from deploy.processes import free_port
from tests.tasks import listening


class Answering:
    """An HttpCaller that answers what it is told."""

    def __init__(self, answer: HttpReply | Exception) -> None:
        self._answer = answer
        self.headers: dict[str, str] = {}

    async def call(self, request: HttpRequestPayload, *, headers: dict[str, str]) -> HttpReply:
        self.headers = headers
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


async def _no_progress(_: float, __: str | None) -> None:
    return None


def _job(**payload: Any) -> Job[HttpRequestPayload]:
    return Job(
        tenant_id="org_1",
        owner_id="user_1",
        task_id="task_1",
        execution_id="exec_1",
        correlation_id="corr_1",
        payload=HttpRequestPayload.model_validate({"url": "https://example.com/x", **payload}),
        progress=_no_progress,
    )


def _reply(status: int, **headers: str) -> HttpReply:
    return HttpReply(status=status, headers=headers, body="")


async def test_a_request_carries_its_timeline() -> None:
    caller = Answering(_reply(200))
    await HttpRequest(caller).run(_job())
    assert caller.headers == {"X-Correlation-ID": "corr_1"}


@pytest.mark.parametrize("correlation_id", ["größe", "a\nb", " a"])
async def test_a_correlation_id_that_is_no_header_stays_away(correlation_id: str) -> None:
    caller = Answering(_reply(200))
    await HttpRequest(caller).run(replace(_job(), correlation_id=correlation_id))
    assert caller.headers == {}


async def test_a_request_that_changes_something_has_the_same_key_in_every_attempt() -> None:
    caller = Answering(_reply(200))
    await HttpRequest(caller).run(_job(method="POST"))
    assert caller.headers["Idempotency-Key"] == "exec_1"


async def test_the_callers_own_headers_win() -> None:
    caller = Answering(_reply(200))
    await HttpRequest(caller).run(_job(method="POST", headers={"idempotency-key": "mine"}))
    assert caller.headers == {"idempotency-key": "mine", "X-Correlation-ID": "corr_1"}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 520, 599])
async def test_a_busy_address_is_worth_another_try(status: int) -> None:
    with pytest.raises(TaskFailure) as failed:
        await HttpRequest(Answering(_reply(status))).run(_job())
    assert failed.value.retryable


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 422])
async def test_a_refusal_is_final(status: int) -> None:
    with pytest.raises(PermanentTaskError):
        await HttpRequest(Answering(_reply(status))).run(_job())


@pytest.mark.parametrize(
    ("after", "waits"),
    [
        ("7", timedelta(seconds=7)),
        ("999999", timedelta(hours=1)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("9" * 5000, timedelta(hours=1)),
        ("Wed, 21 Oct 2099 07:28:00 GMT", timedelta(hours=1)),
        ("soon", None),
    ],
)
async def test_retry_after_is_obeyed_up_to_a_limit(after: str, waits: timedelta | None) -> None:
    with pytest.raises(TaskFailure) as failed:
        await HttpRequest(Answering(_reply(429, **{"retry-after": after}))).run(_job())
    assert failed.value.retry_after == waits


@pytest.mark.parametrize(
    ("problem", "retryable"), [(Forbidden("private"), False), (Unavailable("away", code="http_timeout"), True)]
)
async def test_what_stops_a_call_decides_about_another_try(problem: Exception, retryable: bool) -> None:
    with pytest.raises(TaskFailure) as failed:
        await HttpRequest(Answering(problem)).run(_job())
    assert failed.value.retryable is retryable


# ---- the adapter


async def _call(url: str, *, allow_private: bool = True, **payload: Any) -> HttpReply:
    caller = HttpxCaller(allow_private=allow_private)
    try:
        return await caller.call(HttpRequestPayload.model_validate({"url": url, **payload}), headers={})
    finally:
        await caller.close()


async def test_private_addresses_are_refused() -> None:
    async with listening() as target:
        with pytest.raises(Forbidden):
            await _call(target.url, allow_private=False)
        assert not target.heads


async def test_an_address_nobody_listens_on_is_unavailable() -> None:
    with pytest.raises(Unavailable) as failed:
        await _call(f"http://127.0.0.1:{free_port()}/")
    assert failed.value.code == "http_unreachable"


async def test_an_address_that_does_not_answer_in_time_is_unavailable() -> None:
    async with listening() as target:
        target.holds = True
        with pytest.raises(Unavailable) as failed:
            await _call(target.url, timeout_seconds=0.2)
    assert failed.value.code == "http_timeout"


@pytest.mark.parametrize(
    ("body", "head"), [({"a": 1}, "content-type: application/json"), ("plain", "content-length: 5")]
)
async def test_text_is_sent_as_it_is_and_the_rest_as_json(body: Any, head: str) -> None:
    async with listening() as target:
        await _call(target.url, method="POST", body=body)
    assert head in target.heads[0].lower()


@asynccontextmanager
async def _answering(head: bytes, body: bytes, *, pause: float = 0) -> AsyncIterator[str]:
    """The address of a server that answers so, with a pause after each byte of the body."""

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head + b"\r\n")
        for piece in [body[n : n + 1] for n in range(len(body))] if pause else [body]:
            writer.write(piece)
            await asyncio.sleep(pause)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_an_answer_that_trickles_in_is_late_all_the_same() -> None:
    async with _answering(b"", b"x" * 20, pause=0.1) as url:
        with pytest.raises(Unavailable) as failed:
            await _call(url, timeout_seconds=0.5)
    assert failed.value.code == "http_timeout"


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async with _answering(b"Content-Encoding: gzip\r\n", gzip.compress(b"x" * 10**6)) as url:
        reply = await _call(url)
    assert len(reply.body) < MAX_BODY_BYTES
    assert reply.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("encoding", ["hex", "undefined", "unicode_escape", "idna", "nonsense"])
async def test_an_encoding_that_is_none_of_text_does_no_harm(encoding: str) -> None:
    head = f"Content-Type: text/plain; charset={encoding}\r\n".encode()
    async with _answering(head, rb"\ud800 hello") as url:
        reply = await _call(url)
    assert reply.body.endswith("hello")
    assert reply.model_dump_json()


async def test_a_long_answer_is_cut_and_says_so() -> None:
    async with _answering(b"", b"\x00x" * MAX_BODY_BYTES) as url:
        reply = await _call(url)
    assert reply.truncated
    assert len(reply.body) == MAX_BODY_BYTES
    assert "\x00" not in reply.body
