"""Webhook verification against the published reference implementations, and against an attacker."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from hypothesis import given
from hypothesis import strategies as st
from isa_user import webhooks
from isa_user.webhooks import WebhookVerificationError

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret altogether").decode()
NOW = 1_700_000_000
BODY = json.dumps({"type": "user.signup", "data": {"ü": 1}}, ensure_ascii=False)

FOREIGN: list[Any] = [standardwebhooks.Webhook, svix.webhooks.Webhook]


def signed(foreign: Any, body: str = BODY, *, secret: str = SECRET, at: int = NOW) -> dict[str, str]:
    signature = foreign(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signature}


@pytest.mark.parametrize("foreign", FOREIGN, ids=["standardwebhooks", "svix"])
def test_what_a_foreign_signer_signed_is_verified(foreign: Any) -> None:
    message = webhooks.verify(BODY.encode(), signed(foreign), secret=SECRET, now=NOW)

    assert (message.id, message.timestamp) == ("msg_1", datetime.fromtimestamp(NOW, UTC))
    assert message.payload == {"type": "user.signup", "data": {"ü": 1}}


@pytest.mark.parametrize("foreign", FOREIGN, ids=["standardwebhooks", "svix"])
@given(key=st.binary(min_size=1, max_size=64), payload=st.dictionaries(st.text(), st.text()))
def test_a_foreign_verifier_takes_what_we_sign_and_nothing_else(
    foreign: Any, key: bytes, payload: dict[str, str]
) -> None:
    secret, body = "whsec_" + base64.b64encode(key).decode(), json.dumps(payload)
    at = int(datetime.now(UTC).timestamp())

    headers = webhooks.sign(body, secret=secret, message_id="msg_1", timestamp=at)

    foreign(secret).verify(body, headers)
    with pytest.raises(Exception, match="signature"):
        foreign(secret).verify(body + " ", headers)


def test_header_names_have_no_case() -> None:
    headers = {name.title(): value for name, value in signed(standardwebhooks.Webhook).items()}

    assert webhooks.verify(BODY, headers, secret=SECRET, now=NOW).id == "msg_1"


def test_while_the_sender_rotates_either_signature_will_do() -> None:
    headers = signed(standardwebhooks.Webhook, secret=OTHER)
    headers["webhook-signature"] += " v1a,ZWQyNTUxOQ== " + signed(standardwebhooks.Webhook)["webhook-signature"]

    assert webhooks.verify(BODY, headers, secret=SECRET, now=NOW).id == "msg_1"
    assert webhooks.verify(BODY, headers, secret=OTHER, now=NOW).id == "msg_1"


def test_a_receiver_may_hold_the_old_and_the_new_secret() -> None:
    headers = signed(standardwebhooks.Webhook)

    assert webhooks.verify(BODY, headers, secret=[OTHER, SECRET], now=NOW).id == "msg_1"


@pytest.mark.parametrize("off", [-300, 300])
def test_a_time_within_the_tolerance_is_taken(off: int) -> None:
    assert webhooks.verify(BODY, signed(standardwebhooks.Webhook), secret=SECRET, now=NOW + off)


@pytest.mark.parametrize(("off", "word"), [(301, "old"), (-301, "future")])
def test_a_message_from_another_time_is_refused(off: int, word: str) -> None:
    with pytest.raises(WebhookVerificationError, match=word):
        webhooks.verify(BODY, signed(standardwebhooks.Webhook), secret=SECRET, now=NOW + off)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(name: str) -> None:
    headers = signed(standardwebhooks.Webhook)
    del headers[name]

    with pytest.raises(WebhookVerificationError, match=name):
        webhooks.verify(BODY, headers, secret=SECRET, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(NOW + 1)},
        {"webhook-timestamp": f"{NOW}.0"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "٣"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,not base64 at all!"},
        {"webhook-signature": "nonsense"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1a,AAAA"},
    ],
)
def test_a_changed_header_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(WebhookVerificationError):
        webhooks.verify(BODY, signed(standardwebhooks.Webhook) | change, secret=SECRET, now=NOW)


@given(position=st.integers(0, len(BODY.encode()) - 1), bit=st.integers(0, 7))
def test_any_changed_bit_of_the_body_is_noticed(position: int, bit: int) -> None:
    body = bytearray(BODY.encode())
    body[position] ^= 1 << bit

    with pytest.raises(WebhookVerificationError):
        webhooks.verify(bytes(body), signed(standardwebhooks.Webhook), secret=SECRET, now=NOW)


def test_another_secret_fits_nothing() -> None:
    with pytest.raises(WebhookVerificationError):
        webhooks.verify(BODY, signed(standardwebhooks.Webhook), secret=OTHER, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!", "wh"])
def test_a_secret_that_is_none_is_a_mistake_of_the_program(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        webhooks.verify(BODY, signed(standardwebhooks.Webhook), secret=secret, now=NOW)


def test_no_secret_at_all_verifies_nothing() -> None:
    with pytest.raises(WebhookVerificationError):
        webhooks.verify(BODY, signed(standardwebhooks.Webhook), secret=[], now=NOW)


def test_a_signed_body_that_is_not_json_is_refused() -> None:
    headers = signed(standardwebhooks.Webhook, "hello")

    with pytest.raises(WebhookVerificationError, match="JSON"):
        webhooks.verify("hello", headers, secret=SECRET, now=NOW)
