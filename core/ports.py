"""What activities and front doors ask of the outside world; the edge of each process puts adapters behind it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.audit import ReportHead, ReportResult
from core.contracts.compliance import CheckType, ChosenPolicy, DetectorResult, NewReport, PolicySettings
from core.contracts.compliance import ReportResult as CheckFigures
from core.contracts.compliance.reviews import ExpireWork, MoveWork, NudgeWork, ReviewState
from core.contracts.event.webhook import FailureClass
from core.contracts.notification import Send
from core.contracts.platform import Intent
from core.contracts.task import HttpReply, HttpRequestPayload
from core.domain.compliance.policies import Rulebook


class Transactions(Protocol):
    """Opens database transactions; commits when the block ends well, rolls back when it raises."""

    def begin(self, tenant: str) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction that sees and writes this tenant's rows only (row-level security)."""
        ...

    def begin_all(self) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction over all tenants, for pumps and reconcilers only."""
        ...


class Erasures(Transactions, Protocol):
    """Opens, besides others, the transactions of erasures."""

    def begin_erasure(self, tenant: str, request_id: str) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction that may delete and pseudonymise, while this request is an approved, running erasure."""
        ...


class Sealer(Protocol):
    """Seals parts of a file, each for its place in it."""

    def close(self, place: str, plain: bytes) -> bytes:
        """The sealed bytes; they open under the same place only."""
        ...


class Wakeups(Protocol):
    """Postgres NOTIFY, as something to wait for."""

    def listen(self, channel: str) -> AbstractAsyncContextManager["Wakeup"]:
        """Listen on one channel for as long as the block runs."""
        ...


class Wakeup(Protocol):
    """One open LISTEN."""

    async def wait(self, seconds: float) -> None:
        """Return at the next notification, or after `seconds` without one."""
        ...


class IntentKeeper(Protocol):
    """The one way to start, cancel or signal a workflow."""

    async def keep(self, intents: Sequence[Intent]) -> list[str]:
        """Carry the intents out; the ids of those that Temporal now knows. Never raises for a Temporal that is away."""
        ...


class Detector(Protocol):
    """Looks for one type of trouble in texts. CPU-bound and synchronous: call it in a thread."""

    check_type: CheckType
    name: str
    version: str

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        """One result for each text, in order."""
        ...


Row = TypeVar("Row", contravariant=True)
Found = TypeVar("Found", covariant=True)


class Group(Protocol[Row, Found]):
    """Group commit: what arrives while one transaction runs shares the next one."""

    async def do(self, tenant: str, row: Row) -> Found:
        """What came of this row, once it is committed."""
        ...


class NotificationDesk(Protocol):
    """Accepts one message in the caller's transaction, as the notification front door does."""

    async def accept(
        self,
        session: AsyncSession,
        wanted: Send,
        *,
        notification_id: str,
        tenant_id: str,
        requested_by: str,
        correlation_id: str,
    ) -> None:
        """Write it under this id; nothing starts it yet. OpsError where its template or variables are wrong."""
        ...


class HttpCaller(Protocol):
    """Makes one HTTP request of a task."""

    async def call(self, request: HttpRequestPayload, *, headers: dict[str, str]) -> HttpReply:
        """The answer, whatever its status. Forbidden for a private address; Unavailable when none came."""
        ...


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """What goes to an endpoint. `secrets` are sealed; without any, the tenant's own derived secret signs."""

    tenant_id: str
    webhook_id: str
    url: str
    body: str
    secrets: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class WebhookReply:
    """What came back: a status code, or the word for what went wrong. `retry_after` in seconds."""

    latency_ms: int
    status_code: int | None = None
    error: str | None = None
    response: str | None = None
    retry_after: float | None = None


class WebhookSender(Protocol):
    """Signs and posts one message. Never raises for what the endpoint does."""

    async def send(self, message: WebhookMessage) -> WebhookReply:
        """One try, within a bounded time; redirects are not followed."""
        ...


