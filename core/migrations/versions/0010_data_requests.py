"""Schema compliance: data-subject requests; the role that carries an approved erasure out (ADR 9)."""

from alembic import op

from core.migrations.security import ERASER_ROLE, guard, open_to_erasure

revision = "0010"
down_revision = "0009"

TABLES = """
CREATE TABLE compliance.data_requests (
  request_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  kind text NOT NULL,
  status text NOT NULL,
  subject text NOT NULL,
  alias text NOT NULL,
  email_addresses text[] NOT NULL,
  phone_numbers text[] NOT NULL,
  reason text,
  reference text,
  requested_by text NOT NULL,
  four_eyes boolean NOT NULL,
  decided_by text,
  note text,
  correlation_id text,
  due_at timestamptz NOT NULL,
  reminded_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  decided_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  artifact_bytes bigint,
  expires_at timestamptz
);
CREATE INDEX data_requests_by_time ON compliance.data_requests (tenant_id, created_at, request_id);
CREATE INDEX data_requests_by_subject ON compliance.data_requests (tenant_id, subject, created_at, request_id);
CREATE UNIQUE INDEX data_requests_open ON compliance.data_requests (tenant_id, kind, subject)
  WHERE status IN ('pending', 'approved', 'running');
CREATE INDEX data_requests_expiring ON compliance.data_requests (expires_at)
  WHERE status = 'completed' AND expires_at IS NOT NULL;
CREATE TABLE compliance.data_request_steps (
  request_id text NOT NULL REFERENCES compliance.data_requests,
  service text NOT NULL,
  tenant_id text NOT NULL,
  status text NOT NULL,
  place jsonb NOT NULL,
  revision integer NOT NULL DEFAULT 0,
  chunks integer NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  counts jsonb NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (request_id, service)
);
CREATE TABLE compliance.data_request_chunks (
  request_id text NOT NULL REFERENCES compliance.data_requests,
  part text NOT NULL,
  number integer NOT NULL,
  tenant_id text NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (request_id, part, number)
);
"""

# What an erasure may do beyond reading, changing and deleting. The append-only logs: only columns that name a person.
RIGHTS = {
    "audit.events": "SELECT, INSERT, UPDATE (actor_id, resource_id, metadata)",
    "audit.alert_moves": "SELECT, UPDATE (moved_by, note)",
    "audit.report_documents": "SELECT, UPDATE (content)",
    "event.events": "SELECT, INSERT, UPDATE (published_by, payload)",
    "event.delivery_attempts": "SELECT, UPDATE (error, response)",
    "notification.template_versions": "SELECT, UPDATE (created_by)",
    "notification.contents": "SELECT, UPDATE (subject, body, html)",
    "notification.attempts": "SELECT, UPDATE (provider_message_id, error_message)",
    "compliance.checks": "SELECT, UPDATE (checked_by, redacted, content_hash)",
    "compliance.review_steps": "SELECT, UPDATE (by, note, told)",
    "compliance.review_labels": "SELECT, UPDATE (decided_by)",
    "compliance.policy_versions": "SELECT, UPDATE (created_by)",
}
SCHEMAS = ("audit", "notification", "task", "compliance", "event")

ROLE = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ERASER_ROLE}') THEN CREATE ROLE {ERASER_ROLE} NOLOGIN; END IF;
  EXECUTE format('GRANT {ERASER_ROLE} TO %I', current_user);
END $$;
CREATE FUNCTION compliance.erasing() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM compliance.data_requests WHERE request_id = current_setting('app.erasure', true)
      AND tenant_id = current_setting('app.tenant', true) AND kind = 'erase' AND status = 'running'
  )
$$;
"""


def upgrade() -> None:
    op.execute(TABLES)
    guard("compliance.data_requests", rights="SELECT, INSERT, UPDATE")
    guard("compliance.data_request_steps", rights="SELECT, INSERT, UPDATE")
    guard("compliance.data_request_chunks", rights="SELECT, INSERT, DELETE")
    op.execute(ROLE)
    op.execute(
        f"CREATE POLICY compliance_data_requests_erasure ON compliance.data_requests TO {ERASER_ROLE} "
        "USING (tenant_id = current_setting('app.tenant', true))"
    )
    op.execute(f"GRANT SELECT, UPDATE ON compliance.data_requests TO {ERASER_ROLE}")
    op.execute(f"GRANT USAGE ON SCHEMA ops, {', '.join(SCHEMAS)} TO {ERASER_ROLE}")
    for table in _tables():
        open_to_erasure(table, rights=RIGHTS.get(table, "SELECT, INSERT, UPDATE, DELETE"))
    # the pumps' cursors are locked while counters of a person move, so that no pump adds to them meanwhile
    op.execute(f"GRANT SELECT, UPDATE ON ops.cursors TO {ERASER_ROLE}")
    op.execute(f"CREATE POLICY ops_cursors_erasure ON ops.cursors TO {ERASER_ROLE} USING (compliance.erasing())")


def _tables() -> list[str]:
    found = op.get_bind().exec_driver_sql(
        "SELECT schemaname || '.' || tablename FROM pg_tables "
        f"WHERE schemaname IN {SCHEMAS} AND tablename <> 'data_requests' ORDER BY 1"
    )
    return [row[0] for row in found]
