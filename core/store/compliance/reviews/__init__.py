"""Reviews: opened with their check, moved under a lock on their row, counted as they move."""

from core.store.compliance.reviews.figures import NOW, Counted, Days, count, day_counts, overdue_now, waiting_now
from core.store.compliance.reviews.opening import attach, open_reviews
from core.store.compliance.reviews.rows import (
    Labelled,
    add_labels,
    add_step,
    find_review,
    labels_between,
    list_reviews,
    lock_review,
    made_before,
    steps_of,
    take_back_start,
)

__all__ = [
    "NOW",
    "Counted",
    "Days",
    "Labelled",
    "add_labels",
    "add_step",
    "attach",
    "count",
    "day_counts",
    "find_review",
    "labels_between",
    "list_reviews",
    "lock_review",
    "made_before",
    "open_reviews",
    "overdue_now",
    "steps_of",
    "take_back_start",
    "waiting_now",
]
