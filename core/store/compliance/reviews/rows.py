"""Reviews found, listed, locked; their steps and labels written once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance.reviews import (
    MAX_STEPS_SHOWN,
    ReviewFilter,
    ReviewStatus,
    ReviewStepKind,
    review_start_id,
)
from core.store.platform import before, delete_intents, locked
from core.tables.compliance.checks import CheckRow
from core.tables.compliance.reviews import ReviewLabelRow, ReviewRow, ReviewStepRow
from core.tables.platform import IntentRow

_BY_TIME = (col(ReviewRow.opened_at), col(ReviewRow.review_id))
_BY_DUE = (col(ReviewRow.due_at), col(ReviewRow.review_id))
_LABELS = (col(ReviewLabelRow.at), col(ReviewLabelRow.review_id), col(ReviewLabelRow.check_type))


async def find_review(session: AsyncSession, review_id: str) -> ReviewRow | None:
    """A review."""
    return await session.get(ReviewRow, review_id)


async def lock_review(session: AsyncSession, review_id: str) -> ReviewRow | None:
    """A review as it is now, held until the transaction ends."""
    query = select(ReviewRow).where(col(ReviewRow.review_id) == review_id)
    return (await session.exec(locked(query))).first()


def _clauses(wanted: ReviewFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    waits = col(ReviewRow.decided_at).is_(None)
    if wanted.status is not None:
        found.append(col(ReviewRow.status) == wanted.status)
    if wanted.status in (ReviewStatus.OPEN, ReviewStatus.CLAIMED):
        found.append(waits)  # the same rows, said so that the index of what waits can be used
    if wanted.check_type is not None:
        found.append(col(ReviewRow.check_types).contains([wanted.check_type]))
    if wanted.claimed_by is not None:
        found.append(col(ReviewRow.claimed_by) == wanted.claimed_by)
    if wanted.escalated is not None:
        found.append(col(ReviewRow.escalated_at).is_not(None) == wanted.escalated)
    if wanted.overdue is not None:
        late = waits & (col(ReviewRow.due_at) <= func.now())
        found.append(late if wanted.overdue else ~late)
    if wanted.due_first:
        found.append(waits)
    return found


async def list_reviews(
    session: AsyncSession, wanted: ReviewFilter, *, limit: int, after: Sequence[Any] | None
) -> list[ReviewRow]:
    """Newest first, or the most urgent; one more than `limit` when there is another page."""
    keys = _BY_DUE if wanted.due_first else _BY_TIME
    query = select(ReviewRow).where(*_clauses(wanted)).limit(limit + 1)
    query = query.order_by(*(key if wanted.due_first else key.desc() for key in keys))
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after) if wanted.due_first else before(keys, after))
    return list((await session.exec(query)).all())


# ---- steps


async def steps_of(session: AsyncSession, review_id: str) -> list[ReviewStepRow]:
    """What happened, oldest first; of very many, the newest."""
    query = select(ReviewStepRow).where(col(ReviewStepRow.review_id) == review_id)
    query = query.order_by(col(ReviewStepRow.position).desc()).limit(MAX_STEPS_SHOWN)
    return list(reversed((await session.exec(query)).all()))


async def add_step(
    session: AsyncSession,
    review: ReviewRow,
    kind: ReviewStepKind,
    *,
    at: datetime,
    by: str | None = None,
    note: str | None = None,
    told: list[str] | None = None,
    move_id: str | None = None,
) -> None:
    """Write the next step; `review` is locked."""
    review.revision += 1
    session.add(review)
    step = ReviewStepRow(
        review_id=review.review_id,
        position=review.revision,
        tenant_id=review.tenant_id,
        kind=kind,
        by=by,
        note=note,
        told=told,
        move_id=move_id,
        at=at,
    )
    session.add(step)


async def made_before(session: AsyncSession, review_id: str, move_id: str) -> bool:
    """Whether this move was made already, by an attempt that did not live to tell."""
    same = (col(ReviewStepRow.review_id) == review_id) & (col(ReviewStepRow.move_id) == move_id)
    return (await session.exec(select(ReviewStepRow.position).where(same).limit(1))).first() is not None


async def take_back_start(session: AsyncSession, review_id: str) -> None:
    """A review that is decided before its workflow began needs none: forget the promise. One that is being kept at this
    moment is left alone; that workflow learns of the decision by signal, or when the clock next has it look."""
    promise = select(IntentRow.intent_id).where(col(IntentRow.intent_id) == review_start_id(review_id))
    free = (await session.exec(promise.with_for_update(skip_locked=True))).all()
    await delete_intents(session, free)


# ---- labels


async def add_labels(session: AsyncSession, labels: Sequence[ReviewLabelRow]) -> None:
    """Keep what was said of the detectors."""
    session.add_all(labels)
    await session.flush()


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label, with what is known of its text."""

    label: ReviewLabelRow
    content_hash: str
    redacted: str | None


async def labels_between(
    session: AsyncSession, *, since: datetime | None, until: datetime | None, limit: int, after: Sequence[Any] | None
) -> list[Labelled]:
    """Labels of this time (from inclusive, to exclusive), oldest first."""
    query = select(ReviewLabelRow, CheckRow.content_hash, CheckRow.redacted)
    query = query.join(CheckRow, col(CheckRow.check_id) == col(ReviewLabelRow.check_id)).order_by(*_LABELS).limit(limit)
    query = query.where(_LABELS[0] >= since) if since else query
    query = query.where(_LABELS[0] < until) if until else query
    query = query.where(tuple_(*_LABELS) > tuple_(*after)) if after else query
    return [Labelled(*row) for row in (await session.exec(query)).all()]
