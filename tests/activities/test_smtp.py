"""Mail through aiosmtplib to a real SMTP server: handed over, and each refusal given its class."""

import email
import email.header
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr

from core.adapters.smtp import Login, Smtp
from core.contracts.event.webhook import FailureClass
from core.ports import DeliveryFailure
from deploy.processes import free_port
from tests.activities.vendor import message

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


class Mailbox:
    """Says what a test tells it to, and keeps what it took."""

    def __init__(self) -> None:
        self.to_recipient = self.to_data = "250 OK"
        self.mails: list[Message] = []
        self.connections = 0

    async def handle_EHLO(self, server: SMTP, session: Session, envelope: Envelope, name: str, lines: list[str]) -> Any:
        self.connections += 1
        session.host_name = name
        return lines

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.to_data.startswith("250"):
            self.mails.append(email.message_from_bytes(envelope.original_content or b""))
        return self.to_data


@contextmanager
def _listening(mailbox: Mailbox, **options: Any) -> Iterator[Controller]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


Made = Callable[..., Smtp]


def _smtp(port: int, login: Login | None = None) -> Smtp:
    return Smtp("127.0.0.1", port, sender="isA <no-reply@isa.example>", starttls=False, login=login)


@pytest.fixture
async def smtp(mailbox: Mailbox) -> AsyncIterator[Smtp]:
    with _listening(mailbox) as controller:
        made = _smtp(controller.port)
        yield made
        await made.close()


async def _fails(smtp: Smtp) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        await smtp.send(message("john@example.com"))
    return caught.value


async def test_a_mail_arrives_with_its_parts_and_headers(smtp: Smtp, mailbox: Mailbox) -> None:
    await smtp.send(message("john@example.com", html="<p>Welcome to isA</p>", subject="Grüße"))
    (mail,) = mailbox.mails
    assert [part.get_content_type() for part in mail.walk()][1:] == ["text/plain", "text/html"]
    assert (mail["To"], mail["X-Notification-ID"], mail["X-Correlation-ID"]) == (
        "john@example.com",
        "notif_1",
        "corr_1",
    )
    assert str(email.header.make_header(email.header.decode_header(mail["Subject"]))) == "Grüße"


async def test_a_repetition_carries_the_same_message_id(smtp: Smtp, mailbox: Mailbox) -> None:
    for _ in range(2):
        await smtp.send(message("john@example.com"))
    assert {mail["Message-ID"] for mail in mailbox.mails} == {"<notif_1.channel@isa.example>"}


async def test_connections_are_used_again(smtp: Smtp, mailbox: Mailbox) -> None:
    for _ in range(3):
        await smtp.send(message("john@example.com"))
    assert mailbox.connections == 1


async def test_a_connection_that_died_meanwhile_is_replaced(mailbox: Mailbox) -> None:
    with _listening(mailbox) as first:
        smtp = _smtp(first.port)
        await smtp.send(message("john@example.com"))
    controller = Controller(mailbox, hostname="127.0.0.1", port=first.port)
    controller.start()
    await smtp.send(message("john@example.com"))
    await smtp.close()
    controller.stop()
    assert len(mailbox.mails) == 2


@pytest.mark.parametrize(
    ("reply", "code", "failure_class"),
    [
        ("550 5.1.1 No such user here", "bad_address", FailureClass.PERMANENT),
        ("450 4.2.0 Mailbox busy", "provider_unavailable", FailureClass.TRANSIENT),
        ("451 4.7.1 Greylisted, too many mails", "throttled", FailureClass.THROTTLED),
        ("421 4.3.2 Closing", "throttled", FailureClass.THROTTLED),
    ],
)
async def test_a_refused_recipient_has_its_class(
    smtp: Smtp, mailbox: Mailbox, reply: str, code: str, failure_class: FailureClass
) -> None:
    mailbox.to_recipient = reply
    failure = await _fails(smtp)
    assert (failure.code, failure.failure_class) == (code, failure_class)


async def test_a_refused_content_is_permanent(smtp: Smtp, mailbox: Mailbox) -> None:
    mailbox.to_data = "554 5.7.1 Looks like spam"
    failure = await _fails(smtp)
    assert (failure.code, failure.failure_class) == ("rejected", FailureClass.PERMANENT)
    assert "spam" in failure.message


async def test_after_a_refusal_the_next_mail_goes_out(smtp: Smtp, mailbox: Mailbox) -> None:
    mailbox.to_recipient = "550 5.1.1 No such user here"
    await _fails(smtp)
    mailbox.to_recipient = "250 OK"
    await smtp.send(message("jane@example.com"))
    assert [mail["To"] for mail in mailbox.mails] == ["jane@example.com"]


async def test_a_server_that_is_away_is_transient() -> None:
    failure = await _fails(_smtp(free_port()))
    assert (failure.code, failure.failure_class) == ("provider_unavailable", FailureClass.TRANSIENT)


async def test_a_wrong_password_is_worth_another_try(mailbox: Mailbox) -> None:
    def refuse(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    options = {"authenticator": refuse, "auth_required": True, "auth_require_tls": False}
    with _listening(mailbox, **options) as controller:
        smtp = _smtp(controller.port, Login("isa", SecretStr("wrong")))
        failure = await _fails(smtp)
        await smtp.close()
    assert (failure.code, failure.failure_class) == ("provider_unauthorized", FailureClass.TRANSIENT)


async def test_it_logs_in_with_name_and_password(mailbox: Mailbox) -> None:
    seen: list[LoginPassword] = []

    def allow(_: SMTP, __: Session, ___: Envelope, ____: str, data: LoginPassword) -> AuthResult:
        seen.append(data)
        return AuthResult(success=True)

    with _listening(mailbox, authenticator=allow, auth_required=True, auth_require_tls=False) as controller:
        smtp = _smtp(controller.port, Login("isa", SecretStr("right")))
        await smtp.send(message("john@example.com"))
        await smtp.close()
    assert seen == [LoginPassword(b"isa", b"right")]


@pytest.mark.parametrize("utf8", [False, True])
async def test_a_domain_of_any_script_is_reached_by_any_server(mailbox: Mailbox, utf8: bool) -> None:
    with _listening(mailbox, enable_SMTPUTF8=utf8) as controller:
        smtp = _smtp(controller.port)
        await smtp.send(message("john@bücher.example"))
        await smtp.close()
    (mail,) = mailbox.mails
    assert mail["To"] == "john@xn--bcher-kva.example"
