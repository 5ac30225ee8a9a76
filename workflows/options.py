"""Named timeouts and retry policies: the one retry table. A policy is chosen by the failure's class."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy

# Our own database and bookkeeping: quick, and always worth another try.
STORE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30), backoff_coefficient=2
    ),
}

# A report: long counts and a drawing. What an hour of tries has not made has failed, and says so.
REPORT: dict[str, Any] = STORE | {
    "start_to_close_timeout": timedelta(minutes=3),
    "schedule_to_close_timeout": timedelta(hours=1),
}

# Long work in our own workers: heartbeats tell a dead process within seconds.
LONG: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=24),
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), backoff_coefficient=2
    ),
}

# A pump never gives up: it ends its turn by itself, and moves when its process dies.
PUMP: dict[str, Any] = LONG | {
    "start_to_close_timeout": timedelta(minutes=15),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10), backoff_coefficient=1.5
    ),
}

# One attempt to hand something to a provider; the workflow decides about the next by the failure's class.
ATTEMPT: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}

# Back-off of a delivery by failure class: when to try again after each failed attempt.
TRANSIENT_BACKOFF = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 7200, 21600, 43200))
THROTTLED_BACKOFF = tuple(timedelta(seconds=s) for s in (10, 60, 300, 900, 3600, 14400))
LONGEST_RETRY_AFTER = timedelta(hours=12)


def delay_after(backoff: Sequence[timedelta], failures: int) -> float | None:
    """Seconds to wait if the next try fails too, after so many failures; None where it is the last."""
    return backoff[failures].total_seconds() if failures < len(backoff) else None


# A task handler's attempts: user code may be flaky, but not for ever. How many, the task says.
TASK_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(minutes=5),
    backoff_coefficient=2,
)
