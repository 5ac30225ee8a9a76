"""The notification service's side effects: the machine that tries channels, and the activities that use it."""

from activities.notification.batches import BatchActivities
from activities.notification.machine import Machine
from activities.notification.sends import SendActivities

__all__ = ["BatchActivities", "Machine", "SendActivities"]
