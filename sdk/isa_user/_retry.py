"""When a failed call is tried again, and after how long."""

import random

from isa_user._constants import BACKOFF_FIRST, BACKOFF_MAX, RETRY_AFTER_JITTER, RETRY_AFTER_MAX
from isa_user._errors import IsaError


def pause_before_retry(error: IsaError, *, retries_made: int, max_retries: int) -> float | None:
    """Seconds to wait before the next try, or None when there shall be none."""
    if retries_made >= max_retries or not error.retryable:
        return None
    if error.retry_after is None:
        return backoff(retries_made)
    if error.retry_after > RETRY_AFTER_MAX:
        return None
    return error.retry_after + random.uniform(0, RETRY_AFTER_JITTER)


def backoff(retries_made: int) -> float:
    """Exponential, with equal jitter: between half and all of the step."""
    step = min(BACKOFF_FIRST * 2.0**retries_made, BACKOFF_MAX)
    return step * random.uniform(0.5, 1.0)
