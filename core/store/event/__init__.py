"""The event log: append, query, count. Everything is tenant-bound by the session it is given."""

from core.store.event.log import COLUMNS, TABLE, append

__all__ = ["COLUMNS", "TABLE", "append"]
