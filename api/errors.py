"""The one error handler: every failure becomes problem details (RFC 9457)."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg.errors import QueryCanceled
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from core.contracts.platform import FieldProblem, Problem
from core.errors import FieldError, OpsError, Unavailable, Unsupported
from core.telemetry import correlation_id

log = structlog.get_logger(__name__)

# pydantic names the kind of each JSON value on the way to a fault; a caller knows only fields and places in lists
JSON_KINDS = ("list", "dict", "str", "int", "float", "bool", "none")
MEDIA_TYPE = "application/problem+json"
POSTGRES_AWAY_SECONDS = 2
TOO_SLOW = "This took longer than the database allows; nothing was changed. Ask for less: a shorter time, more filters."
TITLES = {404: "Not found", 405: "Method not allowed", 406: "Not acceptable"}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    retry_after: float | None = None,
) -> Response:
    """The answer every failure gives."""
    body = Problem(
        type=f"urn:isa-operations:error:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        errors=[FieldProblem(field=e.field, message=e.message, code=e.code) for e in errors],
        correlation_id=correlation_id.get() or None,
    )
    headers = {"Retry-After": str(max(1, round(retry_after)))} if retry_after is not None else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body.model_dump_json(), status, headers, MEDIA_TYPE)


def field_errors(errors: Sequence[Any]) -> list[FieldError]:
    """Pydantic's findings below a place (body, query …), each with the path a caller knows: `events[3].event_type`."""
    return [_field_error(error) for error in errors]


def _field_error(error: Any) -> FieldError:
    if error["type"] == "json_invalid":
        return FieldError("body", f"not JSON as RFC 8259 has it: {error['ctx']['error']}", "json_invalid")
    return FieldError(_path(error["loc"][1:]), error["msg"], error["type"])


def _path(location: Sequence[int | str]) -> str:
    parts = [part for part in location if part not in JSON_KINDS]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.lstrip(".") or "body"


async def _expected(_: Request, error: Exception) -> Response:
    assert isinstance(error, OpsError)
    return problem(
        error.status, error.code, error.title, error.detail, errors=error.errors, retry_after=error.retry_after
    )


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError | ValidationError)
    found = field_errors(error.errors())
    if any(one.field == "body" for one in found) and (kind := _other_than_json(request)):
        return await _expected(request, Unsupported(f"The body came as {kind}. Send JSON, as application/json."))
    first = f"{found[0].field}: {found[0].message}" if found else "the request breaks a rule"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return problem(422, "invalid", "The request is not valid", first + more, errors=found[:100])


def _other_than_json(request: Request) -> str | None:
    """The media type of a body that is not read as JSON."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    return None if kind == "application/json" or kind.endswith("+json") else kind or "something without a name"


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "no_such_path", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    title = TITLES.get(error.status_code, "The request cannot be served")
    answer = problem(error.status_code, code, title, f"{error.detail}. The paths are listed in /openapi.json.")
    answer.headers.update(error.headers or {})
    return answer


async def _database(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError | PoolTimeout)
    if isinstance(error, DBAPIError) and isinstance(error.orig, QueryCanceled):
        log.warning("postgres.too_slow", reason=str(error.orig)[:200])
        return await _expected(request, Unavailable(TOO_SLOW, code="took_too_long"))
    if _is_away(error):
        log.warning("postgres.away", reason=str(getattr(error, "orig", error))[:200])
        return await _expected(
            request,
            Unavailable("The database is away; nothing was changed. Try again.", retry_after=POSTGRES_AWAY_SECONDS),
        )
    return await _unexpected(request, error)


def _is_away(error: DBAPIError | PoolTimeout) -> bool:
    if isinstance(error, PoolTimeout | InterfaceError):
        return True
    return isinstance(error, OperationalError) or error.connection_invalidated


async def _unexpected(_: Request, error: Exception) -> Response:
    log.error("request.failed", exc_info=error)
    detail = "This is a fault of ours. The log holds it under the correlation id."
    return problem(500, "internal", "Something went wrong", detail)


def install(app: FastAPI) -> None:
    """Give the app its handlers."""
    app.add_exception_handler(OpsError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(PoolTimeout, _database)
    app.add_exception_handler(Exception, _unexpected)