class PumpWatch(Protocol):
    """Tells the metrics what a pump does."""

    def moved(self, pump: str, rows: int, lag_seconds: float) -> None:
        """So many rows are done; the oldest one not reached yet has waited so long."""
        ...


class IntentWatch(Protocol):
    """Tells the metrics what the reconciler finds."""

    def pending(self, intents: int) -> None:
        """So many intents wait to be carried out."""
        ...


class Inspector(Protocol):
    """Asks the detectors of a process about texts."""

    async def inspect(
        self,
        texts: Sequence[str],
        check_types: Sequence[CheckType],
        chosen: Mapping[CheckType, str] = MappingProxyType({}),
    ) -> list[dict[CheckType, DetectorResult]]:
        """For each text, in order, one result a type. A type that nobody could judge is unavailable; never raises.

        `chosen`: the detector's name for a type, as a policy may ask; a type that it leaves out has its usual one.
        """
        ...


class Rulebooks(Protocol):
    """Policies, ready to judge."""

    async def choose(
        self, tenant_id: str, *, named: str | None, caller: str, category: str | None
    ) -> ChosenPolicy | None:
        """Which policy judges a check, and why; None where the one named is not there."""
        ...

    async def version(self, tenant_id: str, name: str, version: int) -> Rulebook | None:
        """One version of a policy; None if it was never made."""
        ...

    def draft(self, settings: PolicySettings) -> Rulebook:
        """A policy that is not made yet."""
        ...


class ReportPrinter(Protocol):
    """Turns a compliance report of the audit log into a page that a person reads."""

    async def html(self, report: ReportHead, result: ReportResult) -> str:
        """One HTML page that needs nothing from outside."""
        ...


@dataclass(frozen=True, slots=True)
class Printed:
    """A report to read: one HTML page that needs nothing from outside, and the same as a PDF."""

    html: str
    pdf: bytes


class CheckReportPrinter(Protocol):
    """Turns a report on compliance checks into pages that a person reads."""

    async def print(self, report: NewReport, result: CheckFigures) -> Printed:
        """Both forms, from the same figures and the same drawings."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message for one recipient by one channel. `addresses`: one, or for push a token for each device.

    `message_id` is the same at every try, for providers and receivers that can tell a repetition by it.
    """

    message_id: str
    notification_id: str
    correlation_id: str
    addresses: Sequence[str]
    subject: str | None
    text: str
    html: str | None = None
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider has taken the message. `dead_addresses` will never work again."""

    provider_message_id: str | None = None
    dead_addresses: Sequence[str] = ()


class DeliveryFailure(Exception):
    """A provider has not taken the message. `code` is stable, the message tells why in the provider's words.

    The class says what another try is worth; `retry_after` (seconds) when the provider wants it.
    """

    def __init__(
        self,
        code: str,
        failure_class: FailureClass,
        message: str,
        *,
        retry_after: float | None = None,
        dead_addresses: Sequence[str] = (),
    ) -> None:
        super().__init__(code)
        self.code, self.failure_class, self.message = code, failure_class, message
        self.retry_after, self.dead_addresses = retry_after, dead_addresses


class MessageChannel(Protocol):
    """Hands messages to one provider."""

    provider: str

    async def send(self, message: OutgoingMessage) -> Receipt:
        """One try, within a bounded time. DeliveryFailure if the provider did not take it."""
        ...


class ReviewMoves(Protocol):
    """Moves reviews in the caller's transaction. Each is made once, however often it is asked for."""

    async def update(self, session: AsyncSession, work: MoveWork) -> ReviewState:
        """A person's move. OpsError where there is no such review, or it does not allow the move."""
        ...

    async def nudge(self, session: AsyncSession, work: NudgeWork) -> ReviewState:
        """The clock's next step: reminder, or escalation at the due time."""
        ...

    async def expire(self, session: AsyncSession, work: ExpireWork) -> ReviewState:
        """The end of a claim whose time is over."""
        ...
