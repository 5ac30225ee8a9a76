"""What the compliance workflows do outside themselves, one class for each kind of work."""

from activities.compliance.batches import BatchActivities
from activities.compliance.reports import ReportActivities
from activities.compliance.rescores import RescoreActivities
from activities.compliance.reviews import ReviewActivities

__all__ = ["BatchActivities", "ReportActivities", "RescoreActivities", "ReviewActivities"]
