"""The event service's side effects: the delivery machine of all webhooks, replays, and two pumps over the log."""

from activities.event.deliveries import Delays, Deliveries
from activities.event.dispatch import Dispatcher
from activities.event.replays import Replays
from activities.event.rollup import Rollup

__all__ = ["Delays", "Deliveries", "Dispatcher", "Replays", "Rollup"]
