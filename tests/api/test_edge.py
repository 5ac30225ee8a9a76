"""Ugly requests are told what is wrong with them, at every door alike."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from api.edge import find_nul
from core.store import event as log
from tests.conftest import Doors

EVENT = "/api/v1/events"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b"not json", "body"),
        (b'{"event_type": "a.b", "payload": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "body"),
        (b'{"event_type": "\\ud800"}', "body"),
        (b'{"event_type": "a.b", "payload": {"x": "\\u0000"}}', "payload.x"),
        (b'{"event_type": "a.b", "payload": {"x": [1, {"y": 1e999}]}}', "payload.x[1].y"),
        (b'{"event_type": "a.b", "payload": {"x": NaN}}', "body"),
        (b'{"event_type": 7}', "event_type"),
        (b'{"event_type": "a.b", "payload": []}', "payload"),
        (b'{"event_type": "a.b", "typo": 1}', "typo"),
        (b'{"event_type": "a b"}', "event_type"),
        (b'{"event_type": ""}', "event_type"),
        (b'{"event_type": "a.b", "occurred_at": "0001-01-01T00:00:00Z"}', "occurred_at"),
        (b'{"event_type": "a.b", "occurred_at": "9999-12-31T23:59:59-14:00"}', "occurred_at"),
        (b'{"event_type": "a.b", "occurred_at": 1e30}', "occurred_at"),
        (b"[]", "body"),
        (b"null", "body"),
        (b"\xff\xfe", "body"),
    ],
)
async def test_a_bad_body_names_its_field(event: httpx.AsyncClient, body: bytes, field: str) -> None:
    answer = await event.post(EVENT, content=body, headers=JSON)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["code"] == "invalid"
    assert field in [error["field"] for error in problem["errors"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=-1", "limit"),
        ("limit=0", "limit"),
        ("limit=99999999999999999999999", "limit"),
        ("limit=ten", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=" + "a" * 2000, "cursor"),
        ("from=yesterday", "from"),
        ("from=9999-99-99", "from"),
        ("event_type=%00", "query"),
    ],
)
async def test_a_bad_query_names_its_parameter(event: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await event.get(f"{EVENT}?{query}")
    assert answer.status_code == 422, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_an_oversized_body_is_413(event: httpx.AsyncClient) -> None:
    answer = await event.post(EVENT, content=b"x" * (9 * 1024 * 1024), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


async def test_an_oversized_body_of_unknown_length_is_413(event: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(9):
            yield b" " * (1024 * 1024)

    answer = await event.post(EVENT, content=chunks(), headers=JSON)
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "image/png", "application/x-www-form-urlencoded"])
async def test_a_body_of_another_kind_is_415_and_says_what_is_read(event: httpx.AsyncClient, kind: str) -> None:
    answer = await event.post(EVENT, content=b'{"a": 1}', headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


async def test_a_missing_path_is_a_problem_too(event: httpx.AsyncClient) -> None:
    answer = await event.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "no_such_path"


async def test_a_correlation_id_comes_back_as_it_was_given(event: httpx.AsyncClient) -> None:
    answer = await event.get(EVENT, headers={"X-Correlation-ID": "corr_of_the_caller"})
    assert answer.headers["x-correlation-id"] == "corr_of_the_caller"


async def test_a_request_without_correlation_id_gets_one(event: httpx.AsyncClient) -> None:
    assert (await event.get(EVENT)).headers["x-correlation-id"].startswith("corr_")


async def test_an_unprintable_correlation_id_is_replaced(event: httpx.AsyncClient) -> None:
    answer = await event.get(EVENT, headers={"X-Correlation-ID": "two words\t"})
    assert answer.headers["x-correlation-id"].startswith("corr_")


async def test_metrics_count_requests_by_route(doors: Doors, event: httpx.AsyncClient) -> None:
    await event.get(EVENT)
    text = (await event.get("/metrics")).text
    assert 'ops_http_requests_total{method="GET",route="/api/v1/events",service="event",status="200"}' in text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
)


@given(json_values)
def test_json_without_nul_passes(value: Any) -> None:
    assert find_nul(value) is None


@given(json_values, st.sampled_from(["\x00", {"\x00": 1}]))
def test_a_nul_is_found_at_any_depth(value: Any, bad: Any) -> None:
    assert find_nul({"a": [value, {"b": bad}]})


async def test_what_took_too_long_is_not_a_database_that_is_away(
    event: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(session: AsyncSession, *_: Any, **__: Any) -> None:
        connection = await session.connection()
        await connection.execute(text("SET LOCAL statement_timeout = '20ms'"))
        await connection.execute(text("SELECT pg_sleep(1)"))

    monkeypatch.setattr(log, "find", slow)
    answer = await event.get(EVENT)
    assert (answer.status_code, answer.json()["code"]) == (503, "took_too_long")
    assert "retry-after" not in answer.headers
