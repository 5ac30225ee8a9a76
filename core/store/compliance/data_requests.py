"""Data-subject requests: opened, decided, carried out service by service, their artifacts kept for a while.

Each move is guarded by where it starts and told in the same transaction: an audit entry and a domain event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance.data_requests import (
    MANIFEST,
    OPEN,
    SERVICES,
    RequestFilter,
    RequestKind,
    RequestStatus,
    StepStatus,
    Verb,
)
from core.contracts.platform import AuditEntry, DomainEvent, JsonObject, Service
from core.store import audit, event
from core.store.platform import before
from core.store.platform.subject import Place, Subject
from core.tables.compliance import DataRequestChunkRow, DataRequestRow, DataRequestStepRow

SYSTEM = "service:compliance"
"""The actor of what the workflow does by itself."""
RIGHTS = {RequestKind.EXPORT: "access", RequestKind.ERASE: "erasure"}
"""As audit events name them: `privacy.access.requested`, `privacy.erasure.approved`."""
_BY_TIME = (col(DataRequestRow.created_at), col(DataRequestRow.request_id))


async def open_request(session: AsyncSession, row: DataRequestRow) -> bool:
    """Write a request that waits for a decision; False while one of the same kind for the same person is open."""
    values = row.model_dump(exclude_none=True)
    statement = insert(DataRequestRow).values(values).on_conflict_do_nothing().returning(col(DataRequestRow.request_id))
    if (await (await session.connection()).execute(statement)).first() is None:
        return False
    await tell(session, row, Verb.REQUESTED, actor=row.requested_by)
    return True


async def tell(
    session: AsyncSession, row: DataRequestRow, verb: Verb, *, actor: str = SYSTEM, more: JsonObject | None = None
) -> None:
    """Put one step of a request into the audit log and the event log. The person appears by their pseudonym only."""
    about: JsonObject = {"request_id": row.request_id, "kind": row.kind, "subject": row.alias, **(more or {})}
    entry = AuditEntry(
        event_type=f"privacy.{RIGHTS[RequestKind(row.kind)]}.{verb}",
        actor_id=actor,
        action=verb,
        resource_type="data_request",
        resource_id=row.request_id,
        category="privacy",
        metadata={name: value for name, value in about.items() if name != "request_id"},
        correlation_id=row.correlation_id,
    )
    told = DomainEvent(
        event_type=f"compliance.data_request_{verb}",
        source=Service.COMPLIANCE,
        payload=about,
        correlation_id=row.correlation_id,
    )
    await audit.append_entries(session, row.tenant_id, [entry])
    await event.append(session, row.tenant_id, [told])


async def request_of(
    session: AsyncSession, request_id: str, *, requested_by: str | None = None
) -> DataRequestRow | None:
    """A request, if this user (None: anyone) may see it."""
    query = select(DataRequestRow).where(col(DataRequestRow.request_id) == request_id)
    if requested_by is not None:
        query = query.where(col(DataRequestRow.requested_by) == requested_by)
    return (await session.exec(query.execution_options(populate_existing=True))).first()


def _clauses(wanted: RequestFilter) -> list[ColumnElement[bool]]:
    same = {
        DataRequestRow.kind: wanted.kind,
        DataRequestRow.status: wanted.status,
        DataRequestRow.requested_by: wanted.requested_by,
    }
    found = [col(column) == value for column, value in same.items() if value is not None]
    if wanted.subjects is not None:
        found.append(col(DataRequestRow.subject).in_(wanted.subjects))
    if wanted.overdue is not None:
        late = col(DataRequestRow.status).in_(OPEN) & (col(DataRequestRow.due_at) < func.now())
        found.append(late if wanted.overdue else ~late)
    return found


async def list_requests(
    session: AsyncSession, wanted: RequestFilter, *, limit: int, after: Sequence[Any] | None
) -> list[DataRequestRow]:
    """Newest first; one more than `limit` when there is another page."""
    query = select(DataRequestRow).where(*_clauses(wanted))
    if after is not None:
        query = query.where(before(_BY_TIME, after))
    return list((await session.exec(query.order_by(*(key.desc() for key in _BY_TIME)).limit(limit + 1))).all())


async def move(
    session: AsyncSession, request_id: str, *, out_of: Sequence[RequestStatus], to: RequestStatus, **values: Any
) -> DataRequestRow | None:
    """Take a request to its next status; None if it does not stand where this begins."""
    statement = (
        update(DataRequestRow)
        .where(col(DataRequestRow.request_id) == request_id, col(DataRequestRow.status).in_(out_of))
        .values(status=to, **values)
    )
    if not (await session.exec(statement)).rowcount:
        return None
    return await request_of(session, request_id)


async def decide(
    session: AsyncSession, request_id: str, *, verb: Verb, to: RequestStatus, by: str, note: str | None
) -> DataRequestRow | None:
    """A person's decision on a request that waits for one; None if it does not wait (any more)."""
    given = {"decided_by": by, "note": note, "decided_at": func.now()}
    row = await move(session, request_id, out_of=[RequestStatus.PENDING], to=to, **given)
    if row is not None:
        await tell(session, row, verb, actor=by)
    return row


