"""The local mailbox: what is sent to it can be read."""

import os
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from deploy.local.mailbox import mails, read, text_of
from deploy.paths import ROOT, State
from deploy.processes import free_port, port_taken
from tests.deploy.conftest import soon


class Mailbox:
    """A running mailbox and its folder."""

    def __init__(self, home: Path) -> None:
        self.home, self.port, self.folder = home, free_port(), State(home).mail

    def environment(self) -> dict[str, str]:
        return {**os.environ, "OPS_HOME": str(self.home), "OPS_SMTP_PORT": str(self.port), "COLUMNS": "200"}

    def ops(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "deploy", *arguments]
        return subprocess.run(
            command, env=self.environment(), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )

    def send(self, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "ops@localhost", "john@example.com", subject
        message.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as smtp:
            smtp.send_message(message)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    made = Mailbox(tmp_path)
    command = [sys.executable, "-m", "deploy.local.mailbox"]
    with subprocess.Popen(command, env=made.environment(), cwd=ROOT) as process:
        assert soon(lambda: port_taken(made.port))
        yield made
        process.terminate()


def test_a_mail_is_kept_whole(mailbox: Mailbox) -> None:
    mailbox.send("Grüße", "Hello John,\nñ and 名 arrive.\n")

    [kept] = mails(mailbox.folder)
    message = read(kept)
    assert (message["Subject"], message["X-Envelope-To"]) == ("Grüße", "john@example.com")
    assert text_of(message).splitlines() == ["Hello John,", "ñ and 名 arrive."]


def test_ops_mail_lists_the_newest_first_and_prints_one(mailbox: Mailbox) -> None:
    mailbox.send("first", "one")
    mailbox.send("second", "two [not markup]")

    listed, printed = mailbox.ops("mail").stdout, mailbox.ops("mail", "1").stdout

    assert listed.index("second") < listed.index("first")
    assert "Subject: second" in printed
    assert "two [not markup]" in printed


def test_a_mail_that_is_not_there_is_one_sentence(mailbox: Mailbox) -> None:
    done = mailbox.ops("mail", "3")

    assert done.returncode == 1
    assert "There is no mail number 3" in done.stderr
