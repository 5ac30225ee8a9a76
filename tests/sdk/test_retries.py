"""What is tried again, how often, after how long; and that all tries are one call to the server."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import isa_user._async.base
import isa_user._sync.base
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isa_user import ConnectionFailed, IsaError, RateLimited, ServiceUnavailable, TimedOut, _retry

from deploy.processes import free_port
from tests.sdk.conftest import EVENT, MakeTwin
from tests.sdk.server import Dropped, Reply, ScriptedServer, problem

GOOD = Reply(201, EVENT)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited for between tries, without the waiting."""
    waited: list[float] = []

    async def doze(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(isa_user._async.base, "sleep", doze)
    monkeypatch.setattr(isa_user._sync.base, "sleep", waited.append)
    return waited


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "bad",
    [
        Dropped(),
        Dropped(half=True),
        problem(408, "timeout"),
        problem(429, "rate_limited"),
        Reply(502, b"<html>Bad Gateway</html>"),
        problem(503, "unavailable"),
        problem(504, "timeout"),
        problem(409, "idempotency_in_flight"),
    ],
    ids=["dropped", "cut", "408", "429", "502", "503", "504", "in flight"],
)
async def test_a_passing_trouble_is_tried_again(client: MakeTwin, server: ScriptedServer, bad: Reply | Dropped) -> None:
    server.answer(bad, GOOD)

    event = await client().log_event(event_type="user.login")

    assert event.event_id == "aud_1"
    assert len(server.received) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500, 501])
async def test_what_cannot_pass_by_itself_is_told_at_once(
    client: MakeTwin, server: ScriptedServer, status: int
) -> None:
    server.answer(problem(status, "some_code"))

    with pytest.raises(IsaError):
        await client().log_event(event_type="user.login")

    assert len(server.received) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_late_answer_is_tried_again(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(201, EVENT, late=0.5), GOOD)

    event = await client(timeout=0.2).log_event(event_type="user.login")

    assert event.event_id == "aud_1"


@pytest.mark.usefixtures("impatient")
async def test_all_tries_of_a_post_share_one_idempotency_key_and_body(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Dropped(), problem(503, "unavailable"), GOOD)

    await client().log_event(event_type="user.login", metadata={"a": 1})

    assert len({request.headers["idempotency-key"] for request in server.received}) == 1
    assert len({request.raw for request in server.received}) == 1
    assert len(server.received) == 3


async def test_two_calls_have_two_idempotency_keys(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(GOOD)
    twin = client()

    await twin.log_event(event_type="user.login")
    await twin.log_event(event_type="user.login")

    assert len({request.headers["idempotency-key"] for request in server.received}) == 2


async def test_a_caller_may_bring_the_idempotency_key(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(GOOD)

    await client().log_event(event_type="user.login", idempotency_key="order-17")

    assert server.received[0].headers["idempotency-key"] == "order-17"


@pytest.mark.usefixtures("impatient")
async def test_the_last_error_is_told_when_the_tries_are_used_up(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(problem(503, "unavailable", detail="The database is away."))

    with pytest.raises(ServiceUnavailable, match="The database is away"):
        await client(max_retries=2).log_event(event_type="user.login")

    assert len(server.received) == 3


async def test_a_call_may_forbid_retries(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Dropped())

    with pytest.raises(ConnectionFailed):
        await client().log_event(event_type="user.login", max_retries=0)

    assert len(server.received) == 1


@pytest.mark.parametrize("method", ["get_event", "get_alert"])
@pytest.mark.usefixtures("impatient")
async def test_reads_are_tried_again_without_a_key(client: MakeTwin, server: ScriptedServer, method: str) -> None:
    server.answer(Dropped(), problem(404, "not_found"))

    with pytest.raises(IsaError, match="404"):
        await getattr(client(), method)("some_id")

    assert len(server.received) == 2
    assert "idempotency-key" not in server.received[0].headers


async def test_retry_after_in_seconds_is_obeyed(client: MakeTwin, server: ScriptedServer, pauses: list[float]) -> None:
    server.answer(problem(429, "rate_limited", headers={"Retry-After": "7"}), GOOD)

    await client().log_event(event_type="user.login")

    assert [round(pause) for pause in pauses] == [7]


async def test_a_server_that_asks_for_a_long_pause_is_not_waited_for(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(problem(429, "rate_limited", headers={"Retry-After": "3600"}))

    with pytest.raises(RateLimited) as refusal:
        await client().log_event(event_type="user.login")

    assert refusal.value.retry_after == 3600
    assert len(server.received) == 1


async def test_retry_after_as_a_date_becomes_seconds(client: MakeTwin, server: ScriptedServer) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    server.answer(problem(503, "unavailable", headers={"Retry-After": at}))

    with pytest.raises(ServiceUnavailable) as refusal:
        await client().log_event(event_type="user.login")

    assert refusal.value.retry_after == pytest.approx(3600, abs=60)


async def test_a_retry_after_that_says_nothing_is_passed_over(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(problem(503, "unavailable", headers={"Retry-After": "soon"}))

    with pytest.raises(ServiceUnavailable) as refusal:
        await client(max_retries=0).log_event(event_type="user.login")

    assert refusal.value.retry_after is None


async def test_nobody_listening_is_a_connection_failure(client: MakeTwin) -> None:
    twin = client()
    twin.client.base_url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(ConnectionFailed) as failure:
        await twin.log_event(event_type="user.login", max_retries=0)

    assert (failure.value.code, failure.value.status) == ("connection_failed", None)


async def test_no_answer_in_time_is_a_time_out(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(201, EVENT, late=0.5))

    with pytest.raises(TimedOut) as failure:
        await client().log_event(event_type="user.login", timeout=0.1, max_retries=0)

    assert failure.value.code == "timed_out"


@given(retries_made=st.integers(0, 50))
def test_back_off_doubles_up_to_its_cap_and_is_jittered_by_half(retries_made: int) -> None:
    step = min(0.5 * 2**retries_made, 8.0)

    assert step / 2 <= _retry.backoff(retries_made) <= step


@given(retry_after=st.floats(0, 60), made=st.integers(0, 2))
def test_the_pause_is_never_shorter_than_retry_after(retry_after: float, made: int) -> None:
    error = ServiceUnavailable("away", code="unavailable", status=503, retry_after=retry_after)

    pause = _retry.pause_before_retry(error, retries_made=made, max_retries=3)

    assert pause is not None
    assert pause >= retry_after
