"""The tables as code and the database as migrated are the same; every table is guarded."""

import importlib
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import String, create_engine, text
from sqlmodel import AutoString, SQLModel

from core.db import APP_ROLE, Database, driver_url

SCHEMAS = ("ops", "event", "audit", "notification", "task", "compliance")


def _rows(url: str, query: str) -> list[Any]:
    with create_engine(driver_url(url)).connect() as connection:
        return list(connection.execute(text(query)))


def _differs(_context: Any, _column: Any, _there: Any, database_type: Any, code_type: Any) -> bool | None:
    """SQLModel's strings are text in Postgres; everything else is compared as Alembic does."""
    return False if isinstance(database_type, String) and isinstance(code_type, AutoString) else None


def test_tables_and_migrations_agree(database_url: str) -> None:
    for name in ("platform", *SCHEMAS[1:]):
        importlib.import_module(f"core.tables.{name}")
    options = {
        "include_schemas": True,
        "compare_type": _differs,
        "include_name": lambda name, kind, _: kind != "schema" or name in SCHEMAS,
    }
    with create_engine(driver_url(database_url)).connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        differences = [str(found) for found in compare_metadata(context, SQLModel.metadata)]
    assert not differences, "\n".join(differences)


def test_every_table_has_row_level_security(database_url: str) -> None:
    bare = _rows(
        database_url,
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.relkind IN ('r', 'p') AND n.nspname IN {SCHEMAS} AND NOT c.relrowsecurity",
    )
    assert not bare


def test_every_table_names_its_tenant(database_url: str) -> None:
    bare = _rows(
        database_url,
        f"SELECT table_schema || '.' || table_name FROM information_schema.tables t WHERE table_schema IN {SCHEMAS} "
        "AND table_type = 'BASE TABLE' AND NOT EXISTS (SELECT FROM information_schema.columns c WHERE "
        "c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.column_name = 'tenant_id')",
    )
    assert [row[0] for row in bare] == ["ops.cursors"]  # a pump's place in its log belongs to no tenant


def test_the_application_role_owns_nothing(database_url: str) -> None:
    owned = _rows(database_url, f"SELECT tablename FROM pg_tables WHERE tableowner = '{APP_ROLE}'")
    assert not owned


async def test_without_a_tenant_the_application_role_sees_no_rows(database: Database, tenant: str) -> None:
    async with database.begin("") as session:
        seen = await (await session.connection()).execute(text("SELECT count(*) FROM ops.intents"))
        assert seen.scalar() == 0
