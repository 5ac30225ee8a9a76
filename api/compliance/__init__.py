"""The compliance front door: checks in process, batches and reports as work, the policies that judge them."""

from typing import Any

from api.app import Door
from api.compliance import batches, checks, policies, reports
from api.compliance.access import DETECTORS, HASH_KEY, RECORDER, router
from api.recorder import Recorder
from core.adapters.detectors import Detectors
from core.contracts.compliance import CONTENT_KEY, CheckRecord
from core.db import Database
from core.keys import derive
from core.settings import Settings
from core.store import compliance as store

__all__ = ["DOOR", "batches", "checks", "policies", "reports", "router"]


def _extras(settings: Settings, database: Database) -> dict[str, Any]:
    detectors = Detectors()
    detectors.load()
    recorder: Recorder[CheckRecord] = Recorder(database, store.record)
    return {DETECTORS: detectors, RECORDER: recorder, HASH_KEY: derive(settings.secret_key, CONTENT_KEY)}


DOOR = Door(
    name="compliance",
    summary="Content checks: personal data found and redacted, policies, batches, reports",
    router=router,
    extras=_extras,
)
