"""Reviews moved: by a person at the front door or through the workflow, or by the clock. Each move is one transaction
under a lock on the review's row, which is the truth; the workflow is told afterwards."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from core.compliance.reviews.telling import entry, fact, message, sending, state_of, votes_of
from core.contracts.compliance.checks import Check
from core.contracts.compliance.detection import CheckType
from core.contracts.compliance.reviews import (
    DECISION_OF,
    ExpireWork,
    MoveUpdate,
    MoveWork,
    NudgeWork,
    ReviewAction,
    ReviewDecision,
    ReviewFigure,
    ReviewState,
    ReviewStatus,
    ReviewStepKind,
    Vote,
)
from core.domain.compliance import reviews as rules
from core.domain.compliance.review_figures import detector_word
from core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from core.ids import new_id
from core.ports import NotificationDesk
from core.settings import Settings
from core.store import audit, event
from core.store import compliance as checks
from core.store.compliance import reviews as store
from core.store.platform import add_intents
from core.tables.compliance import ReviewLabelRow, ReviewRow

STEP_OF = {
    ReviewAction.CLAIM: ReviewStepKind.CLAIMED,
    ReviewAction.RELEASE: ReviewStepKind.RELEASED,
    ReviewAction.APPROVE: ReviewStepKind.APPROVED,
    ReviewAction.REJECT: ReviewStepKind.REJECTED,
    ReviewAction.ESCALATE: ReviewStepKind.ESCALATED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What somebody does. `own_too`: also on a text that they had checked themselves. `move_id` names an update of the
    workflow, so that a second attempt changes nothing."""

    action: ReviewAction
    by: str
    admin: bool = False
    note: str | None = None
    labels: dict[CheckType, bool] = field(default_factory=dict)
    second_reviewer: bool = False
    own_too: bool = True
    move_id: str | None = None


@dataclass(frozen=True, slots=True)
class People:
    """Whom the installation tells where a policy names nobody."""

    reviewers: Sequence[str] = ()
    escalate_to: Sequence[str] = ()

    @classmethod
    def of(cls, settings: Settings) -> "People":
        """As the settings name them."""
        lists = (settings.reviewers, settings.review_escalate_to)
        return cls(*([name.strip() for name in names.split(",") if name.strip()] for names in lists))


