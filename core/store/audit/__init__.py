"""Queries of the audit service."""

from core.store.audit.activity import roll_up, rolled_up, summary
from core.store.audit.alerts import add_alert, find_alert, list_alerts, lock_alert, move_alert
from core.store.audit.events import append, append_entries, find_event, query_events
from core.store.audit.figures import Period, alert_figures, details, figures
from core.store.audit.reports import (
    add_report,
    begin_report,
    claim_report,
    complete_report,
    fail_report,
    find_document,
    find_report,
    list_reports,
)

__all__ = [
    "Period",
    "add_alert",
    "add_report",
    "alert_figures",
    "append",
    "append_entries",
    "begin_report",
    "claim_report",
    "complete_report",
    "details",
    "fail_report",
    "figures",
    "find_alert",
    "find_document",
    "find_event",
    "find_report",
    "list_alerts",
    "list_reports",
    "lock_alert",
    "move_alert",
    "query_events",
    "roll_up",
    "rolled_up",
    "summary",
]
