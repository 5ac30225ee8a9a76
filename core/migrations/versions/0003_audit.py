"""Schema audit: the append-only log with its roll-up, security alerts with their moves, compliance reports."""

from alembic import op

from core.migrations.security import APP_ROLE, guard, schema

revision = "0003"
down_revision = "0002"

# event_type and actor_id compare byte by byte, so that `user.*` is a range of the index.
LOG = """
CREATE TABLE audit.events (
  event_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  category text NOT NULL,
  severity text NOT NULL,
  outcome text NOT NULL,
  actor_id text COLLATE "C" NOT NULL,
  resource_type text,
  resource_id text,
  action text,
  metadata jsonb NOT NULL,
  correlation_id text,
  causation_id text,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  seq bigint GENERATED ALWAYS AS IDENTITY,
  xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX events_log ON audit.events (xid, seq);
CREATE INDEX events_by_time ON audit.events (tenant_id, occurred_at, event_id);
CREATE INDEX events_by_actor ON audit.events (tenant_id, actor_id, occurred_at, event_id);
CREATE INDEX events_by_type ON audit.events (tenant_id, event_type, occurred_at, event_id);
CREATE INDEX events_by_resource ON audit.events (tenant_id, resource_id, occurred_at, event_id)
  WHERE resource_id IS NOT NULL;
CREATE INDEX events_by_correlation ON audit.events (tenant_id, correlation_id, occurred_at, event_id)
  WHERE correlation_id IS NOT NULL;
CREATE INDEX events_grave ON audit.events (tenant_id, severity, occurred_at, event_id)
  WHERE severity IN ('high', 'critical');

CREATE TABLE audit.totals (
  tenant_id text NOT NULL,
  actor_id text COLLATE "C" NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  events bigint NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, actor_id, event_type)
);
"""

ALERTS = """
CREATE TABLE audit.alerts (
  alert_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  alert_type text NOT NULL,
  severity text NOT NULL,
  status text NOT NULL,
  user_id text,
  description text NOT NULL,
  metadata jsonb NOT NULL,
  correlation_id text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz
);
CREATE INDEX alerts_by_time ON audit.alerts (tenant_id, created_at, alert_id);
CREATE INDEX alerts_by_status ON audit.alerts (tenant_id, status, created_at, alert_id);
CREATE INDEX alerts_by_user ON audit.alerts (tenant_id, user_id, created_at, alert_id);

CREATE TABLE audit.alert_moves (
  alert_id text NOT NULL REFERENCES audit.alerts,
  number integer NOT NULL,
  tenant_id text NOT NULL,
  from_status text,
  to_status text NOT NULL,
  moved_by text NOT NULL,
  note text,
  moved_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (alert_id, number)
);
"""

REPORTS = """
CREATE TABLE audit.reports (
  report_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  standard text NOT NULL,
  period_start timestamptz NOT NULL,
  period_end timestamptz NOT NULL,
  include_details boolean NOT NULL,
  status text NOT NULL,
  requested_by text NOT NULL,
  correlation_id text,
  created_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz,
  failure jsonb,
  result jsonb
);
CREATE INDEX reports_by_time ON audit.reports (tenant_id, created_at, report_id);

CREATE TABLE audit.report_documents (
  report_id text NOT NULL REFERENCES audit.reports,
  format text NOT NULL,
  tenant_id text NOT NULL,
  content text NOT NULL,
  PRIMARY KEY (report_id, format)
);
"""


def upgrade() -> None:
    schema("audit")
    for statements in (LOG, ALERTS, REPORTS):
        op.execute(statements)
    guard("audit.events", rights="SELECT, INSERT")
    guard("audit.totals", rights="SELECT, INSERT, UPDATE")
    guard("audit.alerts", rights="SELECT, INSERT, UPDATE")
    guard("audit.alert_moves", rights="SELECT, INSERT")
    guard("audit.reports", rights="SELECT, INSERT, UPDATE")
    guard("audit.report_documents", rights="SELECT, INSERT")
    op.execute(f"REVOKE INSERT, UPDATE ON audit.totals FROM {APP_ROLE}")
