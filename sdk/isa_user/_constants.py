"""Every number that decides how the SDK waits, retries and gives up. Times are in seconds."""

from typing import Final

DEFAULT_TIMEOUT: Final = 30.0
DEFAULT_MAX_RETRIES: Final = 3

# Back-off between tries: 0.5, 1, 2, 4, 8, 8 … each cut by up to half, so that many clients do not return together.
BACKOFF_FIRST: Final = 0.5
BACKOFF_MAX: Final = 8.0
# A server that asks for a longer pause than this is not waited for: the caller gets the error and decides.
RETRY_AFTER_MAX: Final = 60.0
RETRY_AFTER_JITTER: Final = 0.25

RETRIED_STATUSES: Final = frozenset({408, 429, 502, 503, 504})
RETRIED_CODES: Final = frozenset({"idempotency_in_flight"})

# `wait_for_…`: how long in all, and how the pause between two looks grows.
WAIT_WITHIN: Final = 300.0
POLL_FIRST: Final = 0.25
POLL_GROWTH: Final = 1.5
POLL_MAX: Final = 5.0

# TaskWorker. A cancellation arrives with the answer to a heartbeat, so the heartbeat is its latency.
HEARTBEAT_INTERVAL: Final = 1.0
PROGRESS_INTERVAL: Final = 1.0
PROGRESS_TIMEOUT: Final = 5.0
DRAIN_TIMEOUT: Final = 30.0
MAX_CONCURRENT_TASKS: Final = 10
# Starting and finishing a task outlast an outage of the task service, for giving up would cost an attempt or repeat
# work that is done; the task's own time limit, a cancel or the end of the worker end the waiting.
PATIENT_MAX_RETRIES: Final = 100_000
# Last words of an attempt that is being stopped: one try, quickly.
LAST_WORDS_TIMEOUT: Final = 3.0
# What the task service takes, in characters.
LONGEST_PROGRESS_MESSAGE: Final = 500
LONGEST_ERROR_MESSAGE: Final = 2000
