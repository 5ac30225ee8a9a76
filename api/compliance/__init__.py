"""The compliance front door: checks in process, batches and reports as work, the policies that judge them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from api.app import Door
from api.compliance import assignments, batches, checks, data_requests, policies, reports, rescores, reviews, uploads
from api.compliance.access import DETECTORS, EARLIER, HASH_KEY, POLICIES, PREFIX, RECORDER, REVIEWS, router
from api.compliance.earlier import EarlierChecks
from api.recorder import Recorder
from core.adapters.detectors import Detectors, Limit, registry
from core.adapters.patterns import compiled
from core.compliance.policies import Policies
from core.compliance.reviews import People, Reviews
from core.contracts.compliance import CONTENT_KEY, MAX_CHECK_BODY_BYTES, CheckRecord
from core.db import Database
from core.keys import derive
from core.notification.desk import Desk
from core.settings import Settings
from core.store import compliance as store

__all__ = [
    "DOOR",
    "assignments",
    "batches",
    "checks",
    "data_requests",
    "policies",
    "reports",
    "rescores",
    "reviews",
    "router",
    "uploads",
]

router.include_router(uploads.router)
# Routes are tried in turn, twice a request: the busiest comes first.
router.routes.sort(key=lambda route: getattr(route, "path", "") != f"{PREFIX}/check")


DETECTOR_PROCESSES = 2
"""For long texts; started when the first one comes."""


def _extras(settings: Settings, database: Database) -> dict[str, Any]:
    limit = Limit(settings.detector_timeout_seconds)
    detectors = Detectors(registry(settings), limit=limit, processes=DETECTOR_PROCESSES)
    detectors.load()
    recorder: Recorder[CheckRecord] = Recorder(database, store.record)
    return {
        DETECTORS: detectors,
        RECORDER: recorder,
        POLICIES: Policies(database, compiled),
        EARLIER: EarlierChecks(database),
        REVIEWS: Reviews(Desk(), People.of(settings), claim_for=timedelta(minutes=settings.review_claim_minutes)),
        HASH_KEY: derive(settings.secret_key, CONTENT_KEY),
    }


def _parts(extras: Mapping[str, Any]) -> dict[str, str]:
    """The detectors that could not be built, each with what to do about it."""
    detectors: Detectors = extras[DETECTORS]
    return {"detectors": "; ".join(f"{name}: {why}" for name, why in detectors.faults.items()) or "ok"}


async def _close(extras: Mapping[str, Any]) -> None:
    await extras[DETECTORS].aclose()


def _body_limits(settings: Settings) -> dict[str, int]:
    return {
        f"{PREFIX}/check": MAX_CHECK_BODY_BYTES,
        f"{PREFIX}/batch-check": settings.max_batch_body_bytes,
        f"{PREFIX}/batches": settings.max_upload_bytes,
    }


DOOR = Door(
    name="compliance",
    summary="Content checks: personal data found and redacted, policies, batches, reports",
    router=router,
    extras=_extras,
    parts=_parts,
    closing=_close,
    body_limits=_body_limits,
)
