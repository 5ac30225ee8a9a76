"""The audit front door: the log, security alerts, compliance reports."""

from api.app import Door
from api.audit import alerts, events, reports
from api.audit.access import router
from api.recorder import Recorder
from core.store import audit as store

__all__ = ["DOOR", "alerts", "events", "reports", "router"]

DOOR = Door(
    name="audit",
    summary="What happened, by whom: an append-only log, security alerts, compliance reports",
    router=router,
    extras=lambda _settings, database: {"recorder": Recorder(database, store.append)},
)
