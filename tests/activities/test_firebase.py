"""Push through firebase-admin to a local server: handed over to each device, and each refusal given its class."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from core.adapters.firebase import Firebase
from core.contracts.event.webhook import FailureClass
from core.ports import DeliveryFailure
from tests.activities.vendor import Asked, Reply, Vendor, message, nobody, vendor

pytestmark = pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def there() -> Iterator[Vendor]:
    with vendor() as standing:
        standing.reply = Reply(200, {"name": "projects/isa/messages/1"})
        standing.by_path["/token"] = Reply(200, {"access_token": "granted", "expires_in": 3600, "token_type": "Bearer"})
        yield standing


@asynccontextmanager
async def _firebase(folder: Path, private_key: str, url: str, token_url: str | None = None) -> AsyncIterator[Firebase]:
    account = {
        "type": "service_account",
        "project_id": "isa",
        "private_key_id": "1",
        "private_key": private_key,
        "client_email": "push@isa.example",
        "client_id": "1",
        "token_uri": f"{token_url or url}/token",
    }
    path = folder / "service-account.json"
    path.write_text(json.dumps(account))
    made = Firebase(str(path), base_url=url)
    yield made
    await made.close()


def _sent(there: Vendor) -> list[Asked]:
    return [asked for asked in there.asked if asked.path.endswith("messages:send")]


def _refusal(status: int, code: str, **headers: str) -> Reply:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]
    body = {"error": {"status": code, "message": "because", "details": details}}
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


async def _fails(firebase: Firebase, *tokens: str) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        await firebase.send(message(*tokens or ("token_1",)))
    return caught.value


async def test_a_message_goes_to_each_device(there: Vendor, tmp_path: Path, private_key: str) -> None:
    async with _firebase(tmp_path, private_key, there.url) as firebase:
        receipt = await firebase.send(message("token_1", "token_2", urgent=True))
    assert receipt.provider_message_id == "projects/isa/messages/1"
    asked = _sent(there)
    assert {one.path for one in asked} == {"/v1/projects/isa/messages:send"}
    assert {one.headers["authorization"] for one in asked} == {"Bearer granted"}
    assert sorted(one.json["message"]["token"] for one in asked) == ["token_1", "token_2"]
    sent: dict[str, Any] = asked[0].json["message"]
    assert sent["notification"] == {"title": "Hello", "body": "Welcome to isA"}
    assert sent["android"]["priority"] == "high"
    assert sent["data"]["notification_id"] == "notif_1"


async def test_a_throttled_message_says_when_to_come_back(there: Vendor, tmp_path: Path, private_key: str) -> None:
    there.reply = _refusal(429, "QUOTA_EXCEEDED", Retry_After="23")
    async with _firebase(tmp_path, private_key, there.url) as firebase:
        failure = await _fails(firebase)
    assert (failure.code, failure.failure_class, failure.retry_after) == ("throttled", FailureClass.THROTTLED, 23)


async def test_the_sdk_neither_tries_again_nor_waits_by_itself(there: Vendor, tmp_path: Path, private_key: str) -> None:
    there.reply = _refusal(503, "UNAVAILABLE", Retry_After="3600")
    async with _firebase(tmp_path, private_key, there.url) as firebase:
        failure = await _fails(firebase)
    assert len(_sent(there)) == 1
    assert (failure.failure_class, failure.retry_after) == (FailureClass.THROTTLED, 3600)


@pytest.mark.parametrize(
    ("status", "error", "code", "failure_class"),
    [
        (400, "INVALID_ARGUMENT", "rejected", FailureClass.PERMANENT),
        (403, "SENDER_ID_MISMATCH", "bad_address", FailureClass.PERMANENT),
        (401, "THIRD_PARTY_AUTH_ERROR", "provider_unauthorized", FailureClass.TRANSIENT),
        (500, "INTERNAL", "provider_unavailable", FailureClass.TRANSIENT),
    ],
)
async def test_a_refusal_has_its_class(
    there: Vendor, tmp_path: Path, private_key: str, status: int, error: str, code: str, failure_class: FailureClass
) -> None:
    there.reply = _refusal(status, error)
    async with _firebase(tmp_path, private_key, there.url) as firebase:
        failure = await _fails(firebase)
    assert (failure.code, failure.failure_class) == (code, failure_class)


async def test_a_token_that_is_gone_is_told(there: Vendor, tmp_path: Path, private_key: str) -> None:
    there.reply = _refusal(404, "UNREGISTERED")
    async with _firebase(tmp_path, private_key, there.url) as firebase:
        failure = await _fails(firebase, "token_1", "token_2")
    assert (failure.code, failure.failure_class) == ("no_address", FailureClass.PERMANENT)
    assert sorted(failure.dead_addresses) == ["token_1", "token_2"]


async def test_one_device_reached_is_the_user_reached(
    there: Vendor, tmp_path: Path, private_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, usual = _refusal(404, "UNREGISTERED"), there.answer
    monkeypatch.setattr(there, "answer", lambda asked: gone if "token_2" in asked.body else usual(asked))
    async with _firebase(tmp_path, private_key, there.url) as firebase:
        receipt = await firebase.send(message("token_1", "token_2"))
    assert list(receipt.dead_addresses) == ["token_2"]


async def test_a_server_that_is_away_is_transient(there: Vendor, tmp_path: Path, private_key: str) -> None:
    async with _firebase(tmp_path, private_key, nobody(), token_url=there.url) as firebase:
        failure = await _fails(firebase)
    assert (failure.code, failure.failure_class) == ("provider_unavailable", FailureClass.TRANSIENT)


async def test_credentials_that_are_refused_are_worth_another_try(
    there: Vendor, tmp_path: Path, private_key: str
) -> None:
    there.by_path["/token"] = Reply(401, {"error": "invalid_grant"})
    async with _firebase(tmp_path, private_key, there.url) as firebase:
        failure = await _fails(firebase)
    assert (failure.code, failure.failure_class) == ("provider_unauthorized", FailureClass.TRANSIENT)
