"""What a built-in type's handler is, and how it fails."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, JsonValue

Payload = TypeVar("Payload", bound=BaseModel)
Progress = Callable[[float, str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job(Generic[Payload]):
    """One attempt: for whom, with what. Every attempt has the same `execution_id`: what is named by it is made once."""

    tenant_id: str
    owner_id: str
    task_id: str
    execution_id: str
    correlation_id: str
    payload: Payload
    progress: Progress


class Handler(Protocol[Payload]):
    """Runs one built-in type. It may run again after a crash, and is cancelled when its task is."""

    async def run(self, job: Job[Payload]) -> JsonValue:
        """The task's result; TaskFailure if there is none."""
        ...


class TaskFailure(Exception):
    """An expected failure of a handler. `code` is stable; another attempt may help after `retry_after`."""

    retryable = True

    def __init__(self, code: str, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.retry_after = code, message, retry_after


class PermanentTaskError(TaskFailure):
    """No further attempt can help."""

    retryable = False
