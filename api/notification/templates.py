"""Routes of templates: made, listed, read, given new versions, previewed."""

from typing import Annotated

from fastapi import Query, Response
from sqlmodel.ext.asyncio.session import AsyncSession

from api.deps import PageOf, Session
from api.notification.access import PREFIX, Manager, Reader, TemplateRef, new_router
from core.auth import Caller
from core.contracts.notification import (
    CreateTemplate,
    Format,
    Render,
    Rendered,
    Template,
    UpdateTemplate,
)
from core.contracts.platform import AuditEntry, Page
from core.domain.notification import BUILT_IN, find_built_in
from core.errors import Conflict, FieldError, NotFound
from core.ids import new_id
from core.notification.accept import find_template
from core.notification.compose import check, compose, format_of
from core.store import audit
from core.store.notification import templates as store
from core.store.platform import decode_cursor, encode_cursor
from core.telemetry import correlation_id

router = new_router()


@router.post(
    "/templates",
    status_code=201,
    response_model=Template,
    summary="Create a template",
    description="409 `template_exists` for a name that is taken: PUT makes a new version of it.",
)
async def create_template(session: Session, caller: Manager, wanted: CreateTemplate, response: Response) -> Template:
    template = await _new_template(wanted, caller)
    if not await store.create(session, caller.tenant_id, template):
        problem = FieldError("name", "is taken", "template_exists")
        detail = f"There is a template {wanted.name} already: PUT {PREFIX}/templates/{wanted.name} makes a new version."
        raise Conflict(detail, code="template_exists", errors=[problem])
    await _audit(session, caller, template, "create")
    response.headers["Location"] = f"{PREFIX}/templates/{template.template_id}"
    return await _must_find(session, template.template_id)


async def _new_template(wanted: CreateTemplate, caller: Caller) -> Template:
    written = format_of(wanted.type, wanted.body, wanted.format)
    variables = await check(
        subject=wanted.subject, body=wanted.body, html=written is Format.HTML, declared=wanted.variables
    )
    return Template(
        template_id=new_id("tmpl"),
        **wanted.model_dump(include={"name", "type", "subject", "body"}),
        format=written,
        variables=variables,
        version=1,
        created_by=caller.user_id,
    )


async def _audit(session: AsyncSession, caller: Caller, template: Template, action: str) -> None:
    entry = AuditEntry(
        event_type=f"notification.template_{action}",
        actor_id=caller.user_id,
        action=action,
        resource_type="template",
        resource_id=template.template_id,
        metadata={"name": template.name, "version": template.version},
        correlation_id=correlation_id.get() or None,
    )
    await audit.append_entries(session, caller.tenant_id, [entry])


@router.get("/templates", response_model=Page[Template], summary="List templates by name, the built-in ones included")
async def list_templates(session: Session, _: Reader, page: PageOf) -> Page[Template]:
    cursor = decode_cursor(page.cursor, (str,))
    after: str = cursor[0] if cursor else ""
    own = await store.list_after(session, after, page.limit + 1)
    hidden = await store.names(session, [template.name for template in BUILT_IN])
    built_in = [template for template in BUILT_IN if template.name not in hidden and template.name > after]
    found = sorted([*own, *built_in], key=lambda template: template.name)
    shown = found[: page.limit]
    return Page(items=shown, next_cursor=encode_cursor(shown[-1].name) if len(found) > page.limit else None)


@router.get("/templates/{template}", response_model=Template, summary="A template by id or name")
async def get_template(
    session: Session,
    _: Reader,
    template: TemplateRef,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="the newest if left out")] = None,
) -> Template:
    return await _must_find(session, template, version)


async def _must_find(session: AsyncSession, template: str, version: int | None = None) -> Template:
    found = await find_template(session, template, version=version)
    if found is None:
        of_version = f" in version {version}" if version is not None else ""
        raise NotFound(f"There is no template {template}{of_version}.", code="template_not_found")
    return found


@router.put(
    "/templates/{template}",
    response_model=Template,
    summary="Make a new version of a template",
    description="Versions are never changed: what was sent keeps the one it had.",
)
async def update_template(session: Session, caller: Manager, template: TemplateRef, wanted: UpdateTemplate) -> Template:
    known = await store.find(session, template)
    if known is None and find_built_in(template):
        detail = f"{template} is built in: create a template of that name, and it takes its place."
        raise Conflict(detail, code="template_built_in")
    if known is None:
        raise NotFound(f"There is no template {template}: create it first.", code="template_not_found")
    written = format_of(known.type, wanted.body, wanted.format)
    variables = await check(
        subject=wanted.subject, body=wanted.body, html=written is Format.HTML, declared=wanted.variables
    )
    changed = {"subject": wanted.subject, "body": wanted.body, "format": written, "variables": variables}
    next_one = known.model_copy(update=changed | {"created_by": caller.user_id})
    renewed = await store.renew(session, caller.tenant_id, next_one)
    await _audit(session, caller, renewed, "update")
    return renewed


@router.post(
    "/templates/{template}/render",
    response_model=Rendered,
    summary="Preview a template",
    description="422 names variables that are missing or unknown. Nothing is sent.",
)
async def render_template(session: Session, _: Reader, template: TemplateRef, wanted: Render) -> Rendered:
    found = await _must_find(session, template)
    content = await compose(
        subject=found.subject,
        body=found.body,
        html=found.format is Format.HTML,
        variables=wanted.variables or {},
        declared=found.variables,
    )
    return Rendered(subject=content.subject, body=content.html or content.text, text=content.text, format=found.format)