class Reviews:
    """Implements `core.ports.ReviewMoves`. A claim holds for `claim_for`."""

    def __init__(self, desk: NotificationDesk, people: People, *, claim_for: timedelta) -> None:
        self._desk, self._people, self._claim_for = desk, people, claim_for

    async def move(self, session: AsyncSession, review_id: str, move: Move) -> ReviewRow:
        """Make the move. NotFound, or Conflict with the refusal's code where the review does not allow it."""
        row = await _locked(session, review_id)
        if move.move_id and await store.made_before(session, review_id, move.move_id):
            return row
        if row.checked_by == move.by and not move.own_too:
            raise Forbidden("Somebody else must review what you wrote.", code="own_text")
        now = datetime.now(UTC)
        refused = rules.refusal(state_of(row), move.action, by=move.by, admin=move.admin, now=now)
        if refused:
            raise Conflict(rules.WHY[refused], code=refused.value)
        await self._make(session, row, move, now)
        return row

    async def update(self, session: AsyncSession, work: MoveWork) -> ReviewState:
        """The same, asked for through the workflow."""
        wanted: MoveUpdate = work.update
        move = Move(action=work.action, move_id=work.move_id, **wanted.model_dump())
        return state_of(await self.move(session, work.review_id, move))

    async def _make(self, session: AsyncSession, row: ReviewRow, move: Move, now: datetime) -> None:
        expired = row.claimed_by is not None and rules.holder(state_of(row), now) is None
        if expired:
            await _expire(session, row, now)
        told = await self._tell_of_escalation(session, row, move) if move.action is ReviewAction.ESCALATE else None
        await store.add_step(
            session,
            row,
            STEP_OF[move.action],
            at=now,
            by=move.by,
            note=move.note,
            told=told,
            move_id=move.move_id,
        )
        if move.action is ReviewAction.CLAIM:
            row.status, row.claimed_by = ReviewStatus.CLAIMED, move.by
            row.claimed_at, row.claim_expires_at = now, now + self._claim_for
        else:
            _let_go(row)
        if move.action is ReviewAction.ESCALATE:
            row.second_reviewer |= move.second_reviewer
            await _escalated(session, row, now)
        if decision := DECISION_OF.get(move.action):
            await self._vote(session, row, Vote(by=move.by, decision=decision, at=now, labels=move.labels))
        await _tell(session, row, move)

    async def _vote(self, session: AsyncSession, row: ReviewRow, vote: Vote) -> None:
        check = await _check_of(session, row)
        _must_be_judged(vote, check)
        row.votes = [*row.votes, vote.model_dump(mode="json")]
        decision = rules.verdict(votes_of(row), second_reviewer=row.second_reviewer)
        if decision:
            await _decide(session, row, check, decision, vote)
        elif rules.disagree(votes_of(row)):
            told = await self._notify(session, row, self._escalations(row), "Reviewers disagree")
            await store.add_step(session, row, ReviewStepKind.ESCALATED, at=vote.at, told=told)
            await _escalated(session, row, vote.at)
            await event.append(session, row.tenant_id, [fact(row, ReviewStepKind.ESCALATED, by=None)])

    # ---- the clock

    async def expire(self, session: AsyncSession, work: ExpireWork) -> ReviewState:
        """End the claim whose time is over; one that came after it is left alone."""
        row = await _locked(session, work.review_id)
        if row.claim_expires_at == work.claim_expires_at:
            await _expire(session, row, datetime.now(UTC))
        return state_of(row)

    async def nudge(self, session: AsyncSession, work: NudgeWork) -> ReviewState:
        """Take the clock's next step: remind, or at the due time escalate. Once each; nothing where it is decided."""
        row, now = await _locked(session, work.review_id), datetime.now(UTC)
        if row.decided_at is None and row.nudged < work.nudge:
            row.nudged = work.nudge
            due = work.nudge == rules.DUE_NUDGE
            await (self._overdue(session, row, now) if due else self._remind(session, row, work.nudge, now))
        return state_of(row)

    async def _remind(self, session: AsyncSession, row: ReviewRow, nudge: int, now: datetime) -> None:
        late = nudge > rules.DUE_NUDGE
        people = [*self._holder(row, now), *self._escalations(row)] if late else self._holder(row, now)
        told = await self._notify(
            session, row, people or self._reviewers(row), "A review is long overdue" if late else "A review waits"
        )
        await store.add_step(session, row, ReviewStepKind.REMINDED, at=now, told=told)

    async def _overdue(self, session: AsyncSession, row: ReviewRow, now: datetime) -> None:
        await store.add_step(session, row, ReviewStepKind.OVERDUE, at=now)
        people = [*self._holder(row, now), *self._escalations(row)]
        told = await self._notify(session, row, people, "A review is overdue")
        await store.add_step(session, row, ReviewStepKind.ESCALATED, at=now, told=told)
        await _escalated(session, row, now)
        kinds = (ReviewStepKind.OVERDUE, ReviewStepKind.ESCALATED)
        await event.append(session, row.tenant_id, [fact(row, kind, by=None) for kind in kinds])

    # ---- whom to tell

    def _holder(self, row: ReviewRow, now: datetime) -> list[str]:
        held_by = rules.holder(state_of(row), now)
        return [held_by] if held_by else []

    def _reviewers(self, row: ReviewRow) -> list[str]:
        return list(row.reviewers or self._people.reviewers)

    def _escalations(self, row: ReviewRow) -> list[str]:
        return list(row.escalate_to or self._people.escalate_to) or self._reviewers(row)

    async def _tell_of_escalation(self, session: AsyncSession, row: ReviewRow, move: Move) -> list[str]:
        people = [person for person in self._escalations(row) if person != move.by]
        return await self._notify(session, row, people, "A review was escalated")

    async def _notify(self, session: AsyncSession, row: ReviewRow, people: Sequence[str], subject: str) -> list[str]:
        """Accept one message a person, in this transaction; the reconciler starts their sending."""
        told = list(dict.fromkeys(people))
        for person in told:
            notification_id = new_id("notif")
            await self._desk.accept(
                session,
                message(row, person, subject),
                notification_id=notification_id,
                tenant_id=row.tenant_id,
                requested_by=row.checked_by,
                correlation_id=row.correlation_id or row.review_id,
            )
            await add_intents(session, [sending(row, notification_id, person)])
        return told


