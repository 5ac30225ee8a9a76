"""The workflow of a review: updates as at the front door, reminders and escalation by the clock, nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.compliance import ReviewActivities
from api.__main__ import door
from api.app import create_app
from core.compliance.reviews import People, Reviews
from core.contracts.compliance import Check, CheckRecord, CheckStatus, RiskLevel
from core.contracts.compliance.reviews import (
    REVIEW_CHANGED,
    REVIEW_RUN,
    REVIEW_STATE,
    MoveUpdate,
    MoveWork,
    NudgeWork,
    ReviewAction,
    ReviewInput,
    ReviewState,
    ReviewStatus,
    review_run_id,
)
from core.contracts.platform import OPS_STATUS
from core.db import Database
from core.ids import new_id
from core.notification.desk import Desk
from core.settings import Settings
from core.store import compliance as checks
from core.store.compliance import reviews as store
from core.store.platform import due_intents
from core.tables.compliance import ReviewRow
from core.temporal import DATA_CONVERTER, Keeper
from deploy.local.testserver import ensure_test_server
from deploy.processes import free_port
from tests.conftest import Headers, StartWorkers, eventually
from workers.runtime import Crew, build_worker
from workflows.compliance import ComplianceReview

API = "/api/v1/compliance"
SLA = timedelta(minutes=240)
EVERYBODY = People(reviewers=["rita"], escalate_to=["head"])
Handle = WorkflowHandle[Any, ReviewState]


@pytest.fixture(scope="module")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server whose clock jumps over waiting."""
    path = str(ensure_test_server(print))
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=path, data_converter=DATA_CONVERTER
    ) as environment:
        known = {OPS_STATUS: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
        request = AddSearchAttributesRequest(namespace=environment.client.namespace, search_attributes=known)
        await environment.client.operator_service.add_search_attributes(request)
        yield environment


async def opened(database: Database, tenant: str) -> ReviewInput:
    """A check in review, as the front door writes it; what its workflow would be started with."""
    made = Check(
        check_id=new_id("chk"), status=CheckStatus.REVIEW, risk_level=RiskLevel.HIGH, results={},
        policy="chat", policy_version=1, content_type="text", content_hash="x", content_length=1,
        checked_by="user_123", created_at=datetime.now(UTC),
    )  # fmt: skip
    record = CheckRecord(check=made, keep_redacted=False)
    async with database.begin(tenant) as session:
        await checks.record(session, tenant, [record])
    assert record.start is not None
    return ReviewInput.model_validate(record.start.payload)


async def row_of(database: Database, review: ReviewInput) -> ReviewRow:
    async with database.begin(review.tenant_id) as session:
        row = await store.find_review(session, review.review_id)
    assert row is not None
    return row


async def steps_of(database: Database, review: ReviewInput) -> list[tuple[str, list[str] | None]]:
    async with database.begin(review.tenant_id) as session:
        return [(step.kind, step.told) for step in await store.steps_of(session, review.review_id)]


def activities_on(database: Database, *, claim_for: timedelta = timedelta(hours=1)) -> ReviewActivities:
    return ReviewActivities(database, Reviews(Desk(), EVERYBODY, claim_for=claim_for))


@asynccontextmanager
async def waiting(
    client: Client, database: Database, review: ReviewInput, *, claim_for: timedelta = timedelta(hours=1)
) -> AsyncIterator[Handle]:
    """The workflow of this review, on a queue of its own."""
    made = activities_on(database, claim_for=claim_for)
    crew = Crew(queue=new_id("queue"), workflows=[ComplianceReview], activities=[made.move, made.nudge, made.expire])
    async with build_worker(client, crew):
        yield await client.start_workflow(
            REVIEW_RUN,
            review,
            id=review_run_id(review.review_id),
            task_queue=crew.queue,
            result_type=ReviewState,
        )


async def update(handle: Handle, action: ReviewAction, by: str, **more: Any) -> ReviewState:
    state: ReviewState = await handle.execute_update(action.value, MoveUpdate(by=by, **more), result_type=ReviewState)
    return state


def why(error: WorkflowUpdateFailedError) -> str | None:
    cause = error.cause.cause if isinstance(error.cause, ActivityError) else error.cause
    assert isinstance(cause, ApplicationError)
    return cause.type


# ---- updates


async def test_an_operator_claims_and_decides_through_the_workflow(
    database: Database, temporal: Client, tenant: str
) -> None:
    review = await opened(database, tenant)
    async with waiting(temporal, database, review) as handle:
        assert (await update(handle, ReviewAction.CLAIM, "ann")).claimed_by == "ann"
        assert (await update(handle, ReviewAction.REJECT, "ann")).status is ReviewStatus.REJECTED
        assert (await handle.result()).status is ReviewStatus.REJECTED
        found = await handle.describe()
        assert "rejected" in [pair.value for pair in found.typed_search_attributes]
    row = await row_of(database, review)
    assert (row.status, row.decided_by) == ("rejected", "ann")


@pytest.mark.parametrize(
    ("action", "by", "refused"),
    [
        (ReviewAction.CLAIM, "bob", "compliance.review_claimed"),
        (ReviewAction.APPROVE, "bob", "compliance.review_not_yours"),
        (ReviewAction.RELEASE, "bob", "compliance.review_not_yours"),
    ],
)
async def test_a_move_that_the_review_does_not_allow_is_refused_before_it_is_recorded(
    database: Database, temporal: Client, tenant: str, action: ReviewAction, by: str, refused: str
) -> None:
    review = await opened(database, tenant)
    async with waiting(temporal, database, review) as handle:
        await update(handle, ReviewAction.CLAIM, "ann")
        before = (await handle.fetch_history()).events
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await update(handle, action, by)
        assert why(caught.value) == refused
        accepted = [event for event in (await handle.fetch_history()).events if "UPDATE_ACCEPTED" in str(event)]
        assert len(accepted) == len([event for event in before if "UPDATE_ACCEPTED" in str(event)])
        await update(handle, ReviewAction.APPROVE, "boss", admin=True)


async def test_the_row_knows_better_than_a_workflow_that_was_not_told(
    database: Database, temporal: Client, tenant: str
) -> None:
    review = await opened(database, tenant)
    async with waiting(temporal, database, review) as handle:
        claim = MoveWork(
            tenant_id=tenant, review_id=review.review_id, move_id="elsewhere", action=ReviewAction.CLAIM,
            update=MoveUpdate(by="ann"),
        )  # fmt: skip
        await activities_on(database).move(claim)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await update(handle, ReviewAction.CLAIM, "bob")
        assert why(caught.value) == "compliance.review_claimed"
        await update(handle, ReviewAction.REJECT, "boss", admin=True)


async def test_a_move_tried_twice_is_made_once(database: Database, tenant: str) -> None:
    review, made = await opened(database, tenant), activities_on(database)
    work = MoveWork(
        tenant_id=tenant, review_id=review.review_id, move_id="m1", action=ReviewAction.CLAIM,
        update=MoveUpdate(by="ann"),
    )  # fmt: skip
    first, second = await made.move(work), await made.move(work)
    assert first == second
    assert [kind for kind, _ in await steps_of(database, review)] == ["opened", "claimed"]


async def test_a_reminder_tried_twice_is_sent_once(database: Database, tenant: str) -> None:
    review, made = await opened(database, tenant), activities_on(database)
    work = NudgeWork(tenant_id=tenant, review_id=review.review_id, nudge=1)
    await made.nudge(work)
    await made.nudge(work)
    assert await steps_of(database, review) == [("opened", None), ("reminded", ["rita"])]
    async with database.begin_all() as session:
        due = await due_intents(session, older_than_seconds=-60, limit=500)
    assert len([one for one in due if one.tenant_id == tenant and one.workflow_type == "notification.send"]) == 1


async def test_reviews_that_begin_to_wait_come_after_whatever_else_was_promised(
    database: Database, tenant: str
) -> None:
    review = await opened(database, tenant)
    nudge = NudgeWork(tenant_id=tenant, review_id=review.review_id, nudge=1)
    await activities_on(database).nudge(nudge)  # promises a message, later than the review was promised its workflow
    async with database.begin_all() as session:
        due = await due_intents(session, older_than_seconds=-60, limit=500)
    assert [one.workflow_type for one in due if one.tenant_id == tenant] == ["notification.send", REVIEW_RUN]


# ---- the clock


async def _timed(skipping: WorkflowEnvironment, database: Database, tenant: str) -> ReviewInput:
    """A review that opens now by the skipping server's clock."""
    review, now = await opened(database, tenant), await skipping.get_current_time()
    return review.model_copy(update={"opened_at": now, "due_at": now + SLA})


async def moved(
    handle: Handle, database: Database, review: ReviewInput, action: ReviewAction, by: str, **more: Any
) -> None:
    """A move at the front door, and the signal that tells of it. The skipping server stands still after an update."""
    claim_for = more.pop("claim_for", timedelta(hours=1))
    work = MoveWork(
        tenant_id=review.tenant_id,
        review_id=review.review_id,
        move_id=new_id("move"),
        action=action,
        update=MoveUpdate(by=by, **more),
    )
    await handle.signal(REVIEW_CHANGED, await activities_on(database, claim_for=claim_for).move(work))


async def decided(
    handle: Handle, database: Database, review: ReviewInput, action: ReviewAction, by: str, **more: Any
) -> ReviewState:
    """The last move, and the workflow's end: a task that a worker leaves behind stops the clock for later tests."""
    await moved(handle, database, review, action, by, **more)
    return await handle.result()


async def test_a_review_is_reminded_of_then_escalated_then_reminded_of_again(
    skipping: WorkflowEnvironment, database: Database, tenant: str
) -> None:
    review, seen = await _timed(skipping, database, tenant), 1
    async with waiting(skipping.client, database, review) as handle:
        for elapsed, expected in (
            (SLA * 0.49, []),
            (SLA * 0.03, [("reminded", ["rita"])]),
            (SLA * 0.5, [("overdue", None), ("escalated", ["head"])]),
            (SLA, [("reminded", ["head"])]),
            (SLA * 10, []),
        ):
            await skipping.sleep(elapsed)
            steps = await steps_of(database, review)
            assert steps[seen:] == expected
            seen = len(steps)
        state = await handle.query(REVIEW_STATE, result_type=ReviewState)
        assert (state.nudged, state.escalated) == (3, True)
        state = await decided(handle, database, review, ReviewAction.APPROVE, "boss", admin=True)
        assert state.status is ReviewStatus.APPROVED


async def test_a_claim_that_is_over_is_ended_by_the_clock(
    skipping: WorkflowEnvironment, database: Database, tenant: str
) -> None:
    review = await _timed(skipping, database, tenant)
    ahead = review.opened_at - datetime.now(UTC)
    async with waiting(skipping.client, database, review) as handle:
        half_an_hour = ahead + timedelta(minutes=30)
        await moved(handle, database, review, ReviewAction.CLAIM, "ann", claim_for=half_an_hour)
        await skipping.sleep(timedelta(minutes=29))
        assert (await row_of(database, review)).claimed_by == "ann"
        await skipping.sleep(timedelta(minutes=2))
        row = await row_of(database, review)
        assert (row.status, row.claimed_by) == ("open", None)
        assert [kind for kind, _ in await steps_of(database, review)] == ["opened", "claimed", "claim_expired"]
        await decided(handle, database, review, ReviewAction.APPROVE, "boss", admin=True)


async def test_whoever_holds_the_claim_is_reminded(
    skipping: WorkflowEnvironment, database: Database, tenant: str
) -> None:
    review = await _timed(skipping, database, tenant)
    ahead = review.opened_at - datetime.now(UTC)
    async with waiting(skipping.client, database, review) as handle:
        await moved(handle, database, review, ReviewAction.CLAIM, "ann", claim_for=ahead + SLA * 2)
        await skipping.sleep(SLA * 1.01)
        told = [people for kind, people in await steps_of(database, review) if people]
        assert told == [["ann"], ["ann", "head"]]
        await decided(handle, database, review, ReviewAction.APPROVE, "ann")


async def test_a_workflow_that_begins_late_escalates_at_once(
    skipping: WorkflowEnvironment, database: Database, tenant: str
) -> None:
    review = await _timed(skipping, database, tenant)
    late = review.model_copy(update={"opened_at": review.opened_at - SLA, "due_at": review.opened_at})
    async with waiting(skipping.client, database, late) as handle:

        async def escalated() -> bool:
            return (await row_of(database, review)).escalated_at is not None

        await eventually(escalated)
        assert [kind for kind, _ in await steps_of(database, review)] == ["opened", "overdue", "escalated"]
        await decided(handle, database, review, ReviewAction.REJECT, "boss", admin=True)


# ---- nothing is lost


async def _decide(client: httpx.AsyncClient, review_id: str) -> None:
    answer = await client.post(f"{API}/reviews/{review_id}/reject", json={"note": "marker-in-a-note"})
    assert (answer.status_code, answer.json()["status"]) == (200, "rejected")


async def test_a_check_starts_a_workflow_that_ends_with_the_decision_of_the_front_door(
    compliance: httpx.AsyncClient, temporal: Client, workers: StartWorkers
) -> None:
    await workers("compliance")
    policy = {"name": new_id("pol").replace("_", "-"), "rules": {"pii": {"action": "review"}}}
    await compliance.post(f"{API}/policies", json=policy)
    body = {"content": "marker ann@example.com", "check_types": ["pii"], "policy": policy["name"]}
    review_id = (await compliance.post(f"{API}/check", json=body)).json()["review"]["review_id"]
    handle = temporal.get_workflow_handle(review_run_id(review_id), result_type=ReviewState)

    async def waits() -> bool:
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

    await eventually(waits)
    await _decide(compliance, review_id)
    assert (await asyncio.wait_for(handle.result(), 20)).status is ReviewStatus.REJECTED
    history = "\n".join(str(event) for event in (await handle.fetch_history()).events)
    assert review_id in history
    assert "marker" not in history  # neither the text nor the note
    assert "ann@example.com" not in history


async def test_a_decision_made_while_no_worker_lives_is_heard_by_the_next(
    compliance: httpx.AsyncClient, database: Database, temporal: Client, tenant: str
) -> None:
    review = await opened(database, tenant)
    made = activities_on(database)
    crew = Crew(queue=new_id("queue"), workflows=[ComplianceReview], activities=[made.move, made.nudge, made.expire])
    async with build_worker(temporal, crew):
        handle = await temporal.start_workflow(
            REVIEW_RUN, review, id=review_run_id(review.review_id), task_queue=crew.queue, result_type=ReviewState
        )
        await update(handle, ReviewAction.CLAIM, "ann")
    await _decide(compliance, review.review_id)
    async with build_worker(temporal, crew):
        assert (await asyncio.wait_for(handle.result(), 30)).status is ReviewStatus.REJECTED


async def test_a_decision_made_while_temporal_is_away_reaches_the_workflow_later(
    settings: Settings, database: Database, temporal: Client, tenant: str, headers: Callable[..., Headers]
) -> None:
    review = await opened(database, tenant)
    async with waiting(temporal, database, review) as handle:
        app = create_app(
            door("compliance"), settings.model_copy(update={"temporal_address": f"127.0.0.1:{free_port()}"})
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://cut-off", headers=headers(), timeout=30) as client,
        ):
            await _decide(client, review.review_id)
        assert (await row_of(database, review)).status == "rejected"
        async with database.begin_all() as session:
            due = await due_intents(session, older_than_seconds=-60, limit=500)
        mine = [one for one in due if one.tenant_id == tenant]
        assert await Keeper(temporal).keep(mine) == [one.intent_id for one in mine]
        assert (await asyncio.wait_for(handle.result(), 20)).status is ReviewStatus.REJECTED
