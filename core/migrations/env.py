"""Alembic's entry: one connection, one transaction, a lock timeout so a migration never stops the traffic."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from core.migrations import VERSION_TABLE

MIGRATION_LOCK = 7_205_230  # any constant: two processes that start together migrate one after the other


def run() -> None:
    """Upgrade over one synchronous connection."""
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.commit()
        context.configure(connection=connection, transaction_per_migration=True, version_table=VERSION_TABLE)
        with context.begin_transaction():
            context.run_migrations()


run()
