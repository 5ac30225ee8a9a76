"""The review queue: what waits for a person, what that person does, what comes of it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from api.compliance.access import REVIEWS, Admin, Reviewer, RowId, router
from api.deps import AppState, PageOf, Session, Starting
from api.unit import State
from core.auth import Caller
from core.compliance.reviews import Move, Reviews, news, votes_of
from core.contracts.compliance import CheckType
from core.contracts.compliance.reviews import (
    DecideReview,
    EscalateReview,
    Review,
    ReviewAction,
    ReviewDecision,
    ReviewFilter,
    ReviewItem,
    ReviewLabel,
    ReviewStats,
    ReviewStatus,
    ReviewStep,
    review_run_id,
)
from core.contracts.platform import AuditEntry, Moment, Page
from core.domain.compliance.review_figures import statistics
from core.errors import NotFound
from core.store import audit
from core.store import compliance as checks
from core.store.compliance import reviews as store
from core.store.platform import decode_cursor, encode_cursor
from core.tables.compliance import ReviewRow
from core.telemetry import correlation_id
from core.temporal import workflow_url

EXPORTED_AT_ONCE = 500
NDJSON = "application/x-ndjson"


# ---- read


async def _wanted(
    status: ReviewStatus | None = None,
    check_type: Annotated[CheckType | None, Query(description="reviews in which this type had findings")] = None,
    claimed_by: Annotated[str | None, Query(max_length=200)] = None,
    overdue: Annotated[bool | None, Query(description="waits past its due time")] = None,
    escalated: bool | None = None,
    due_first: Annotated[bool, Query(description="only what waits, the most urgent first")] = False,
) -> ReviewFilter:
    return ReviewFilter(
        status=status,
        check_type=check_type,
        claimed_by=claimed_by,
        overdue=overdue,
        escalated=escalated,
        due_first=due_first,
    )


@router.get(
    "/reviews",
    response_model=Page[ReviewItem],
    summary="List reviews",
    description="Newest first, or the most urgent of those that wait.",
)
async def list_reviews(
    session: Session, state: AppState, _: Reviewer, page: PageOf, wanted: Annotated[ReviewFilter, Depends(_wanted)]
) -> Page[ReviewItem]:
    after = decode_cursor(page.cursor, (datetime, str))
    found = await store.list_reviews(session, wanted, limit=page.limit, after=after)
    more, rows = len(found) > page.limit, found[: page.limit]
    return Page[ReviewItem](
        items=[ReviewItem.model_validate(_known(state, row)) for row in rows],
        next_cursor=encode_cursor(*_place(rows[-1], wanted)) if more else None,
    )


def _place(row: ReviewRow, wanted: ReviewFilter) -> tuple[datetime, str]:
    return (row.due_at if wanted.due_first else row.opened_at), row.review_id


def _known(state: State, row: ReviewRow) -> dict[str, object]:
    workflow_id, waits = review_run_id(row.review_id), row.decided_at is None
    return {
        **row.model_dump(exclude={"votes"}),
        "decision": None if waits else ReviewDecision(row.status),
        "overdue": waits and row.due_at <= datetime.now(UTC),
        "workflow_id": workflow_id,
        "workflow_url": workflow_url(state.settings, workflow_id),
    }


@router.get(
    "/reviews/stats",
    response_model=ReviewStats,
    summary="The queue in figures",
    description="What waits now; of these days, what was decided, how fast, and how right each detector was.",
)
async def review_stats(
    session: Session,
    _: Reviewer,
    first_day: Annotated[date | None, Query(alias="from", description="UTC, included")] = None,
    last_day: Annotated[date | None, Query(alias="to", description="UTC, included")] = None,
) -> ReviewStats:
    days = await store.day_counts(session, first=first_day, last=last_day)
    waiting, overdue = await store.waiting_now(session), await store.overdue_now(session)
    return statistics(days, waiting=waiting, overdue=overdue, first_day=first_day, last_day=last_day)


@router.get(
    "/reviews/labels",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}},
    summary="Export what people said of the detectors",
    description="A line of JSON for each type of each decided review, oldest first; as training data it needs no more.",
)
async def export_labels(
    session: Session,
    state: AppState,
    caller: Admin,
    since: Annotated[Moment | None, Query(alias="from", description="inclusive")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="exclusive")] = None,
) -> StreamingResponse:
    await audit.append_entries(session, caller.tenant_id, [_exported(caller, since, until)])
    lines = _lines(state, caller.tenant_id, since, until)
    headers = {"Content-Disposition": 'attachment; filename="review-labels.ndjson"'}
    return StreamingResponse(lines, media_type=NDJSON, headers=headers)


async def _lines(state: State, tenant_id: str, since: datetime | None, until: datetime | None) -> AsyncIterator[str]:
    """A transaction of its own for each part, so that a slow reader holds none."""
    after: tuple[object, ...] | None = None
    while True:
        async with state.database.begin(tenant_id) as session:
            found = await store.labels_between(session, since=since, until=until, limit=EXPORTED_AT_ONCE, after=after)
        if not found:
            return
        yield "".join(f"{_label(one).model_dump_json()}\n" for one in found)
        last = found[-1].label
        after = (last.at, last.review_id, last.check_type)


def _label(one: store.Labelled) -> ReviewLabel:
    said = one.label
    known = {**said.model_dump(), "content_hash": one.content_hash, "redacted": one.redacted}
    return ReviewLabel.model_validate({**known, "label": int(said.flagged == said.right)})


def _exported(caller: Caller, since: datetime | None, until: datetime | None) -> AuditEntry:
    return AuditEntry(
        event_type="compliance.review_labels_exported",
        actor_id=caller.user_id,
        action="export",
        resource_type="compliance_review_labels",
        resource_id=caller.tenant_id,
        category="data_access",
        metadata={"from": since.isoformat() if since else None, "to": until.isoformat() if until else None},
        correlation_id=correlation_id.get(),
    )


@router.get(
    "/reviews/{review_id}",
    response_model=Review,
    summary="Get a review",
    description="With the findings, the text as redacted if the policy keeps it, and all that happened.",
)
async def get_review(session: Session, state: AppState, _: Reviewer, review_id: RowId) -> Review:
    row = await store.find_review(session, review_id)
    if row is None:
        raise NotFound(f"There is no review {review_id}.", code="review_not_found")
    return await _whole(session, state, row)


async def _whole(session: Session, state: State, row: ReviewRow) -> Review:
    check = await checks.check_of(session, row.check_id, checked_by=None)
    assert check is not None  # a review is written with its check, and checks are never removed
    steps = [ReviewStep.model_validate(step) for step in await store.steps_of(session, row.review_id)]
    seen = check.model_dump(include={"results", "content_type", "content_length"})
    return Review.model_validate({**_known(state, row), **seen, "votes": votes_of(row), "steps": steps})


# ---- move


async def _moved(session: Session, starting: Starting, state: State, review_id: str, move: Move) -> Review:
    """The move is made in the row; the workflow is told as soon as Temporal can be reached."""
    reviews: Reviews = state.extras[REVIEWS]
    row = await reviews.move(session, review_id, move)
    await starting.promise(news(row))
    return await _whole(session, state, row)


def _by(caller: Caller, action: ReviewAction, wanted: DecideReview | EscalateReview | None = None) -> Move:
    more = wanted.model_dump() if wanted else {}
    admin = "compliance:admin" in caller.permissions
    return Move(action=action, by=caller.user_id, admin=admin, own_too=caller.tenant_wide, **more)


@router.post(
    "/reviews/{review_id}/claim",
    response_model=Review,
    summary="Claim a review",
    description="It is yours to decide until you release it, or the claim expires.",
)
async def claim_review(
    session: Session, starting: Starting, state: AppState, caller: Reviewer, review_id: RowId
) -> Review:
    return await _moved(session, starting, state, review_id, _by(caller, ReviewAction.CLAIM))


@router.post("/reviews/{review_id}/release", response_model=Review, summary="Give a claimed review back undecided")
async def release_review(
    session: Session, starting: Starting, state: AppState, caller: Reviewer, review_id: RowId
) -> Review:
    return await _moved(session, starting, state, review_id, _by(caller, ReviewAction.RELEASE))


@router.post(
    "/reviews/{review_id}/approve",
    response_model=Review,
    summary="Approve: the text may stand",
    description="By whoever holds the claim, or an administrator. Where two must agree, it waits for the second.",
)
async def approve_review(
    session: Session, starting: Starting, state: AppState, caller: Reviewer, review_id: RowId, wanted: DecideReview
) -> Review:
    return await _moved(session, starting, state, review_id, _by(caller, ReviewAction.APPROVE, wanted))


@router.post(
    "/reviews/{review_id}/reject",
    response_model=Review,
    summary="Reject: the text may not stand",
    description="By whoever holds the claim, or an administrator. Where two must agree, it waits for the second.",
)
async def reject_review(
    session: Session, starting: Starting, state: AppState, caller: Reviewer, review_id: RowId, wanted: DecideReview
) -> Review:
    return await _moved(session, starting, state, review_id, _by(caller, ReviewAction.REJECT, wanted))


@router.post(
    "/reviews/{review_id}/escalate",
    response_model=Review,
    summary="Escalate a review",
    description="Those whom the policy names are told; with `second_reviewer`, two people must agree from now on.",
)
async def escalate_review(
    session: Session, starting: Starting, state: AppState, caller: Reviewer, review_id: RowId, wanted: EscalateReview
) -> Review:
    return await _moved(session, starting, state, review_id, _by(caller, ReviewAction.ESCALATE, wanted))
