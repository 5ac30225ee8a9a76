"""GET /analytics: figures of a tenant's, or a user's own, tasks."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Query

from api.deps import Session
from api.task import answers
from api.task.access import Reader, router
from core.contracts.task import TaskAnalytics
from core.errors import FieldError, Invalid
from core.store import task as store

DEFAULT_DAYS, MOST_DAYS = 30, 366


@router.get(
    "/analytics",
    response_model=TaskAnalytics,
    summary="Tasks by status and type, success rate, durations and waits, per day",
    description=(
        "Counts are kept as tasks move. p50 and p95 are of the last 1,000 completed executions of the period: "
        "ask with `type` for a rare one."
    ),
)
async def get_task_analytics(
    session: Session,
    caller: Reader,
    from_date: Annotated[date | None, Query(description="first day, UTC; 30 days back when left out")] = None,
    to_date: Annotated[date | None, Query(description="last day, included; today when left out")] = None,
    type: Annotated[str | None, Query(max_length=100, description="only this type")] = None,  # noqa: A002 - the page's word
) -> TaskAnalytics:
    first, last = _period(from_date, to_date)
    scope = store.Scope(caller.own_only, type, first, last)
    return answers.analytics(scope, await store.figures(session, scope))


def _period(first: date | None, last: date | None) -> tuple[date, date]:
    last = last or datetime.now(UTC).date()
    if not 1900 <= last.year < 2200:
        raise Invalid("That day is too far away.", errors=[FieldError("to_date", "must lie between 1900 and 2200")])
    first = first or last - timedelta(days=DEFAULT_DAYS - 1)
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        found = [FieldError("from_date", f"must lie at most {MOST_DAYS} days before to_date, and not after it")]
        raise Invalid("The period is not one.", errors=found)
    return first, last
