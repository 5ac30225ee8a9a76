"""Where users are reached, and the devices of theirs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.notification import Platform
from core.ids import new_id
from core.tables.notification import PushRow, RecipientRow


async def put(
    session: AsyncSession, tenant_id: str, user_id: str, *, addresses: dict[str, Any], preferences: dict[str, bool]
) -> RowMapping:
    """Replace the addresses; lay the preferences over those there are."""
    values = {"tenant_id": tenant_id, "user_id": user_id, **addresses, "preferences": preferences}
    statement = insert(RecipientRow).values(values)
    merged = col(RecipientRow.preferences).op("||")(statement.excluded.preferences)
    changed = {**addresses, "preferences": merged, "updated_at": func.now()}
    statement = statement.on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=changed)
    return (await (await session.connection()).execute(statement.returning(RecipientRow))).mappings().one()


async def find(session: AsyncSession, tenant_id: str, user_id: str) -> RecipientRow | None:
    """What is known of a user."""
    return await session.get(RecipientRow, (tenant_id, user_id))


async def subscribe(
    session: AsyncSession, tenant_id: str, user_id: str, *, device_id: str, token: str, platform: Platform
) -> RowMapping:
    """A device of a user, with its newest token. A token reaches one device: whoever had it before has it no more."""
    elsewhere = (
        delete(PushRow)
        .where(func.md5(col(PushRow.device_token)) == func.md5(token), col(PushRow.device_token) == token)
        .where((col(PushRow.user_id) != user_id) | (col(PushRow.device_id) != device_id))
    )
    await session.exec(elsewhere)
    newest = {"device_token": token, "platform": platform.value, "active": True}
    values = {"subscription_id": new_id("push"), "tenant_id": tenant_id, "user_id": user_id, "device_id": device_id}
    statement = insert(PushRow).values(values | newest)
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "user_id", "device_id"], set_=newest | {"updated_at": func.now()}
    )
    return (await (await session.connection()).execute(statement.returning(PushRow))).mappings().one()


async def unsubscribe(session: AsyncSession, subscription_id: str, *, user_id: str | None) -> bool:
    """Forget a device, of this user where one is given; False if there is none."""
    statement = delete(PushRow).where(col(PushRow.subscription_id) == subscription_id)
    if user_id is not None:
        statement = statement.where(col(PushRow.user_id) == user_id)
    return bool((await session.exec(statement)).rowcount)


async def tokens_of(session: AsyncSession, user_ids: Sequence[str]) -> dict[str, list[str]]:
    """The tokens that reach these users' devices."""
    query = (
        select(PushRow.user_id, PushRow.device_token)
        .where(col(PushRow.user_id).in_(user_ids), col(PushRow.active))
        .order_by(col(PushRow.subscription_id))
    )
    found: dict[str, list[str]] = {}
    for user_id, token in (await session.exec(query)).all():
        found.setdefault(user_id, []).append(token)
    return found


async def deactivate(session: AsyncSession, tokens: Sequence[str]) -> None:
    """These tokens are dead, the provider says."""
    statement = update(PushRow).where(
        func.md5(col(PushRow.device_token)).in_([func.md5(token) for token in tokens]),
        col(PushRow.device_token).in_(tokens),
    )
    await session.exec(statement.values(active=False, updated_at=func.now()))
