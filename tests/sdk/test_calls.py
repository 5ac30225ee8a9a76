"""What a call sends: token, correlation id, path, body; and what it makes of the answer."""

import json
from datetime import UTC, date, datetime
from typing import Any

import httpx
import isa_user
import isa_user.sync
import pytest

from tests.sdk.conftest import EVENT, REPORT, SUMMARY, MakeTwin
from tests.sdk.server import Reply, ScriptedServer

GOOD = Reply(200, EVENT)


async def _async_token() -> str:
    return "from a coroutine"


@pytest.mark.parametrize(
    ("of_client", "of_call", "sent"),
    [
        ("client", None, "Bearer client"),
        (None, "call", "Bearer call"),
        ("client", "call", "Bearer call"),
        (lambda: "from a function", None, "Bearer from a function"),
        ("client", lambda: "from a function", "Bearer from a function"),
        ("read from a file\n", None, "Bearer read from a file"),
        (None, None, None),
    ],
)
async def test_the_token_is_the_calls_or_else_the_clients(
    client: MakeTwin, server: ScriptedServer, of_client: Any, of_call: Any, sent: str | None
) -> None:
    server.answer(GOOD)
    keywords = {} if of_call is None else {"token": of_call}

    await client(token=of_client).get_event("aud_1", **keywords)

    assert server.received[0].headers.get("authorization") == sent


@pytest.mark.parametrize("keyword", ["token", "correlation_id", "idempotency_key"])
@pytest.mark.parametrize("value", ["a\nb", "ü", "a\x00"])
async def test_what_no_header_can_hold_is_refused_unshown(
    client: MakeTwin, server: ScriptedServer, keyword: str, value: str
) -> None:
    with pytest.raises(ValueError, match=keyword) as refusal:
        await client().log_event(event_type="user.login", **{keyword: value})

    assert value not in str(refusal.value)
    assert not server.received


async def test_an_async_client_awaits_an_async_token(server: ScriptedServer) -> None:
    server.answer(GOOD)

    async with isa_user.AuditClient(server.url, token=_async_token) as audit:
        await audit.get_event("aud_1")

    assert server.received[0].headers["authorization"] == "Bearer from a coroutine"


@pytest.mark.usefixtures("impatient")
async def test_a_token_function_is_asked_before_every_try(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(503), GOOD)
    tokens = iter(["old", "new"])

    await client(token=lambda: next(tokens)).get_event("aud_1")

    assert [request.headers["authorization"] for request in server.received] == ["Bearer old", "Bearer new"]


async def test_the_correlation_id_goes_along(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(GOOD)

    await client().log_event(event_type="user.login", correlation_id="corr_7")

    assert server.received[0].headers["x-correlation-id"] == "corr_7"


async def test_what_was_not_given_is_not_sent(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(GOOD)

    await client().log_event(event_type="user.login")

    assert server.received[0].json == {"event_type": "user.login"}


async def test_times_are_sent_as_rfc_3339(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(200, {"items": [], "next_cursor": None}))

    await client().query_events(from_date=date(2024, 1, 1), to_date=datetime(2024, 1, 31, 12, tzinfo=UTC))

    assert server.received[0].json == {"from_date": "2024-01-01", "to_date": "2024-01-31T12:00:00Z"}


async def test_query_values_are_written_as_the_api_reads_them(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(200, {"items": [], "next_cursor": None}))

    await client("TaskClient").list_tasks(status=["pending", "running"], type="a b", created_from=date(2024, 1, 1))

    assert server.received[0].path == "/api/v1/tasks?status=pending&status=running&type=a+b&created_from=2024-01-01"


@pytest.mark.parametrize(
    ("user_id", "segment"),
    [("a/b", "a%2Fb"), ("..", "%2E%2E"), (".", "%2E"), ("a?b#c", "a%3Fb%23c"), ("ü", "%C3%BC"), ("%2F", "%252F")],
)
async def test_an_id_is_one_segment_of_the_path_whatever_it_holds(
    client: MakeTwin, server: ScriptedServer, user_id: str, segment: str
) -> None:
    server.answer(Reply(200, SUMMARY))

    await client().user_summary(user_id)

    assert server.received[0].path == f"/api/v1/audit/users/{segment}/summary"


async def test_an_empty_id_is_refused_before_it_reaches_another_route(client: MakeTwin, server: ScriptedServer) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        await client("TaskClient").get("")

    assert not server.received


async def test_an_unknown_keyword_is_refused(client: MakeTwin) -> None:
    with pytest.raises(TypeError, match="tokne"):
        await client().get_event("aud_1", tokne="t")


async def test_fields_of_a_newer_server_are_kept(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(200, EVENT | {"severity": "a new word", "mood": "cheerful"}))

    event = await client().get_event("aud_1")

    assert (event.severity, event.mood) == ("a new word", "cheerful")


async def test_a_result_of_null_is_sent_as_null(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(200, {"execution_id": "exec_1", "status": "completed"}))

    await client("TaskClient").report_result("task_1", "exec_1", result=None)

    assert server.received[0].json == {"result": None}


async def test_an_answer_without_content_is_none(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(204))

    assert await client("EventClient").unsubscribe("sub_1") is None


@pytest.mark.parametrize("base_url", ["localhost:8205", "ftp://localhost", "", "http://"])
@pytest.mark.parametrize("module", [isa_user, isa_user.sync])
def test_a_base_url_that_cannot_work_is_refused_at_once(module: Any, base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        module.AuditClient(base_url)


async def test_an_async_client_drives_an_app_in_process() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(SUMMARY).encode()})

    async with isa_user.AuditClient("http://audit", transport=httpx.ASGITransport(app)) as audit:
        assert (await audit.user_summary("u")).total_events == 3


async def test_a_given_http_client_is_used_and_left_open(server: ScriptedServer) -> None:
    server.answer(GOOD)
    async with httpx.AsyncClient(headers={"X-Mine": "yes"}) as mine:
        async with isa_user.AuditClient(server.url, http_client=mine) as audit:
            await audit.get_event("aud_1")

        assert not mine.is_closed
    assert server.received[0].headers["x-mine"] == "yes"


async def test_a_closed_client_says_so(client: MakeTwin) -> None:
    twin = client()
    await twin.close()

    with pytest.raises(RuntimeError, match="closed"):
        await twin.get_event("aud_1")


@pytest.mark.parametrize(
    ("reply", "ready"), [(Reply(200, {"status": "ready"}), True), (Reply(503, {"status": "not ready"}), False)]
)
async def test_readiness_is_a_question_with_yes_or_no(
    client: MakeTwin, server: ScriptedServer, reply: Reply, ready: bool
) -> None:
    server.answer(reply)

    assert await client().is_ready() is ready


async def test_waiting_ends_with_the_work_however_it_ended(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(200, REPORT), Reply(200, REPORT | {"status": "failed"}))

    ended = await client().wait_for_report("report_1")

    assert ended.status == "failed"
    assert len(server.received) == 2


async def test_waiting_gives_up_in_time(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(200, REPORT))

    with pytest.raises(isa_user.TimedOut) as failure:
        await client().wait_for_report("report_1", within=0)

    assert failure.value.code == "wait_timed_out"
