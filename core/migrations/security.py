"""Row-level security for a new table, the same for all."""

from alembic import op

APP_ROLE, PUMP_ROLE, ERASER_ROLE = "ops_app", "ops_pump", "ops_eraser"


def schema(name: str) -> None:
    """A schema both roles may enter; they own nothing in it."""
    op.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
    op.execute(f"GRANT USAGE ON SCHEMA {name} TO {APP_ROLE}, {PUMP_ROLE}")


def guard(table: str, *, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """The application role sees its tenant's rows only; the pumps' role sees all. An append-only table grants less."""
    name = table.replace(".", "_")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY {name}_tenant ON {table} TO {APP_ROLE} "
        "USING (tenant_id = current_setting('app.tenant', true)) "
        "WITH CHECK (tenant_id = current_setting('app.tenant', true))"
    )
    op.execute(f"CREATE POLICY {name}_pump ON {table} TO {PUMP_ROLE} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT {rights} ON {table} TO {APP_ROLE}, {PUMP_ROLE}")


def guard_pump_only(table: str) -> None:
    """A table without tenants that only pumps touch."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {table.replace('.', '_')}_pump ON {table} TO {PUMP_ROLE} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {PUMP_ROLE}")


def open_to_erasure(table: str, *, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """The eraser's role sees its tenant's rows, and only while an erasure that it names is approved and running."""
    op.execute(
        f"CREATE POLICY {table.replace('.', '_')}_erasure ON {table} TO {ERASER_ROLE} "
        "USING (tenant_id = current_setting('app.tenant', true) AND (SELECT compliance.erasing())) "
        "WITH CHECK (tenant_id = current_setting('app.tenant', true) AND (SELECT compliance.erasing()))"
    )
    op.execute(f"GRANT {rights} ON {table} TO {ERASER_ROLE}")
