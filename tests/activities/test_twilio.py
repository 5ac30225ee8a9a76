"""SMS through Twilio's own SDK to a local server: handed over, and each refusal given its class."""

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from core.adapters.twilio import Twilio
from core.contracts.event.webhook import FailureClass
from core.ports import DeliveryFailure
from tests.activities.vendor import Reply, Vendor, message, nobody, vendor


@pytest.fixture
def there() -> Iterator[Vendor]:
    with vendor() as standing:
        standing.reply = Reply(201, {"sid": "SM1", "status": "queued"})
        yield standing


def _twilio(url: str) -> Twilio:
    return Twilio("AC1", SecretStr("a-token"), sender="+15005550006", base_url=url)


async def _fails(url: str) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        await _twilio(url).send(message("+14155552671"))
    return caught.value


async def test_a_message_is_handed_over(there: Vendor) -> None:
    receipt = await _twilio(there.url).send(message("+14155552671"))
    (asked,) = there.asked
    assert receipt.provider_message_id == "SM1"
    assert asked.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert asked.headers["authorization"].startswith("Basic ")
    assert parse_qs(asked.body) == {"To": ["+14155552671"], "From": ["+15005550006"], "Body": ["Welcome to isA"]}


async def test_a_throttled_message_says_when_to_come_back(there: Vendor) -> None:
    there.reply = Reply(429, {"code": 20429, "message": "Too many requests"}, {"Retry-After": "9"})
    failure = await _fails(there.url)
    assert (failure.code, failure.failure_class, failure.retry_after) == ("throttled", FailureClass.THROTTLED, 9)


@pytest.mark.parametrize(
    ("status", "error", "code", "failure_class"),
    [
        (400, 21211, "bad_address", FailureClass.PERMANENT),
        (400, 21610, "opted_out", FailureClass.PERMANENT),
        (400, 21617, "rejected", FailureClass.PERMANENT),
        (401, 20003, "provider_unauthorized", FailureClass.TRANSIENT),
        (500, 20500, "provider_unavailable", FailureClass.TRANSIENT),
        (503, 20503, "provider_unavailable", FailureClass.TRANSIENT),
    ],
)
async def test_a_refusal_has_its_class(
    there: Vendor, status: int, error: int, code: str, failure_class: FailureClass
) -> None:
    there.reply = Reply(status, {"code": error, "message": "because", "status": status})
    failure = await _fails(there.url)
    assert (failure.code, failure.failure_class) == (code, failure_class)
    assert "because" in failure.message


async def test_a_server_that_is_away_is_transient() -> None:
    failure = await _fails(nobody())
    assert (failure.code, failure.failure_class) == ("provider_unavailable", FailureClass.TRANSIENT)
