"""Schema `compliance`: checks, batches with their items, policies, reviews, reports, and counters a day."""

from core.tables.compliance.batches import BatchItemRow, BatchRow
from core.tables.compliance.checks import CheckRow, DayRow
from core.tables.compliance.data_requests import DataRequestChunkRow, DataRequestRow, DataRequestStepRow
from core.tables.compliance.policies import AssignmentRow, PolicyRow, PolicyVersionRow
from core.tables.compliance.reports import ReportRow
from core.tables.compliance.rescores import RescoreRow
from core.tables.compliance.reviews import ReviewDayRow, ReviewLabelRow, ReviewRow, ReviewStepRow

__all__ = [
    "AssignmentRow",
    "BatchItemRow",
    "BatchRow",
    "CheckRow",
    "DataRequestChunkRow",
    "DataRequestRow",
    "DataRequestStepRow",
    "DayRow",
    "PolicyRow",
    "PolicyVersionRow",
    "ReportRow",
    "RescoreRow",
    "ReviewDayRow",
    "ReviewLabelRow",
    "ReviewRow",
    "ReviewStepRow",
]
