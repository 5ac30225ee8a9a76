"""Mail through SendGrid's own SDK to a local server: handed over, and each refusal given its class."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from core.adapters.sendgrid import SendGrid
from core.contracts.event.webhook import FailureClass
from core.ports import DeliveryFailure
from tests.activities.vendor import Reply, Vendor, message, nobody, vendor


@pytest.fixture
def there() -> Iterator[Vendor]:
    with vendor() as standing:
        standing.reply = Reply(202, headers={"X-Message-Id": "sg_1"})
        yield standing


def _sendgrid(url: str) -> SendGrid:
    return SendGrid(SecretStr("a-key"), sender="isA <no-reply@isa.example>", base_url=url)


async def _fails(url: str) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        await _sendgrid(url).send(message("john@example.com"))
    return caught.value


async def test_a_mail_is_handed_over(there: Vendor) -> None:
    receipt = await _sendgrid(there.url).send(message("john@example.com", html="<p>Welcome</p>"))
    (asked,) = there.asked
    assert receipt.provider_message_id == "sg_1"
    assert (asked.path, asked.headers["authorization"]) == ("/v3/mail/send", "Bearer a-key")
    sent = asked.json
    assert sent["from"] == {"email": "no-reply@isa.example", "name": "isA"}
    assert sent["personalizations"][0]["to"] == [{"email": "john@example.com"}]
    assert [part["type"] for part in sent["content"]] == ["text/plain", "text/html"]
    assert sent["custom_args"] == {"notification_id": "notif_1", "correlation_id": "corr_1"}


async def test_a_domain_of_any_script_goes_out_in_ascii(there: Vendor) -> None:
    await _sendgrid(there.url).send(message("john@bücher.example"))
    (asked,) = there.asked
    assert asked.json["personalizations"][0]["to"] == [{"email": "john@xn--bcher-kva.example"}]


async def test_a_throttled_mail_says_when_to_come_back(there: Vendor) -> None:
    there.reply = Reply(429, {"errors": [{"message": "too many requests"}]}, {"Retry-After": "17"})
    failure = await _fails(there.url)
    assert (failure.code, failure.failure_class, failure.retry_after) == ("throttled", FailureClass.THROTTLED, 17)


async def test_a_limit_that_begins_anew_says_when(there: Vendor) -> None:
    there.reply = Reply(429, {"errors": []}, {"X-RateLimit-Reset": "99999999999"})
    failure = await _fails(there.url)
    assert failure.retry_after is not None
    assert failure.retry_after > 0


@pytest.mark.parametrize(
    ("status", "code", "failure_class"),
    [
        (400, "rejected", FailureClass.PERMANENT),
        (401, "provider_unauthorized", FailureClass.TRANSIENT),
        (413, "rejected", FailureClass.PERMANENT),
        (500, "provider_unavailable", FailureClass.TRANSIENT),
        (503, "provider_unavailable", FailureClass.TRANSIENT),
    ],
)
async def test_a_refusal_has_its_class(there: Vendor, status: int, code: str, failure_class: FailureClass) -> None:
    there.reply = Reply(status, {"errors": [{"message": "because"}]})
    failure = await _fails(there.url)
    assert (failure.code, failure.failure_class) == (code, failure_class)
    assert "because" in failure.message


async def test_a_server_that_is_away_is_transient() -> None:
    failure = await _fails(nobody())
    assert (failure.code, failure.failure_class) == ("provider_unavailable", FailureClass.TRANSIENT)
