"""Each failure has the type that a caller can act on, and everything the server said."""

import pickle

import isa_user
import pytest
from isa_user import (
    ApiError,
    AuthenticationError,
    BadRequest,
    Conflict,
    InvalidAnswer,
    IsaError,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    ServerError,
    ServiceUnavailable,
    ValidationError,
)

from tests.sdk.conftest import EVENT, MakeTwin
from tests.sdk.server import Reply, ScriptedServer, problem

BY_STATUS = {
    400: BadRequest,
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: PayloadTooLarge,
    415: ApiError,
    422: ValidationError,
    429: RateLimited,
    500: ServerError,
    502: ServiceUnavailable,
    503: ServiceUnavailable,
    504: ServiceUnavailable,
}


@pytest.mark.parametrize(("status", "kind"), BY_STATUS.items())
async def test_a_status_has_its_error(
    client: MakeTwin, server: ScriptedServer, status: int, kind: type[IsaError]
) -> None:
    server.answer(problem(status, "some_code", detail="What to do next.", correlation_id="corr_1"))

    with pytest.raises(kind) as failure:
        await client(max_retries=0).get_event("aud_1")

    error = failure.value
    assert type(error) is kind
    assert (error.status, error.code, error.detail, error.correlation_id) == (
        status, "some_code", "What to do next.", "corr_1",
    )  # fmt: skip


async def test_a_validation_error_names_each_field(client: MakeTwin, server: ScriptedServer) -> None:
    fault = {"field": "events[3].event_type", "message": "Field required", "code": "missing"}
    server.answer(problem(422, "invalid", detail="One event is wrong", errors=[fault]))

    with pytest.raises(ValidationError, match=r"events\[3\].event_type: Field required") as failure:
        await client().log_events([{"event_type": "a"}])

    assert failure.value.errors[0].model_dump() == fault


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[]", b'{"status": "not a number"}', b"\xff"])
async def test_an_error_that_is_not_problem_details_still_has_its_type(
    client: MakeTwin, server: ScriptedServer, body: bytes
) -> None:
    server.answer(Reply(502, body, {"X-Correlation-ID": "corr_of_the_proxy"}))

    with pytest.raises(ServiceUnavailable) as failure:
        await client(max_retries=0).get_event("aud_1")

    assert (failure.value.code, failure.value.detail) == ("http_502", "Bad Gateway")
    assert failure.value.correlation_id == "corr_of_the_proxy"


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", {"event_id": "aud_1"}, EVENT | {"occurred_at": "never"}])
async def test_an_answer_of_another_kind_is_told_as_such(
    client: MakeTwin, server: ScriptedServer, body: object
) -> None:
    server.answer(Reply(200, body))

    with pytest.raises(InvalidAnswer, match="AuditEvent"):
        await client().get_event("aud_1")


async def test_a_redirect_is_not_followed_with_the_token(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(Reply(302, {}, {"Location": "http://127.0.0.1:9/"}))

    with pytest.raises(ApiError):
        await client(token="secret").get_event("aud_1")

    assert len(server.received) == 1


@pytest.mark.parametrize(
    "error",
    [
        ValidationError("wrong", code="invalid", status=422, correlation_id="corr_1", retry_after=2.0),
        isa_user.PermanentTaskError("no file", code="no_file"),
        isa_user.TaskCancelled(),
    ],
)
def test_an_error_survives_the_way_out_of_another_process(error: IsaError) -> None:
    revived = pickle.loads(pickle.dumps(error))

    assert type(revived) is type(error)
    assert (str(revived), vars(revived)) == (str(error), vars(error))


def test_every_error_has_one_root_and_says_what_to_do() -> None:
    errors = [getattr(isa_user, name) for name in isa_user.__all__]
    errors = [kind for kind in errors if isinstance(kind, type) and issubclass(kind, Exception)]

    assert len(errors) == 18
    assert all(issubclass(kind, IsaError) and kind.__doc__ for kind in errors)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_retryable_is_what_may_pass(status: int) -> None:
    assert ApiError("later", code="c", status=status).retryable
    assert not ApiError("never", code="c", status=422).retryable
