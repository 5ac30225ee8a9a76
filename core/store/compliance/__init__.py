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
from core.store.compliance.cached import known_checks
from core.store.compliance.checks import check_of, checks_found, findings_in, list_checks, record
from core.store.compliance.days import counts
from core.store.compliance.policies import (
    add_policy,
    archive_policy,
    assign_policy,
    change_policy,
    list_assignments,
    list_policies,
    list_versions,
    lock_policy,
    policy_heads,
    policy_version,
    unassign_policy,
)
from core.store.compliance.reports import (
    complete_report,
    list_reports,
    open_report,
    open_scheduled,
    report_of,
    tenants_with_checks,
)

__all__ = [
    "add_policy",
    "archive_policy",
    "assign_policy",
    "batch_of",
    "cancel_batch",
    "change_policy",
    "check_of",
    "checks_found",
    "complete_report",
    "counts",
    "findings_in",
    "is_open",
    "item_results",
    "known_checks",
    "list_assignments",
    "list_checks",
    "list_policies",
    "list_reports",
    "list_versions",
    "lock_policy",
    "open_batch",
    "open_report",
    "open_scheduled",
    "pending_items",
    "policy_heads",
    "policy_version",
    "record",
    "report_of",
    "settle_items",
    "start_batch",
    "tenants_with_checks",
    "unassign_policy",
]
