"""Routes of recipients: where a user is reached, and what the user does not want."""

import phonenumbers

from api.deps import Session, must_reach
from api.notification import answers
from api.notification.access import Reader, UserId, Writer, new_router
from core.contracts.notification import Recipient, SetRecipient
from core.errors import FieldError, Invalid, NotFound
from core.store.notification import recipients as store

router = new_router()

ADDRESSES = {"email", "phone", "locale", "timezone", "webhook_url"}


@router.put(
    "/recipients/{user_id}",
    response_model=Recipient,
    summary="Say where a user is reached",
    description="Addresses left out are forgotten. Preferences left out stay: an opt-out is taken back only by `true`.",
)
async def set_recipient(session: Session, caller: Writer, user_id: UserId, wanted: SetRecipient) -> Recipient:
    must_reach(caller, user_id)
    addresses = wanted.model_dump(include=ADDRESSES) | {"phone": _e164(wanted.phone)}
    preferences = {channel.value: wants for channel, wants in (wanted.preferences or {}).items()}
    row = await store.put(session, caller.tenant_id, user_id, addresses=addresses, preferences=preferences)
    return answers.recipient(row)


def _e164(phone: str | None) -> str | None:
    """The number as providers take it (ITU-T E.164); the plan of its country has to know it."""
    if phone is None:
        return None
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException as error:
        raise _no_number() from error
    if not phonenumbers.is_valid_number(number):
        raise _no_number()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _no_number() -> Invalid:
    problem = FieldError("phone", "is no phone number in international form, such as +14155552671", "phone_invalid")
    return Invalid("The phone number cannot be reached: write it with + and the country code.", errors=[problem])


@router.get("/recipients/{user_id}", response_model=Recipient, summary="Where a user is reached")
async def get_recipient(session: Session, caller: Reader, user_id: UserId) -> Recipient:
    must_reach(caller, user_id)
    row = await store.find(session, caller.tenant_id, user_id)
    if row is None:
        detail = f"Nothing is known of {user_id}: PUT says where the user is reached."
        raise NotFound(detail, code="recipient_unknown")
    return answers.recipient(row.model_dump())
