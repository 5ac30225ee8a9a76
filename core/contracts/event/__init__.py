"""The event log's contract: publish, query, statistics; names that Temporal and Postgres see."""

from enum import StrEnum

CHANNEL = "event"
MAIN_STREAM = "main"


class EventCategory(StrEnum):
    """What part of a business an event belongs to."""

    USER = "user"
    PAYMENT = "payment"
    STORAGE = "storage"
    SYSTEM = "system"
    CUSTOM = "custom"
