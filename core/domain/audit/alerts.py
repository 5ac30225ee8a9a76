"""Which moves an alert may make."""

from typing import Final

from core.contracts.audit import AlertStatus

MOVES: Final[dict[AlertStatus, tuple[AlertStatus, ...]]] = {
    AlertStatus.OPEN: (AlertStatus.INVESTIGATING, AlertStatus.RESOLVED, AlertStatus.FALSE_POSITIVE),
    AlertStatus.INVESTIGATING: (AlertStatus.RESOLVED, AlertStatus.FALSE_POSITIVE),
    AlertStatus.RESOLVED: (),
    AlertStatus.FALSE_POSITIVE: (),
}


def may_move(at: AlertStatus, to: AlertStatus) -> bool:
    """Whether an alert that stands at `at` may go to `to`."""
    return to in MOVES[at]


def is_closed(status: AlertStatus) -> bool:
    """Whether nothing can follow."""
    return not MOVES[status]


def why_not(at: AlertStatus) -> str:
    """What to tell somebody who asked for a move that is not allowed."""
    if is_closed(at):
        return f"The alert is closed as {at.value}: raise a new one."
    return f"An alert that is {at.value} can go to {', '.join(status.value for status in MOVES[at])}."
