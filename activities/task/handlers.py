"""What runs a built-in type, and how it fails: a handler does the work itself, an errand has another service do it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, JsonValue
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.task import HandOver

Payload = TypeVar("Payload", bound=BaseModel)
Progress = Callable[[float, str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job(Generic[Payload]):
    """One execution: for whom, with what. Attempts share `execution_id`: what is named by it is made once."""

    tenant_id: str
    owner_id: str
    task_id: str
    execution_id: str
    correlation_id: str
    payload: Payload
    progress: Progress

    def named(self, prefix: str) -> str:
        """The id of the one thing of this kind that the execution makes."""
        return f"{prefix}_{self.execution_id.partition('_')[2]}"


class Handler(Protocol[Payload]):
    """Runs one built-in type. It may run again after a crash, and is cancelled when its task is."""

    async def run(self, job: Job[Payload]) -> JsonValue:
        """The task's result; TaskFailure if there is none."""
        ...


class Errand(Protocol[Payload]):
    """Has another service do the work, in that service's own rows and workflow. Each method is one transaction."""

    async def open(self, session: AsyncSession, job: Job[Payload]) -> HandOver:
        """Write the other service's rows, or find them written; the workflow that does the work."""
        ...

    async def outcome(self, session: AsyncSession, job: Job[Payload]) -> JsonValue:
        """What came of it: the task's result; TaskFailure if it ended badly, or has not ended."""
        ...

    async def stop(self, session: AsyncSession, job: Job[Payload]) -> None:
        """The work is given up: bring to an end what its workflow, cancelled by now, leaves open."""
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


def ended_badly(what: str, status: str | None) -> PermanentTaskError:
    """Another service's work that is not what a completed task may rest on."""
    word = status or "missing"
    return PermanentTaskError(f"{what}_{word}", f"The {what} is {word}.")
