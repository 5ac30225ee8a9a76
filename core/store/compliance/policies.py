"""Policies: made, changed by new versions, archived; assigned to whom no check's policy is named for."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import (
    Assignment,
    AssignmentScope,
    AssignPolicy,
    Policy,
    PolicyHeads,
)
from core.store.platform import locked
from core.tables.compliance import AssignmentRow, PolicyRow, PolicyVersionRow

_COLUMNS = {"name", "version", "built_in", "created_by", "created_at", "archived_at"}


async def add_policy(session: AsyncSession, tenant_id: str, policy: Policy, *, created_by: str) -> Policy | None:
    """Write a policy's first version; None where the name is taken, by an archived one too."""
    values = {"tenant_id": tenant_id, "name": policy.name, "version": policy.version, "created_by": created_by}
    statement = insert(PolicyRow).values(values).on_conflict_do_nothing().returning(col(PolicyRow.name))
    added = (await session.exec(statement)).scalar_one_or_none()
    return await _add_version(session, tenant_id, policy, created_by) if added else None


async def lock_policy(session: AsyncSession, name: str) -> PolicyRow | None:
    """A policy's head, held until the transaction ends."""
    return (await session.exec(locked(select(PolicyRow).where(col(PolicyRow.name) == name)))).first()


async def change_policy(session: AsyncSession, head: PolicyRow, policy: Policy, *, changed_by: str) -> Policy:
    """Write the next version; `head` is locked."""
    head.version = policy.version
    session.add(head)
    return await _add_version(session, head.tenant_id, policy, changed_by)


async def _add_version(session: AsyncSession, tenant_id: str, policy: Policy, by: str) -> Policy:
    row = PolicyVersionRow(
        tenant_id=tenant_id,
        name=policy.name,
        version=policy.version,
        document=policy.model_dump(mode="json", exclude=_COLUMNS),
        created_by=by,
        created_at=datetime.now(UTC),
    )
    session.add(row)
    await session.flush()
    return _policy(row, None)


async def archive_policy(session: AsyncSession, head: PolicyRow) -> None:
    """No new check may use it from now on; past ones keep naming it."""
    mine = (col(PolicyRow.tenant_id) == head.tenant_id) & (col(PolicyRow.name) == head.name)
    await session.exec(update(PolicyRow).where(mine).values(archived_at=func.now()))


def _policy(version: PolicyVersionRow, archived_at: datetime | None) -> Policy:
    return Policy(
        **version.document,
        name=version.name,
        version=version.version,
        built_in=False,
        created_by=version.created_by,
        created_at=version.created_at,
        archived_at=archived_at,
    )


async def list_policies(session: AsyncSession, *, archived: bool, limit: int, after: str = "") -> list[Policy]:
    """The tenant's own policies in their present versions, by name; one more than `limit` if more follow."""
    present = (col(PolicyVersionRow.name) == col(PolicyRow.name)) & (
        col(PolicyVersionRow.version) == col(PolicyRow.version)
    )
    query = (
        select(PolicyVersionRow, PolicyRow.archived_at)
        .join(PolicyRow, present & (col(PolicyVersionRow.tenant_id) == col(PolicyRow.tenant_id)))
        .where(col(PolicyRow.name) > after)
        .order_by(col(PolicyRow.name))
        .limit(limit + 1)
    )
    if not archived:
        query = query.where(col(PolicyRow.archived_at).is_(None))
    return [_policy(row, archived_at) for row, archived_at in (await session.exec(query)).all()]


async def policy_version(session: AsyncSession, name: str, version: int | None = None) -> Policy | None:
    """A version of one of the tenant's own policies; None: the present one."""
    query = (
        select(PolicyVersionRow, PolicyRow.archived_at)
        .join(
            PolicyRow,
            (col(PolicyVersionRow.name) == col(PolicyRow.name))
            & (col(PolicyVersionRow.tenant_id) == col(PolicyRow.tenant_id)),
        )
        .where(
            col(PolicyVersionRow.name) == name,
            col(PolicyVersionRow.version) == (col(PolicyRow.version) if version is None else version),
        )
    )
    found = (await session.exec(query)).first()
    return _policy(*found) if found else None


async def list_versions(session: AsyncSession, name: str, *, limit: int, after: int | None) -> list[Policy]:
    """A policy's versions, newest first; one more than `limit` if more follow."""
    query = (
        select(PolicyVersionRow)
        .where(col(PolicyVersionRow.name) == name)
        .order_by(col(PolicyVersionRow.version).desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(col(PolicyVersionRow.version) < after)
    return [_policy(row, None) for row in (await session.exec(query)).all()]


# ---- assignments


async def assign_policy(session: AsyncSession, tenant_id: str, wanted: AssignPolicy, *, by: str) -> Assignment:
    """Have checks that name no policy judged by this one, in place of what was assigned before."""
    new = {"policy": wanted.policy, "assigned_by": by, "assigned_at": func.now()}
    statement = (
        insert(AssignmentRow)
        .values(tenant_id=tenant_id, scope=wanted.scope, subject=wanted.subject, **new)
        .on_conflict_do_update(index_elements=["tenant_id", "scope", "subject"], set_=new)
        .returning(AssignmentRow)
    )
    row = (await session.exec(statement)).scalar_one()
    return Assignment.model_validate(row)


async def unassign_policy(session: AsyncSession, scope: AssignmentScope, subject: str) -> str | None:
    """Take an assignment back; the policy that it named, None if there was none."""
    statement = delete(AssignmentRow).where(col(AssignmentRow.scope) == scope, col(AssignmentRow.subject) == subject)
    return (await session.exec(statement.returning(col(AssignmentRow.policy)))).scalar_one_or_none()


async def list_assignments(
    session: AsyncSession,
    *,
    policy: str | None = None,
    caller: str | None = None,
    limit: int,
    after: Sequence[str] | None = None,
) -> list[Assignment]:
    """What is assigned, by scope and subject; `caller`: of the callers' only that one's."""
    order = (col(AssignmentRow.scope), col(AssignmentRow.subject))
    query = select(AssignmentRow).order_by(*order).limit(limit + 1)
    if policy is not None:
        query = query.where(col(AssignmentRow.policy) == policy)
    if caller is not None:
        query = query.where((order[0] != AssignmentScope.CALLER) | (order[1] == caller))
    if after is not None:
        scope, subject = after
        query = query.where((order[0] > scope) | ((order[0] == scope) & (order[1] > subject)))
    return [Assignment.model_validate(row) for row in (await session.exec(query)).all()]


async def policy_heads(session: AsyncSession) -> PolicyHeads:
    """What decides which policy judges a check."""
    policies = select(PolicyRow.name, PolicyRow.version).where(col(PolicyRow.archived_at).is_(None))
    versions: dict[str, int] = dict((await session.exec(policies)).all())
    query = select(AssignmentRow.scope, AssignmentRow.subject, AssignmentRow.policy)
    assigned: Mapping[str, dict[str, str]] = {scope.value: {} for scope in AssignmentScope}
    for scope, subject, policy in (await session.exec(query)).all():
        assigned[scope][subject] = policy
    return PolicyHeads(
        versions=versions,
        tenant=assigned[AssignmentScope.TENANT].get(""),
        categories=assigned[AssignmentScope.CATEGORY],
        callers=assigned[AssignmentScope.CALLER],
    )
