"""The one tree of expected failures. `code` is stable: the same string in a rule, an answer and the SDK."""

from collections.abc import Sequence


class FieldError:
    """One thing wrong with one field of the caller's input."""

    __slots__ = ("code", "field", "message")

    def __init__(self, field: str, message: str, code: str = "invalid") -> None:
        self.field, self.message, self.code = field, message, code


class OpsError(Exception):
    """An expected failure. `detail` tells the reader what to do next."""

    status = 500
    code = "internal"
    title = "Something went wrong"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail, self.errors, self.retry_after = detail, tuple(errors), retry_after
        self.code = code or type(self).code


class Unauthenticated(OpsError):
    """No token, or one that proves nothing."""

    status, code, title = 401, "unauthenticated", "A valid token is needed"


class Forbidden(OpsError):
    """A valid token without the right to do this."""

    status, code, title = 403, "forbidden", "The token does not allow this"


class NotFound(OpsError):
    """Nothing by that name that the caller may see."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(OpsError):
    """The thing's present state does not allow this."""

    status, code, title = 409, "conflict", "Not possible in the present state"


class Gone(OpsError):
    """It was there, and is deleted for good."""

    status, code, title = 410, "gone", "No longer there"


class TooLarge(OpsError):
    """The body is over the limit."""

    status, code, title = 413, "too_large", "The request is too large"


class Unsupported(OpsError):
    """A content type that nobody here reads."""

    status, code, title = 415, "unsupported_media_type", "Content type not supported"


class Invalid(OpsError):
    """The input breaks a rule; `errors` names each field."""

    status, code, title = 422, "invalid", "The request is not valid"


class RateLimited(OpsError):
    """Too many requests; `retry_after` says when to come back."""

    status, code, title = 429, "rate_limited", "Too many requests"


class Unavailable(OpsError):
    """A part we depend on is away; trying again later may work."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"
