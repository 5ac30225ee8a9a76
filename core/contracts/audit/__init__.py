"""Audit: the log, security alerts, compliance reports, and the names Temporal sees."""

from core.contracts.audit.events import (
    LARGEST_BATCH,
    ActivitySummary,
    AuditEvent,
    BatchLogged,
    EventFilter,
    EventQuery,
    LogBatch,
    LogEvent,
    Outcome,
    Severity,
)

__all__ = [
    "LARGEST_BATCH",
    "ActivitySummary",
    "AuditEvent",
    "BatchLogged",
    "EventFilter",
    "EventQuery",
    "LogBatch",
    "LogEvent",
    "Outcome",
    "Severity",
]
