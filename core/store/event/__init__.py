"""Queries of the event service: the log, statistics, replays, subscriptions, deliveries."""

from core.store.event.delivery import add_delivery
from core.store.event.log import COLUMNS, TABLE, EventFilter, append, find, get, write

__all__ = ["COLUMNS", "TABLE", "EventFilter", "add_delivery", "append", "find", "get", "write"]