async def begin(session: AsyncSession, request_id: str) -> DataRequestRow | None:
    """The request as it stands; one that is approved runs from now, with a step for each service.

    A decision that is just being made is waited for: it shows whole, or it comes later and wakes the workflow.
    """
    held = select(DataRequestRow.status).where(col(DataRequestRow.request_id) == request_id).with_for_update()
    if (await session.exec(held)).first() != RequestStatus.APPROVED:
        return await request_of(session, request_id)
    approved = [RequestStatus.APPROVED]
    row = await move(session, request_id, out_of=approved, to=RequestStatus.RUNNING, started_at=func.now())
    assert row is not None  # held above
    new: dict[str, Any] = {"request_id": request_id, "tenant_id": row.tenant_id, "place": [], "counts": {}}
    steps = [{**new, "service": name, "status": StepStatus.PENDING} for name in SERVICES]
    await session.exec(insert(DataRequestStepRow).values(steps).on_conflict_do_nothing())
    return row


async def remind(session: AsyncSession, request_id: str) -> bool:
    """Say once that a request is overdue."""
    late = (
        update(DataRequestRow)
        .where(col(DataRequestRow.request_id) == request_id, col(DataRequestRow.status).in_(OPEN))
        .where(col(DataRequestRow.reminded_at).is_(None))
        .values(reminded_at=func.now())
    )
    if not (await session.exec(late)).rowcount:
        return False
    row = await request_of(session, request_id)
    assert row is not None  # the statement above has just changed it
    await tell(session, row, Verb.OVERDUE, more={"due_at": row.due_at.isoformat()})
    return True


async def open_ones_of(session: AsyncSession, subject: Subject) -> Sequence[DataRequestRow]:
    """Other requests about this person that are not over."""
    query = select(DataRequestRow).where(
        col(DataRequestRow.subject) == subject.user_id,
        col(DataRequestRow.request_id) != subject.request_id,
        col(DataRequestRow.status).in_(OPEN),
    )
    return (await session.exec(query)).all()


# ---- service by service


def subject_of(row: DataRequestRow) -> Subject:
    """Whose data a request is about."""
    return Subject(
        tenant_id=row.tenant_id,
        user_id=row.subject,
        alias=row.alias,
        request_id=row.request_id,
        addresses=(*row.email_addresses, *row.phone_numbers),
    )


async def steps_of(session: AsyncSession, request_id: str) -> Sequence[DataRequestStepRow]:
    """How far each service is."""
    query = select(DataRequestStepRow).where(col(DataRequestStepRow.request_id) == request_id)
    return (await session.exec(query)).all()


async def step_of(session: AsyncSession, request_id: str, service: Service) -> DataRequestStepRow | None:
    """How far one service is with a request that runs; None if the request does not run (any more)."""
    query = (
        select(DataRequestStepRow)
        .join(DataRequestRow, col(DataRequestRow.request_id) == col(DataRequestStepRow.request_id))
        .where(col(DataRequestStepRow.request_id) == request_id, col(DataRequestStepRow.service) == service)
        .where(col(DataRequestRow.status) == RequestStatus.RUNNING)
    )
    return (await session.exec(query)).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What one page has done. `place` is None after a service's last."""

    kind: str
    rows: int
    place: Place | None
    sealed: Sequence[bytes] = ()
    length: int = 0


async def advance(session: AsyncSession, request: DataRequestRow, step: DataRequestStepRow, done: Advance) -> bool:
    """Note a page beside what it did; False if it must be undone: another attempt has done that page, or the request
    has ended meanwhile."""
    if not await _still_runs(session, request.request_id):
        return False
    first = step.chunks  # the update below changes the row at hand too
    counts = {**step.counts, done.kind: step.counts.get(done.kind, 0) + done.rows}
    values: dict[str, Any] = {
        "status": StepStatus.COMPLETED if done.place is None else StepStatus.RUNNING,
        "place": done.place or [],
        "counts": counts,
        "revision": step.revision + 1,
        "chunks": first + len(done.sealed),
        "bytes": step.bytes + done.length,
        "started_at": func.coalesce(col(DataRequestStepRow.started_at), func.now()),
        "finished_at": func.now() if done.place is None else None,
    }
    unmoved = update(DataRequestStepRow).where(
        col(DataRequestStepRow.request_id) == step.request_id,
        col(DataRequestStepRow.service) == step.service,
        col(DataRequestStepRow.revision) == step.revision,
    )
    if not (await session.exec(unmoved.values(values))).rowcount:
        return False
    await add_chunks(session, request, step.service, first=first, sealed=done.sealed)
    if done.place is None:
        await _told_of_service(session, request, step.service, counts)
    return True


