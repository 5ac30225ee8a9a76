"""The event front door (8230): publish, query, replay, subscribe."""

from typing import Any

from fastapi import APIRouter

from api.app import Door
from api.app import router as make_router
from api.event import events, publishing, replays, subscriptions
from api.event.routes import PREFIX
from api.recorder import Recorder
from core.contracts.event.webhook import SECRET_PURPOSE
from core.db import Database
from core.keys import Seal, derive
from core.settings import Settings
from core.store.event import write


def _extras(settings: Settings, database: Database) -> dict[str, Any]:
    return {
        "events": Recorder(database, lambda session, _, rows: write(session, rows)),
        "seal": Seal(derive(settings.secret_key, SECRET_PURPOSE)),
    }


def _routes() -> APIRouter:
    """One flat router: a nested one would have each request matched again at every level."""
    every = make_router(PREFIX, "event")
    # Publishing first, since it is called most; events last, since its /{event_id} would take the paths of others.
    for part in (publishing, replays, subscriptions, events):
        every.routes.extend(part.router.routes)
    return every


DOOR = Door(
    name="event",
    summary="Publish events, query and count them, replay them, and have them delivered by webhook.",
    router=_routes(),
    extras=_extras,
)
