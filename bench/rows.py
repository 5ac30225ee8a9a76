"""Event rows as a writer of COPY would have them ready."""

from collections.abc import Iterator
from datetime import UTC, datetime

from core.ids import new_ids
from core.store.event import COLUMNS
from core.store.event.log import TABLE

__all__ = ["COLUMNS", "TABLE", "rows"]

PAYLOAD = '{"page":"/home","user_id":"user_123"}'


def rows(count: int) -> Iterator[tuple[object, ...]]:
    """Rows in the order of COLUMNS, alike but for their ids."""
    now = datetime.now(UTC)
    for event_id in new_ids("evt", count):
        yield event_id, "bench", "main", "page.view", "custom", "bench", PAYLOAD, "user_123", None, None, now, now
