"""Queries of the compliance service: checks with their counters, batches, reports."""

from core.store.compliance.batches import (
    batch_of,
    cancel_batch,
    is_open,
    item_results,
    open_batch,
    pending_items,
    settle_items,
    start_batch,
)
from core.store.compliance.checks import check_of, checks_found, findings_in, list_checks, record
from core.store.compliance.days import counts
from core.store.compliance.reports import (
    complete_report,
    list_reports,
    open_report,
    open_scheduled,
    report_of,
    tenants_with_checks,
)

__all__ = [
    "batch_of",
    "cancel_batch",
    "check_of",
    "checks_found",
    "complete_report",
    "counts",
    "findings_in",
    "is_open",
    "item_results",
    "list_checks",
    "list_reports",
    "open_batch",
    "open_report",
    "open_scheduled",
    "pending_items",
    "record",
    "report_of",
    "settle_items",
    "start_batch",
    "tenants_with_checks",
]
