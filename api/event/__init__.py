"""The event front door (8230): publish, query, replay, subscribe."""

from typing import Any

from fastapi import APIRouter

from api.app import Door
from api.event import events, replays, subscriptions
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
    every = APIRouter()
    for part in (replays, subscriptions, events):  # events last: its /{event_id} would take the others' paths
        every.include_router(part.router)
    return every


DOOR = Door(
    name="event",
    summary="Publish events, query and count them, replay them, and have them delivered by webhook.",
    router=_routes(),
    extras=_extras,
)