async def _locked(session: AsyncSession, review_id: str) -> ReviewRow:
    row = await store.lock_review(session, review_id)
    if row is None:
        raise NotFound(f"There is no review {review_id}.", code="review_not_found")
    return row


async def _check_of(session: AsyncSession, row: ReviewRow) -> Check:
    check = await checks.check_of(session, row.check_id, checked_by=None)
    assert check is not None  # a review is written with its check, and checks are never removed
    return check


def _must_be_judged(vote: Vote, check: Check) -> None:
    strangers = rules.not_judged(vote.labels, check.results)
    if strangers:
        found = [FieldError(f"labels.{one.value}", "no detector judged this text for it") for one in strangers]
        detail = "Label only types that the check looked for and a detector judged: results shows which."
        raise Invalid(detail, errors=found)


def _let_go(row: ReviewRow) -> None:
    row.status, row.claimed_by, row.claimed_at, row.claim_expires_at = ReviewStatus.OPEN, None, None, None


async def _expire(session: AsyncSession, row: ReviewRow, now: datetime) -> None:
    await store.add_step(session, row, ReviewStepKind.CLAIM_EXPIRED, at=now, by=row.claimed_by)
    _let_go(row)


async def _escalated(session: AsyncSession, row: ReviewRow, now: datetime) -> None:
    if row.escalated_at is None:
        row.escalated_at = now
        await store.count(session, row.tenant_id, {(now.date(), ReviewFigure.ESCALATED, ""): 1})


async def _decide(session: AsyncSession, row: ReviewRow, check: Check, decision: ReviewDecision, last: Vote) -> None:
    """Write the decision with its labels and counters; a workflow that has not begun is no longer needed."""
    row.status, row.decided_by, row.decided_at = ReviewStatus(decision), last.by, last.at
    judged = rules.judged(check.results, votes_of(row), decision)
    await session.flush()
    await store.add_labels(session, [_label(row, one, decision, last) for one in judged])
    await store.count(session, row.tenant_id, _counted(row, judged, decision, last.at))
    await store.take_back_start(session, row.review_id)


def _label(row: ReviewRow, one: rules.Judged, decision: ReviewDecision, last: Vote) -> ReviewLabelRow:
    return ReviewLabelRow(
        review_id=row.review_id,
        check_type=one.check_type,
        tenant_id=row.tenant_id,
        check_id=row.check_id,
        detector=one.result.detector,
        detector_version=one.result.detector_version,
        score=one.result.score,
        flagged=bool(one.result.flagged),
        right=one.right,
        given=one.given,
        decision=decision,
        decided_by=last.by,
        at=last.at,
    )


def _counted(row: ReviewRow, judged: Sequence[rules.Judged], decision: ReviewDecision, at: datetime) -> store.Counted:
    day = at.astimezone(UTC).date()
    counted: store.Counted = Counter()
    counted[store.NOW, ReviewFigure.WAITING, ""] = -1
    counted[day, ReviewFigure.DECIDED, decision.value] = 1
    counted[day, ReviewFigure.LATE, ""] = int(at > row.due_at)
    counted[day, ReviewFigure.SECONDS, str(rules.bucket((at - row.opened_at).total_seconds()))] = 1
    counted[day, ReviewFigure.POLICY, f"{row.policy}@{row.policy_version} {decision.value}"] = 1
    for one in judged:
        word = detector_word(one.check_type, one.result.detector, one.result.detector_version)
        counted[day, one.figure, word] += 1
    return counted


# ---- who hears of it


async def _tell(session: AsyncSession, row: ReviewRow, move: Move) -> None:
    """An event where the review itself moved, an audit entry for whatever somebody decided."""
    kind = STEP_OF[move.action]
    if move.action not in DECISION_OF or row.decided_at is not None:
        kind = ReviewStepKind(row.status) if row.decided_at is not None else kind
        await event.append(session, row.tenant_id, [fact(row, kind, by=move.by)])
    if move.action in (*DECISION_OF, ReviewAction.ESCALATE):
        await audit.append_entries(
            session, row.tenant_id, [entry(row, STEP_OF[move.action], by=move.by, admin=move.admin)]
        )
