"""Templates and their versions. A version is written once; the template's row points to the newest."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, func, or_, update
from sqlalchemy import select as plain_select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.notification import Template
from core.tables.notification import TemplateRow, TemplateVersionRow


async def create(session: AsyncSession, tenant_id: str, template: Template) -> bool:
    """Keep a new template; False if the name is taken."""
    row = {
        "tenant_id": tenant_id,
        **template.model_dump(include={"template_id", "name", "version", "created_by"}),
        "type": template.type.value,
    }
    made = insert(TemplateRow).values(row).on_conflict_do_nothing().returning(col(TemplateRow.template_id))
    if (await session.exec(made)).first() is None:
        return False
    await _add_version(session, tenant_id, template)
    return True


async def _add_version(session: AsyncSession, tenant_id: str, template: Template) -> None:
    row = {
        "tenant_id": tenant_id,
        **template.model_dump(include={"template_id", "version", "subject", "body", "variables", "created_by"}),
        "format": template.format.value,
    }
    await session.exec(insert(TemplateVersionRow).values(row))


async def renew(session: AsyncSession, tenant_id: str, template: Template) -> Template:
    """Keep the next version of a template that exists; as it is then."""
    moved = (
        update(TemplateRow)
        .where(col(TemplateRow.template_id) == template.template_id)
        .values(version=col(TemplateRow.version) + 1, updated_at=func.now())
        .returning(col(TemplateRow.version), col(TemplateRow.updated_at))
    )
    version, updated_at = (await (await session.connection()).execute(moved)).one()
    renewed = template.model_copy(update={"version": version, "updated_at": updated_at})
    await _add_version(session, tenant_id, renewed)
    return renewed


async def find(session: AsyncSession, id_or_name: str, *, version: int | None = None) -> Template | None:
    """A tenant's own template in its newest version, or in the one asked for. Where both match, the id wins."""
    by_id, by_name = col(TemplateRow.template_id) == id_or_name, col(TemplateRow.name) == id_or_name
    query = _versions(col(TemplateRow.version) if version is None else version).where(or_(by_id, by_name))
    found = (await (await session.connection()).execute(query.order_by(by_id.desc()))).mappings().first()
    return Template.model_validate(found) if found else None


async def list_after(session: AsyncSession, name: str, limit: int) -> list[Template]:
    """A tenant's own templates in their newest versions, by name, after this one."""
    query = _versions(col(TemplateRow.version)).where(col(TemplateRow.name) > name)
    found = await (await session.connection()).execute(query.order_by(col(TemplateRow.name)).limit(limit))
    return [Template.model_validate(row) for row in found.mappings()]


async def names(session: AsyncSession, among: Sequence[str]) -> set[str]:
    """Which of these names a tenant has given."""
    query = select(TemplateRow.name).where(col(TemplateRow.name).in_(among))
    return set((await session.exec(query)).all())


def _versions(version: Any) -> Select[Any]:
    columns: tuple[Any, ...] = (
        *(TemplateRow.template_id, TemplateRow.name, TemplateRow.type, TemplateRow.created_by, TemplateRow.created_at),
        *(TemplateVersionRow.version, TemplateVersionRow.subject, TemplateVersionRow.body, TemplateVersionRow.format),
        *(TemplateVersionRow.variables, col(TemplateVersionRow.created_at).label("updated_at")),
    )
    same = and_(
        col(TemplateVersionRow.template_id) == col(TemplateRow.template_id),
        col(TemplateVersionRow.version) == version,
    )
    return plain_select(*columns).select_from(TemplateRow).join(TemplateVersionRow, same)
