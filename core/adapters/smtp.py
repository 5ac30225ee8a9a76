"""Mail by SMTP (aiosmtplib): a few connections kept open, every reply given its class."""

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

import aiosmtplib
from pydantic import SecretStr

from core.adapters.addresses import in_ascii
from core.contracts.event.webhook import FailureClass
from core.contracts.notification import PROVIDER_UNAVAILABLE, REJECTED
from core.domain.notification import from_smtp
from core.ports import DeliveryFailure, OutgoingMessage, Receipt

CONNECTIONS, TIMEOUT_SECONDS, WHOLE_SECONDS = 8, 20.0, 60.0


@dataclass(frozen=True, slots=True)
class Login:
    """Name and password at the mail server."""

    username: str
    password: SecretStr | None


class Smtp:
    """Hands mail to one server."""

    provider = "smtp"

    def __init__(self, host: str, port: int, *, sender: str, starttls: bool, login: Login | None) -> None:
        self._host, self._port, self._sender = host, port, sender
        self._starttls, self._login = starttls, login
        self._gate, self._idle = asyncio.Semaphore(CONNECTIONS), list[aiosmtplib.SMTP]()

    async def send(self, message: OutgoingMessage) -> Receipt:
        try:
            async with asyncio.timeout(WHOLE_SECONDS), self._gate:
                reply = await self._send(_mail(message, self._sender))
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise _failure(refused.code, refused.message, about_recipient=True) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _failure(error.code, error.message) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise DeliveryFailure(REJECTED, FailureClass.PERMANENT, str(error)) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            told = str(error) or type(error).__name__
            raise DeliveryFailure(PROVIDER_UNAVAILABLE, FailureClass.TRANSIENT, told) from error
        return Receipt(provider_message_id=reply[:200])

    async def close(self) -> None:
        """Say goodbye on every connection."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(client.quit() for client in idle), return_exceptions=True)

    async def _send(self, mail: EmailMessage) -> str:
        client = await self._connection()
        try:
            _, reply = await client.send_message(mail)
        except (aiosmtplib.SMTPResponseException, aiosmtplib.SMTPRecipientsRefused):
            self._keep(client)  # refused, not broken
            raise
        except BaseException:
            client.close()
            raise
        self._keep(client)
        return reply

    def _keep(self, client: aiosmtplib.SMTP) -> None:
        if client.is_connected:
            self._idle.append(client)

    async def _connection(self) -> aiosmtplib.SMTP:
        """One that still answers, else a new one: a message must not be the test of a connection."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.noop()
            except (aiosmtplib.SMTPException, OSError):
                client.close()
                continue
            return client
        client = aiosmtplib.SMTP(
            hostname=self._host, port=self._port, timeout=TIMEOUT_SECONDS, start_tls=self._starttls, use_tls=False
        )
        await client.connect()
        if self._login is not None:
            password = self._login.password.get_secret_value() if self._login.password else ""
            await client.login(self._login.username, password)
        return client


def _mail(message: OutgoingMessage, sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, in_ascii(message.addresses[0])
    mail["Subject"] = message.subject or ""
    mail["Date"] = formatdate(usegmt=True)
    # the same at every try, so that a mailbox can tell a repetition
    mail["Message-ID"] = f"<{message.message_id}@{parseaddr(sender)[1].rpartition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Notification-ID"] = message.notification_id
    if message.correlation_id.isascii() and message.correlation_id.isprintable():
        mail["X-Correlation-ID"] = message.correlation_id
    if message.urgent:
        mail["Importance"] = "high"
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
    return mail


def _failure(code: int, text: str, *, about_recipient: bool = False) -> DeliveryFailure:
    found = from_smtp(code, text, about_recipient=about_recipient)
    return DeliveryFailure(found.code, found.failure_class, f"{code} {text}")
