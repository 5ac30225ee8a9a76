"""The notification front door (8206): templates, recipients, sending, the in-app centre, push devices."""

from fastapi import APIRouter

from api.app import Door
from api.notification import batches, inbox, messages, push, recipients, sending, templates


def _routes() -> APIRouter:
    every = APIRouter()
    # messages last: its /{notification_id} would take the others' paths
    for part in (templates, recipients, push, inbox, sending, batches, messages):
        every.include_router(part.router)
    return every


DOOR = Door(
    name="notification",
    summary="Messages by mail, SMS, push, webhook and the in-app centre: templates, sending, delivery by channel.",
    router=_routes(),
)
