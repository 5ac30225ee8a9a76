"""Recipients: where a user is reached, what the user does not want, and the devices push messages go to."""

from datetime import datetime
from functools import lru_cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, ConfigDict, EmailStr, Field, StringConstraints

from core.contracts.event.webhook import WebhookUrl
from core.contracts.notification.names import Channel, Platform
from core.contracts.platform import Answer, Contract, RefId

Locale = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]


@lru_cache
def _zones() -> set[str]:
    return available_timezones()


def _known_zone(value: str) -> str:
    if value not in _zones():
        raise ValueError("must be a time zone of the IANA database, such as Europe/Berlin")
    return value


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]
Phone = Annotated[str, StringConstraints(min_length=3, max_length=40)]


class SetRecipient(Contract):
    """Where a user is reached. Addresses left out are forgotten; preferences left out stay as they were."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "email": "john@example.com",
                    "phone": "+14155552671",
                    "locale": "en-US",
                    "timezone": "America/Los_Angeles",
                    "preferences": {"sms": False},
                }
            ]
        }
    )

    email: Annotated[EmailStr | None, Field(max_length=254)] = None
    phone: Annotated[Phone | None, Field(description="international form: +14155552671")] = None
    locale: Annotated[Locale | None, Field(description="a language tag (BCP 47)")] = None
    timezone: TimeZone | None = None
    webhook_url: WebhookUrl | None = None
    preferences: Annotated[
        dict[Channel, bool] | None, Field(description="false: nothing more by this channel; true takes that back")
    ] = None


class Recipient(Answer):
    """Where a user is reached. `preferences` names the channels the user has spoken about."""

    user_id: str
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    timezone: str | None = None
    webhook_url: str | None = None
    preferences: dict[Channel, bool] = Field(default_factory=dict)
    updated_at: datetime


class SubscribePush(Contract):
    """A device that wants push messages. The same device again replaces its token."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"device_token": "fcm_token_xyz", "platform": "ios", "device_id": "device_123"}]
        }
    )

    device_token: Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+$")]
    platform: Platform
    device_id: RefId | None = None
    user_id: Annotated[RefId | None, Field(description="whose device; the caller's if left out")] = None


class PushSubscription(Answer):
    """A device. Once its token is dead it gets nothing more until it subscribes again."""

    subscription_id: str
    user_id: str
    platform: Platform
    device_id: str
    active: bool
    created_at: datetime
    updated_at: datetime
