"""`python -m bench.bare PORT`: the two record routes with the same models and nothing behind them."""

import sys
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI

from core.contracts.audit import AuditEvent, LogEvent, Outcome
from core.contracts.event import Event, EventCategory, Publish

app = FastAPI()
NOW = datetime.now(UTC)


@app.get("/health/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/api/v1/events", status_code=201)
async def publish(body: Publish) -> Event:
    return Event(
        event_id="evt_bare",
        stream=body.stream,
        event_type=body.event_type,
        category=body.category or EventCategory.CUSTOM,
        source=body.source,
        payload=body.payload,
        published_by="user_123",
        correlation_id=body.correlation_id,
        causation_id=body.causation_id,
        occurred_at=NOW,
        published_at=NOW,
        replayed_from=None,
    )


@app.post("/api/v1/audit/events", status_code=201)
async def log(body: LogEvent) -> AuditEvent:
    return AuditEvent(
        event_id="aud_bare",
        event_type=body.event_type,
        category=body.category or "other",
        severity=body.severity,
        outcome=body.outcome or Outcome.SUCCESS,
        actor_id=body.actor_id or "user_123",
        resource_type=body.resource_type,
        resource_id=body.resource_id,
        action=body.action,
        metadata=body.metadata,
        correlation_id=body.correlation_id,
        causation_id=body.causation_id,
        occurred_at=NOW,
        recorded_at=NOW,
    )


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="warning", access_log=False)
