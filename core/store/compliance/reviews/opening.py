"""A review opened in the transaction of its check: the row, its first step, its counters, and the promise to wait."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance.batches import QUEUE
from core.contracts.compliance.checks import Check, CheckRecord
from core.contracts.compliance.detection import CheckStatus
from core.contracts.compliance.policies import BUILT_IN_POLICIES, Policy
from core.contracts.compliance.reviews import (
    REVIEW_EVENTS,
    REVIEW_RUN,
    ReviewDecision,
    ReviewFigure,
    ReviewInput,
    ReviewRef,
    ReviewState,
    ReviewStatus,
    ReviewStepKind,
    review_id_of,
    review_run_id,
    review_start_id,
)
from core.contracts.platform import LAST_IN_LINE, DomainEvent, Intent, Service
from core.store import event
from core.store.compliance.policies import policy_version
from core.store.compliance.reviews.figures import NOW, Counted, count
from core.store.platform import add_intents
from core.store.platform.direct import insert_rows
from core.tables.compliance.reviews import ReviewRow

REVIEWS, STEPS = "compliance.reviews", "compliance.review_steps"
COLUMNS = (
    *("review_id", "tenant_id", "check_id", "status", "check_types", "risk_level", "policy", "policy_version"),
    *("checked_by", "content_hash", "second_reviewer", "reviewers", "escalate_to", "votes", "revision"),
    *("nudged", "opened_at", "due_at", "correlation_id"),
)
STEP_COLUMNS = ("review_id", "position", "tenant_id", "kind", "at")


@dataclass(frozen=True, slots=True)
class _Opening:
    """A check that waits for a person, and how its policy wants that done."""

    check: Check
    policy: Policy

    @property
    def review_id(self) -> str:
        return review_id_of(self.check.check_id)

    @property
    def due_at(self) -> datetime:
        return self.check.created_at + timedelta(minutes=self.policy.review_sla_minutes)


async def open_reviews(session: AsyncSession, tenant_id: str, records: Sequence[CheckRecord]) -> list[Intent]:
    """Open a review for each check whose status is `review`, and name it in the check. The promises to start their
    workflows are written too, and put into the records: whoever wants one kept at once hands it to the keeper after
    commit, else the reconciler keeps it."""
    waiting = [one for one in records if one.check.status is CheckStatus.REVIEW]
    if not waiting:
        return []
    policies = await _policies(session, {(one.check.policy, one.check.policy_version) for one in waiting})
    opened = [_Opening(one.check, policies[one.check.policy, one.check.policy_version]) for one in waiting]
    await insert_rows(session, REVIEWS, COLUMNS, [_row(tenant_id, one) for one in opened])
    await insert_rows(session, STEPS, STEP_COLUMNS, [_step(tenant_id, one) for one in opened])
    await count(session, tenant_id, _counted(opened))
    await event.append(session, tenant_id, [_told(one) for one in opened])
    intents = [_start(tenant_id, one) for one in opened]
    await add_intents(session, intents)
    for one, start in zip(waiting, intents, strict=True):
        one.check.review = ReviewRef(review_id=review_id_of(one.check.check_id), status=ReviewStatus.OPEN)
        one.start = start
    return intents


async def _policies(session: AsyncSession, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Policy]:
    """The versions that judged. They are never removed, so a missing one is a fault of ours."""
    found: dict[tuple[str, int], Policy] = {}
    for name, version in wanted:
        policy = BUILT_IN_POLICIES.get(name) or await policy_version(session, name, version)
        if policy is None:
            raise LookupError(f"no version {version} of the policy {name}")
        found[name, version] = policy
    return found


def _row(tenant_id: str, one: _Opening) -> tuple[object, ...]:
    check, policy = one.check, one.policy
    found = [check_type for check_type, result in check.results.items() if result.flagged]
    return (
        *(one.review_id, tenant_id, check.check_id, ReviewStatus.OPEN, found, check.risk_level, check.policy),
        *(check.policy_version, check.checked_by, check.content_hash),
        *(policy.second_reviewer, policy.reviewers, policy.escalate_to, "[]", 1),
        *(0, check.created_at, one.due_at, check.correlation_id),
    )


def _step(tenant_id: str, one: _Opening) -> tuple[object, ...]:
    return (one.review_id, 1, tenant_id, ReviewStepKind.OPENED, one.check.created_at)


def _counted(opened: Sequence[_Opening]) -> Counted:
    days = Counter(
        (one.check.created_at.astimezone(UTC).date(), ReviewFigure.OPENED, f"{one.check.policy}@{one.policy.version}")
        for one in opened
    )
    return days + Counter({(NOW, ReviewFigure.WAITING, ""): len(opened)})


def _told(one: _Opening) -> DomainEvent:
    check = one.check
    return DomainEvent(
        event_type=REVIEW_EVENTS[ReviewStepKind.OPENED],
        source=Service.COMPLIANCE,
        payload={
            "review_id": one.review_id,
            "check_id": check.check_id,
            "risk_level": check.risk_level,
            "policy": check.policy,
            "due_at": one.due_at.isoformat(),
        },
        correlation_id=check.correlation_id,
    )


def _start(tenant_id: str, one: _Opening) -> Intent:
    work = ReviewInput(
        tenant_id=tenant_id,
        review_id=one.review_id,
        opened_at=one.check.created_at,
        due_at=one.due_at,
        state=ReviewState(revision=1, second_reviewer=one.policy.second_reviewer),
    )
    return Intent(
        intent_id=review_start_id(one.review_id),
        tenant_id=tenant_id,
        workflow_id=review_run_id(one.review_id),
        workflow_type=REVIEW_RUN,
        queue=QUEUE,
        payload=work.model_dump(mode="json"),
        service=Service.COMPLIANCE,
        user_id=one.check.checked_by,
        correlation_id=one.check.correlation_id or "",
        summary=f"Review of {one.check.check_id}",
        priority=LAST_IN_LINE,  # thousands of reviews that begin to wait hold up nothing that somebody waits for
    )


async def attach(session: AsyncSession, checks: Iterable[Check]) -> None:
    """Name in each check the review that it waits for, or waited for."""
    by_id = {check.check_id: check for check in checks if check.status is CheckStatus.REVIEW}
    if not by_id:
        return
    query = select(ReviewRow.check_id, ReviewRow.review_id, ReviewRow.status)
    for check_id, review_id, status in await session.exec(query.where(col(ReviewRow.check_id).in_(by_id))):
        decision = ReviewDecision(status) if status in list(ReviewDecision) else None
        by_id[check_id].review = ReviewRef(review_id=review_id, status=ReviewStatus(status), decision=decision)
