"""Schema `compliance`: checks, batches with their items, reports, and counters a day."""

from core.tables.compliance.batches import BatchItemRow, BatchRow
from core.tables.compliance.checks import CheckRow, DayRow
from core.tables.compliance.reports import ReportRow

__all__ = ["BatchItemRow", "BatchRow", "CheckRow", "DayRow", "ReportRow"]
