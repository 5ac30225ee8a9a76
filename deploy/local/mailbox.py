"""`python -m deploy.local.mailbox`: an SMTP server that keeps every mail as a file, where a person can read it."""

import email
import email.policy
import os
import signal
import sys
import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.paths import State, home

LARGEST_BYTES = 33_554_432


class Keep:
    """Writes each accepted mail to a file of its own, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        # sorts by arrival, and two in one microsecond do not meet
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.urandom(3).hex()}.eml"
        content = envelope.original_content or b""
        recipients = ", ".join(envelope.rcpt_tos)
        draft = self._folder / f".{name}"
        draft.write_bytes(f"X-Envelope-To: {recipients}\r\n".encode() + content)
        draft.replace(self._folder / name)
        return "250 kept"


def mails(folder: Path) -> list[Path]:
    """The kept mails, newest first."""
    return sorted(folder.glob("[!.]*.eml"), reverse=True)


def read(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return email.message_from_binary_file(file, policy=email.policy.default)


def text_of(message: EmailMessage) -> str:
    """The plain text, or the HTML where there is none."""
    body = message.get_body(preferencelist=("plain", "html"))
    return str(body.get_content()) if body is not None else ""


def serve(folder: Path, host: str, port: int) -> None:
    """Until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    controller = Controller(Keep(folder), hostname=host, port=port, data_size_limit=LARGEST_BYTES)
    controller.start()
    print(f"mailbox on {host}:{port}, keeping mail in {folder}", flush=True)
    stop.wait()
    controller.stop()


if __name__ == "__main__":
    if "OPS_SMTP_PORT" not in os.environ:
        sys.exit("Set OPS_SMTP_PORT to the port to listen on, such as 1025.")
    serve(State(home()).mail, os.environ.get("OPS_HOST", "127.0.0.1"), int(os.environ["OPS_SMTP_PORT"]))
