"""The built-in type `http_request`: one HTTP request, its answer as the result."""

from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from activities.task.handlers import Job, PermanentTaskError, TaskFailure
from core.contracts.task import HttpMethod, HttpReply, HttpRequestPayload
from core.domain.event import retry_after_seconds
from core.errors import Forbidden, Unavailable
from core.ports import HttpCaller

LATER, SERVERS_FAULT = frozenset({408, 425, 429}), 500
LONGEST_RETRY_AFTER = timedelta(hours=1)
SAFE = (HttpMethod.GET, HttpMethod.HEAD)


class HttpRequest:
    """Calls an address. Requests that change something carry the execution as Idempotency-Key."""

    def __init__(self, caller: HttpCaller) -> None:
        self._caller = caller

    async def run(self, job: Job[HttpRequestPayload]) -> JsonValue:
        """The answer, if its status was expected."""
        try:
            reply = await self._caller.call(job.payload, headers=_headers(job))
        except Forbidden as error:
            raise PermanentTaskError(error.code, error.detail) from error
        except Unavailable as error:
            raise TaskFailure(error.code, error.detail) from error
        if not _expected(job.payload, reply):
            raise _unexpected(reply)
        return reply.model_dump(mode="json")


def _headers(job: Job[HttpRequestPayload]) -> dict[str, str]:
    ours = {"X-Correlation-ID": job.correlation_id} if _fits_a_header(job.correlation_id) else {}
    if job.payload.method not in SAFE:
        ours["Idempotency-Key"] = job.execution_id
    given = {name.lower() for name in job.payload.headers}
    return job.payload.headers | {name: value for name, value in ours.items() if name.lower() not in given}


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable() and text == text.strip()


def _expected(wanted: HttpRequestPayload, reply: HttpReply) -> bool:
    return reply.status in wanted.expected_status if wanted.expected_status else 200 <= reply.status < 300


def _unexpected(reply: HttpReply) -> TaskFailure:
    message = f"The address answered {reply.status}."
    if reply.status not in LATER and reply.status < SERVERS_FAULT:
        return PermanentTaskError("unexpected_status", message)
    after = retry_after_seconds(reply.headers.get("retry-after"), datetime.now(UTC))
    wait = min(timedelta(seconds=after), LONGEST_RETRY_AFTER) if after else None
    return TaskFailure("unexpected_status", message, retry_after=wait)