async def _still_runs(session: AsyncSession, request_id: str) -> bool:
    """Whether the request runs, and until this transaction ends goes on to: a page may take minutes, and an erasure
    that ends an export deletes what the export has collected by then."""
    status = select(DataRequestRow.status).where(col(DataRequestRow.request_id) == request_id)
    return (await session.exec(status.with_for_update(read=True))).first() == RequestStatus.RUNNING


async def _told_of_service(
    session: AsyncSession, request: DataRequestRow, service: str, counts: Mapping[str, int]
) -> None:
    verb = Verb.ERASED if request.kind == RequestKind.ERASE else Verb.COLLECTED
    found: JsonObject = {kind: rows for kind, rows in counts.items() if rows}
    await tell(session, request, verb, more={"service": service, "rows": sum(counts.values()), "kinds": found})


async def finish_erasure(session: AsyncSession, row: DataRequestRow) -> bool:
    """All services are done: the request itself forgets who it was about. False if it was finished before."""
    return await _finish(session, row, _forgotten(row))


async def finish_export(
    session: AsyncSession, row: DataRequestRow, *, manifest: bytes, length: int, keep_for: timedelta
) -> bool:
    """All services are done: the file opens with its manifest, and lives from now. False if it was finished before."""
    total = select(func.coalesce(func.sum(col(DataRequestStepRow.bytes)), 0)).where(
        col(DataRequestStepRow.request_id) == row.request_id
    )
    size = length + int((await session.exec(total)).one())
    if not await _finish(session, row, {"artifact_bytes": size, "expires_at": func.now() + keep_for}):
        return False
    await add_chunks(session, row, MANIFEST, first=0, sealed=[manifest])
    return True


async def _finish(session: AsyncSession, row: DataRequestRow, values: Mapping[str, Any]) -> bool:
    running = [RequestStatus.RUNNING]
    moved = await move(
        session, row.request_id, out_of=running, to=RequestStatus.COMPLETED, finished_at=func.now(), **values
    )
    if moved is not None:
        await tell(session, moved, Verb.COMPLETED)
    return moved is not None


def _forgotten(row: DataRequestRow) -> dict[str, Any]:
    names = {name: getattr(row, name) for name in ("requested_by", "decided_by")}
    return {
        "subject": row.alias,
        "email_addresses": [],
        "phone_numbers": [],
        "reason": None,
        "note": None,
        **{name: row.alias for name, value in names.items() if value == row.subject},
    }


# ---- the artifact


async def add_chunks(
    session: AsyncSession, request: DataRequestRow, part: str, *, first: int, sealed: Sequence[bytes]
) -> None:
    """Keep parts of the file, in order."""
    place = {"request_id": request.request_id, "tenant_id": request.tenant_id, "part": part}
    rows = [{**place, "number": first + number, "sealed": piece} for number, piece in enumerate(sealed)]
    for row in rows:  # one statement each: a page may come to many megabytes
        await session.exec(insert(DataRequestChunkRow).values(row))


async def chunk(session: AsyncSession, request_id: str, part: str, number: int) -> bytes | None:
    """One sealed part of the file; None after the last of its kind."""
    row = await session.get(DataRequestChunkRow, (request_id, part, number))
    return row.sealed if row else None


async def expiring(session: AsyncSession, *, limit: int) -> Sequence[tuple[str, str]]:
    """Of all tenants: (tenant, request) of the artifacts past their time."""
    query = (
        select(DataRequestRow.tenant_id, DataRequestRow.request_id)
        .where(col(DataRequestRow.status) == RequestStatus.COMPLETED, col(DataRequestRow.expires_at) < func.now())
        .order_by(col(DataRequestRow.expires_at))
        .limit(limit)
    )
    return (await session.exec(query)).all()


_DROP = text(
    "DELETE FROM compliance.data_request_chunks WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM compliance.data_request_chunks WHERE request_id = :request LIMIT :limit))"
)


async def drop_chunks(session: AsyncSession, request_id: str, *, limit: int) -> int:
    """Delete some parts of the file; how many."""
    given = {"request": request_id, "limit": limit}
    return int((await (await session.connection()).execute(_DROP, given)).rowcount)


async def expire(session: AsyncSession, request_id: str) -> bool:
    """Say that the artifact is gone; False if that was said before."""
    row = await move(session, request_id, out_of=[RequestStatus.COMPLETED], to=RequestStatus.EXPIRED)
    if row is not None:
        await tell(session, row, Verb.EXPIRED)
    return row is not None
