"""The route that sends one message."""

from fastapi import Response

from api.deps import AppState, Session, Starting, must_reach
from api.notification import answers
from api.notification.access import PREFIX, Writer, new_router, sender_of
from core.contracts.notification import Notification, Send
from core.notification.accept import accept

router = new_router()


@router.post(
    "/send",
    status_code=202,
    response_model=Notification,
    summary="Send a message to a user",
    description=(
        "The message is rendered now: a variable that is missing or unknown is 422, and nothing is sent. Each channel "
        "is then tried at once, and again by the kind of its failure."
    ),
)
async def send_notification(
    session: Session, starting: Starting, state: AppState, caller: Writer, wanted: Send, response: Response
) -> Notification:
    must_reach(caller, wanted.user_id)
    accepted = await accept(session, sender_of(caller), wanted)
    await starting.promise(accepted.intent)
    response.headers["Location"] = f"{PREFIX}/{accepted.row.notification_id}"
    content = accepted.content
    return answers.notification(
        state, accepted.row, accepted.channels, subject=content.subject, body=content.html or content.text
    )
