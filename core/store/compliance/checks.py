"""Checks: written once with their counters and domain events, read newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, RowMapping, func
from sqlalchemy import select as plain_select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import COMPLIANCE_FLAGGED, Check, CheckFilter, CheckRecord, CheckStatus, CheckType
from core.contracts.platform import DomainEvent, Service
from core.store import event
from core.store.compliance import days
from core.store.compliance.reviews import attach, open_reviews
from core.store.platform import before
from core.store.platform.direct import in_one_go, insert_rows
from core.tables.compliance import CheckRow

TABLE = "compliance.checks"
COLUMNS = (
    *("check_id", "tenant_id", "batch_id", "status", "risk_level", "check_types", "entities", "results", "spans"),
    *("redacted", "policy", "policy_version", "content_type", "content_hash", "content_length"),
    *("checked_by", "correlation_id", "created_at"),
    *("category", "policy_source", "reasons", "cached_from", "cached_age_seconds"),
)
FOUND = (CheckStatus.FLAGGED, CheckStatus.BLOCKED, CheckStatus.REVIEW)
# Lists leave out spans and redacted text, which may be large.
ITEM = tuple(
    col(getattr(CheckRow, name)) for name in COLUMNS if name not in ("tenant_id", "entities", "spans", "redacted")
)
WHOLE = (*ITEM, col(CheckRow.spans), col(CheckRow.redacted))
_BY_TIME = (col(CheckRow.created_at), col(CheckRow.check_id))


async def record(session: AsyncSession, tenant_id: str, records: Sequence[CheckRecord]) -> None:
    """Write checks, count them, and tell the world of those with findings. Nothing of their texts is written, but for
    the redacted form of those that say so."""
    if not records:
        return
    checks = [one.check for one in records]
    async with in_one_go(session):
        await insert_rows(session, TABLE, COLUMNS, [_values(tenant_id, one) for one in records])
        await days.add(session, tenant_id, checks)
        await event.append(session, tenant_id, [_flagged(check) for check in checks if check.status in FOUND])
    await open_reviews(session, tenant_id, records)


def _values(tenant_id: str, one: CheckRecord) -> tuple[object, ...]:
    check, pii = one.check, one.check.results.get(CheckType.PII)
    bare = {
        check_type: result.model_dump(exclude={"spans", "redacted"}) for check_type, result in check.results.items()
    }
    spans = {check_type: result.spans for check_type, result in check.results.items() if result.spans}
    return (
        *(check.check_id, tenant_id, check.batch_id, check.status, check.risk_level),
        *(list(check.results), (pii.detected if pii else None) or []),
        *(to_json(bare).decode(), to_json(spans).decode()),
        pii.redacted if pii and one.keep_redacted else None,
        *(check.policy, check.policy_version, check.content_type, check.content_hash, check.content_length),
        *(check.checked_by, check.correlation_id, check.created_at),
        *(check.category, check.policy_source, check.reasons, check.cached_from, check.cached_age_seconds),
    )


def _flagged(check: Check) -> DomainEvent:
    found = [check_type for check_type, result in check.results.items() if result.flagged]
    entities = [entity for result in check.results.values() for entity in result.detected or ()]
    return DomainEvent(
        event_type=COMPLIANCE_FLAGGED,
        source=Service.COMPLIANCE,
        payload={
            "check_id": check.check_id,
            "batch_id": check.batch_id,
            "status": check.status,
            "risk_level": check.risk_level,
            "check_types": list(found),
            "entities": list(entities),
            "policy": check.policy,
            "checked_by": check.checked_by,
        },
        correlation_id=check.correlation_id,
    )


def as_check(row: RowMapping) -> Check:
    """A row as it is answered; spans and redacted text come along if they were read."""
    results = {check_type: dict(row["results"][check_type]) for check_type in row["check_types"]}
    for check_type, spans in (row.get("spans") or {}).items():
        results[check_type]["spans"] = spans
    if row.get("redacted") is not None:
        results[CheckType.PII]["redacted"] = row["redacted"]
    return Check.model_validate({**row, "results": results, "cached": row["cached_from"] is not None})


def _clauses(wanted: CheckFilter) -> list[ColumnElement[bool]]:
    same = {
        CheckRow.status: wanted.status,
        CheckRow.risk_level: wanted.risk_level,
        CheckRow.policy: wanted.policy,
        CheckRow.checked_by: wanted.checked_by,
        CheckRow.batch_id: wanted.batch_id,
    }
    found = [col(column) == value for column, value in same.items() if value is not None]
    if wanted.check_type is not None:
        found.append(col(CheckRow.check_types).contains([wanted.check_type]))
    if wanted.entity is not None:
        found.append(col(CheckRow.entities).contains([wanted.entity]))
    if wanted.since is not None:
        found.append(col(CheckRow.created_at) >= wanted.since)
    if wanted.until is not None:
        found.append(col(CheckRow.created_at) < wanted.until)
    return found


async def list_checks(
    session: AsyncSession, wanted: CheckFilter, *, limit: int, after: Sequence[Any] | None
) -> list[Check]:
    """Newest first; one more than `limit` when there is another page."""
    query = plain_select(*ITEM).where(*_clauses(wanted)).order_by(*(key.desc() for key in _BY_TIME)).limit(limit + 1)
    if after is not None:
        query = query.where(before(_BY_TIME, after))
    found = [as_check(row) for row in (await (await session.connection()).execute(query)).mappings()]
    await attach(session, found)
    return found


async def check_of(session: AsyncSession, check_id: str, *, checked_by: str | None) -> Check | None:
    """A check, if this user (None: anyone) may see it."""
    query = plain_select(*WHOLE).where(col(CheckRow.check_id) == check_id)
    if checked_by is not None:
        query = query.where(col(CheckRow.checked_by) == checked_by)
    row = (await (await session.connection()).execute(query)).mappings().first()
    found = [as_check(row)] if row else []
    await attach(session, found)
    return next(iter(found), None)


async def checks_of(session: AsyncSession, check_ids: Sequence[str], *, whole: bool) -> dict[str, Check]:
    """These checks by their ids, as far as there are any; `whole`: with spans and redacted texts."""
    columns = WHOLE if whole else (*ITEM, col(CheckRow.redacted))
    query = plain_select(*columns).where(col(CheckRow.check_id).in_(check_ids))
    found = (await (await session.connection()).execute(query)).mappings()
    return {check.check_id: check for check in map(as_check, found)}


async def findings_in(session: AsyncSession, batch_id: str) -> int:
    """How many spans the checks of a batch have in all."""
    spans = func.jsonb_array_length(col(CheckRow.spans)[CheckType.PII.value])
    query = plain_select(func.coalesce(func.sum(spans), 0)).where(col(CheckRow.batch_id) == batch_id)
    return int((await (await session.connection()).execute(query)).scalar_one())


async def checks_found(
    session: AsyncSession, *, who: str | None, of_pii: bool, since: datetime, until: datetime, limit: int
) -> list[RowMapping]:
    """Checks with findings in this time, newest first."""
    columns = ("check_id", "status", "risk_level", "check_types", "entities", "policy", "checked_by", "created_at")
    within = (col(CheckRow.created_at) >= since, col(CheckRow.created_at) < until)
    found = col(CheckRow.entities) != [] if of_pii else col(CheckRow.status).in_(FOUND)
    query = plain_select(*(getattr(CheckRow, name) for name in columns)).where(*within, found)
    if who is not None:
        query = query.where(col(CheckRow.checked_by) == who)
    query = query.order_by(*(key.desc() for key in _BY_TIME)).limit(limit)
    return list((await (await session.connection()).execute(query)).mappings())
