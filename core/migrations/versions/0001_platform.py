"""Roles, and schema ops: intents, idempotency keys, cursors."""

from alembic import op

from core.migrations.security import APP_ROLE, PUMP_ROLE, guard, guard_pump_only, schema

revision = "0001"
down_revision = None

ROLES = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN CREATE ROLE {APP_ROLE} NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{PUMP_ROLE}') THEN CREATE ROLE {PUMP_ROLE} NOLOGIN; END IF;
  EXECUTE format('GRANT {APP_ROLE}, {PUMP_ROLE} TO %I', current_user);
END $$
"""

TABLES = """
CREATE TABLE ops.intents (
  intent_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  intent jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX intents_by_age ON ops.intents (created_at);
CREATE TABLE ops.idempotency_keys (
  key_hash text PRIMARY KEY,
  tenant_id text NOT NULL,
  body_hash text NOT NULL,
  status integer NOT NULL,
  headers jsonb NOT NULL,
  body bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotency_keys_by_age ON ops.idempotency_keys (created_at);
CREATE TABLE ops.cursors (
  name text PRIMARY KEY,
  xid bigint NOT NULL,
  seq bigint NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    op.execute(ROLES)
    schema("ops")
    op.execute(TABLES)
    guard("ops.intents")
    guard("ops.idempotency_keys")
    guard_pump_only("ops.cursors")
    op.execute(f"GRANT SELECT ON ops.cursors TO {APP_ROLE}")
    op.execute(f"CREATE POLICY ops_cursors_read ON ops.cursors FOR SELECT TO {APP_ROLE} USING (true)")
