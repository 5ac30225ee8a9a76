"""What the channels of a notification, and the notifications of a batch, add up to."""

import math
from collections.abc import Collection, Mapping

from core.contracts.notification import FINISHED, BatchCounts, BatchStatus, ChannelStatus, NotificationStatus

ARRIVED = frozenset({ChannelStatus.SENT, ChannelStatus.DELIVERED})
UNDER_WAY = frozenset({ChannelStatus.SENDING, ChannelStatus.RETRYING})


def overall(channels: Collection[ChannelStatus]) -> NotificationStatus:
    """The notification's status.

    It is over when every channel is. A channel the recipient opted out of counts for nothing; a notification of
    which nothing but that is left is `cancelled`, for nobody failed.
    """
    if ChannelStatus.PENDING in channels or not UNDER_WAY.isdisjoint(channels):
        untouched = all(status is ChannelStatus.PENDING for status in channels)
        return NotificationStatus.QUEUED if untouched else NotificationStatus.SENDING
    wanted = [status for status in channels if status is not ChannelStatus.SUPPRESSED]
    arrived = sum(status in ARRIVED for status in wanted)
    if arrived:
        return NotificationStatus.DELIVERED if arrived == len(wanted) else NotificationStatus.PARTIALLY_DELIVERED
    return NotificationStatus.FAILED if ChannelStatus.FAILED in wanted else NotificationStatus.CANCELLED


def counts(found: Mapping[str, int], *, total: int, status: BatchStatus) -> BatchCounts:
    """A batch's recipients by status; those a cancelled batch never reached count as cancelled."""
    known = dict(found)
    missing = total - sum(known.values())
    where = "cancelled" if status is BatchStatus.CANCELLED else "waiting"
    return BatchCounts.model_validate(known | {where: known.get(where, 0) + missing})


def progress(counted: BatchCounts, total: int) -> float:
    """Percent of the recipients whose message has come to its end, rounded down, so that 100 means all."""
    done: int = sum(getattr(counted, status.value) for status in FINISHED)
    return math.floor(done * 1000 / total) / 10
