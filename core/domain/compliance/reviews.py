"""Rules of reviews: who may do what, which votes make a decision, when the clock speaks up, what counts as a label."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.contracts.compliance.detection import CheckType, DetectorResult
from core.contracts.compliance.reviews import (
    DECISION_OF,
    Refusal,
    ReviewAction,
    ReviewDecision,
    ReviewFigure,
    ReviewState,
    ReviewStatus,
    Vote,
)

ENDED = (ReviewStatus.APPROVED, ReviewStatus.REJECTED)
WHY = {
    Refusal.DECIDED: "The review is decided: there is nothing left to do.",
    Refusal.CLAIMED: "Somebody holds this review: wait until it is released or the claim expires.",
    Refusal.NOT_CLAIMED: "Nobody holds this review: claim it first.",
    Refusal.NOT_YOURS: "Somebody else holds this review: only they, or an administrator, may do this.",
    Refusal.VOTED: "You have decided on this review already: a different person must now.",
}


# ---- who may


def holder(state: ReviewState, now: datetime) -> str | None:
    """Who holds the claim; a claim that has expired holds nothing."""
    held = state.claim_expires_at is not None and now < state.claim_expires_at
    return state.claimed_by if held else None


def refusal(state: ReviewState, action: ReviewAction, *, by: str, admin: bool, now: datetime) -> Refusal | None:
    """Why this person may not do this now; None if they may.

    Nobody claims what is held, their own included, nor gives back what is not. Who holds the claim, or an
    administrator, decides; nobody decides twice on one review. Whoever reviews may escalate what nobody holds.
    """
    held_by = holder(state, now)
    if state.status in ENDED:
        return Refusal.DECIDED
    if action is ReviewAction.CLAIM and held_by is not None:
        return Refusal.CLAIMED
    if action is ReviewAction.RELEASE and held_by is None:
        return Refusal.NOT_CLAIMED
    if action in (ReviewAction.CLAIM, *DECISION_OF) and by in state.voted:
        return Refusal.VOTED
    return None if action is ReviewAction.CLAIM or admin else _unless_held(held_by, action, by)


def _unless_held(held_by: str | None, action: ReviewAction, by: str) -> Refusal | None:
    if held_by is None:
        return None if action is ReviewAction.ESCALATE else Refusal.NOT_CLAIMED
    return None if held_by == by else Refusal.NOT_YOURS


# ---- what votes make


def verdict(votes: Sequence[Vote], *, second_reviewer: bool) -> ReviewDecision | None:
    """The decision once enough people agree: one, or two where a second reviewer is asked for. After a disagreement a
    third person's vote settles it."""
    needed = 2 if second_reviewer else 1
    decisions = [vote.decision for vote in votes]
    return next((one for one in ReviewDecision if decisions.count(one) >= needed), None)


def disagree(votes: Sequence[Vote]) -> bool:
    """Whether the people who voted see it differently."""
    return len({vote.decision for vote in votes}) > 1


# ---- the clock

# After these parts of the time that a review may take. The second is the due time: it escalates.
_NUDGES = (0.5, 1.0, 2.0)
DUE_NUDGE = 2


def nudge_time(opened_at: datetime, due_at: datetime, nudge: int) -> datetime:
    """When the clock takes its first (half of the time is over), second (due) or third step (overdue as long again)."""
    return opened_at + (due_at - opened_at) * _NUDGES[nudge - 1]


def next_nudge(opened_at: datetime, due_at: datetime, *, done: int, now: datetime) -> tuple[int, datetime] | None:
    """The step that comes next, and when. Of several that are past, only the latest, but never past the due one."""
    left = range(done + 1, len(_NUDGES) + 1)
    times = {nudge: nudge_time(opened_at, due_at, nudge) for nudge in left}
    past = [nudge for nudge in left if times[nudge] <= now]
    if done < DUE_NUDGE and DUE_NUDGE in past:
        return DUE_NUDGE, times[DUE_NUDGE]
    nudge = max(past, default=done + 1)
    return (nudge, times[nudge]) if nudge in times else None


# ---- what counts as a label


@dataclass(frozen=True, slots=True)
class Judged:
    """What people said of one detector. `given`: in so many words, not by their decision alone."""

    check_type: CheckType
    result: DetectorResult
    right: bool
    given: bool

    @property
    def figure(self) -> ReviewFigure:
        """What it counts as."""
        if self.result.flagged:
            return ReviewFigure.CONFIRMED if self.right else ReviewFigure.FALSE_POSITIVE
        return ReviewFigure.CLEARED if self.right else ReviewFigure.MISSED


def judged(
    results: Mapping[CheckType, DetectorResult], votes: Sequence[Vote], decision: ReviewDecision
) -> list[Judged]:
    """One label for each type that had a finding or was named by somebody who agreed with the decision (the later word
    counts). A finding that nobody spoke of was right if the text was rejected, wrong if it may stand."""
    given: dict[CheckType, bool] = {}
    for vote in votes:
        given |= vote.labels if vote.decision is decision else {}
    rejected = decision is ReviewDecision.REJECTED
    return [
        Judged(check_type, result, given.get(check_type, rejected), check_type in given)
        for check_type, result in results.items()
        if result.available and (result.flagged or check_type in given)
    ]


def not_judged(labels: Collection[CheckType], results: Mapping[CheckType, DetectorResult]) -> list[CheckType]:
    """Types that cannot be labelled, since no detector judged this text for them."""
    return [check for check in labels if check not in results or not results[check].available]


# ---- times, counted so that any number of days adds up

_GROWTH = math.log(1.05)


def bucket(seconds: float) -> int:
    """The class of durations that this one is counted under: each reaches 5 % further than the one before."""
    return int(math.log(max(1.0, seconds)) / _GROWTH)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The duration (seconds) that this share of the counted ones does not exceed, within 3 %; None without any."""
    total, seen = sum(counts.values()), 0
    for number in sorted(counts):
        seen += counts[number]
        if counts[number] and seen >= share * total:
            return math.exp((number + 0.5) * _GROWTH)
    return None


def precision(confirmed: int, false_positives: int) -> float | None:
    """The share of findings that were right; None without any."""
    found = confirmed + false_positives
    return round(confirmed / found, 4) if found else None
