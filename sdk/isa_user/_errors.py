"""What can go wrong, sorted by what a caller can do about it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from isa_user._constants import RETRIED_CODES, RETRIED_STATUSES
from isa_user._models.base import FieldError, Problem


class IsaError(Exception):
    """Root of every error of this SDK.

    `code` is a stable word to branch on, `detail` a sentence for people, `correlation_id` the id under which the
    call can be found in the platform's logs. `status` is the HTTP status, None when no answer arrived. `errors`
    names the fields at fault. `retry_after` is the pause in seconds that the server asked for.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int | None = None,
        errors: Sequence[FieldError] = (),
        correlation_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status = status
        self.errors = tuple(errors)
        self.correlation_id = correlation_id
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (type(self), self.detail, self.__dict__)

    def __str__(self) -> str:
        fields = "".join(f"; {error.field}: {error.message}" for error in self.errors)
        status = f"{self.status} " if self.status else ""
        trace = f", correlation_id={self.correlation_id}" if self.correlation_id else ""
        return f"{self.detail}{fields} ({status}{self.code}{trace})"

    @property
    def retryable(self) -> bool:
        """Whether the very same call may succeed later; the client has then already tried `max_retries` times more."""
        return self.status in RETRIED_STATUSES or self.code in RETRIED_CODES


def _revived(kind: type[IsaError], detail: str, state: dict[str, Any]) -> IsaError:
    """An error that came out of another process as it went in."""
    error = kind.__new__(kind, detail)
    error.__dict__.update(state)
    return error


class ApiError(IsaError):
    """The server answered, and the answer is an error."""


class BadRequest(ApiError):
    """400: the request could not be read. Correct the call."""


class AuthenticationError(ApiError):
    """401: the token is missing, expired or not valid. Get a new one."""


class PermissionDenied(ApiError):
    """403: the token is good but may not do this. Ask for the permission that `detail` names."""


class NotFound(ApiError):
    """404: there is no such thing, or it is not yours."""


class Conflict(ApiError):
    """409: the thing is not in a state that allows this, or the name is taken. Read it again, then decide."""


class PayloadTooLarge(ApiError):
    """413: the body is over the size limit. Send less, or in several batches."""


class ValidationError(ApiError):
    """422: values were refused; `errors` names each field. Correct the call."""


class RateLimited(ApiError):
    """429: too many calls. Come back after `retry_after` seconds."""


class ServerError(ApiError):
    """5xx: the platform failed. Report `correlation_id` when it stays."""


class ServiceUnavailable(ServerError):
    """502, 503, 504: the platform is away for now. Come back after `retry_after` seconds."""


class ConnectionFailed(IsaError):
    """No answer arrived: the connection could not be made, or broke."""

    @property
    def retryable(self) -> bool:
        return True


class TimedOut(ConnectionFailed):
    """No answer within `timeout`, or (code `wait_timed_out`) no end within the time given to a `wait_for_…`."""


class InvalidAnswer(IsaError):
    """A success answer that is not what this SDK's version understands. Check base URL and versions."""


class WebhookVerificationError(IsaError):
    """A webhook whose signature, time or headers do not hold. Answer 400 and do not act on it."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="webhook_not_verified")


class PermanentTaskError(IsaError):
    """Raise it in a task handler when trying again cannot help: the task fails at once with this `code`."""

    def __init__(self, detail: str, *, code: str = "handler_failed") -> None:
        super().__init__(detail, code=code)


class TaskCancelled(IsaError):
    """The task was cancelled while a synchronous handler runs: let it pass through, after cleaning up."""

    def __init__(self, detail: str = "The task was cancelled.") -> None:
        super().__init__(detail, code="task_cancelled")


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: PayloadTooLarge,
    422: ValidationError,
    429: RateLimited,
    502: ServiceUnavailable,
    503: ServiceUnavailable,
    504: ServiceUnavailable,
}


def error_from_response(response: httpx.Response) -> ApiError:
    """The typed error for an answer with problem details (RFC 9457), or with anything a proxy in between wrote."""
    problem = _problem(response)
    status = response.status_code
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    return kind(
        problem.detail or problem.title or response.reason_phrase or f"HTTP {status}",
        code=problem.code or f"http_{status}",
        status=status,
        errors=problem.errors,
        correlation_id=problem.correlation_id or response.headers.get("X-Correlation-ID"),
        retry_after=_retry_after(response.headers.get("Retry-After")),
    )


def _problem(response: httpx.Response) -> Problem:
    try:
        return Problem.model_validate_json(response.content)
    except ValueError:  # not JSON, or not problem details: the status alone has to do
        return Problem()


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or an HTTP date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # not a date, or one without a zone
        return None
