"""Schema compliance: checks, batches with their items, reports, and counters a day."""

from alembic import op

from core.migrations.security import guard, schema

revision = "0006"
down_revision = "0005"

# checks.redacted is the only column that holds anything of a checked text for good, and only where the policy says so.
CHECKS = """
CREATE TABLE compliance.checks (
  check_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  batch_id text,
  status text NOT NULL,
  risk_level text NOT NULL,
  check_types text[] NOT NULL,
  entities text[] NOT NULL,
  results jsonb NOT NULL,
  spans jsonb NOT NULL,
  redacted text,
  policy text NOT NULL,
  policy_version integer NOT NULL,
  content_type text NOT NULL,
  content_hash text NOT NULL,
  content_length integer NOT NULL,
  checked_by text NOT NULL,
  correlation_id text,
  created_at timestamptz NOT NULL
);
CREATE INDEX checks_by_time ON compliance.checks (tenant_id, created_at, check_id);
CREATE INDEX checks_by_caller ON compliance.checks (tenant_id, checked_by, created_at, check_id);
CREATE INDEX checks_by_status ON compliance.checks (tenant_id, status, created_at, check_id);
CREATE INDEX checks_by_batch ON compliance.checks (batch_id) WHERE batch_id IS NOT NULL;

-- who '' is the whole tenant. Connections write to different shards, so busy ones do not wait for each other.
CREATE TABLE compliance.days (
  tenant_id text NOT NULL,
  who text NOT NULL,
  day date NOT NULL,
  figure text NOT NULL,
  word text NOT NULL,
  shard smallint NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (tenant_id, who, day, figure, word, shard)
);
"""

# batch_items.content is emptied in the transaction that writes the item's check, and when a batch is cancelled.
BATCHES = """
CREATE TABLE compliance.batches (
  batch_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  status text NOT NULL,
  check_types text[] NOT NULL,
  policy text NOT NULL,
  policy_version integer NOT NULL,
  total integer NOT NULL,
  failed integer NOT NULL,
  cancelled integer NOT NULL DEFAULT 0,
  by_status jsonb NOT NULL DEFAULT '{}',
  checked_by text NOT NULL,
  correlation_id text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX batches_by_time ON compliance.batches (tenant_id, created_at, batch_id);
CREATE TABLE compliance.batch_items (
  batch_id text NOT NULL REFERENCES compliance.batches,
  position integer NOT NULL,
  tenant_id text NOT NULL,
  item_id text,
  check_id text NOT NULL,
  status text NOT NULL,
  content text,
  error text,
  PRIMARY KEY (batch_id, position)
);
CREATE INDEX batch_items_pending ON compliance.batch_items (batch_id, position) WHERE status = 'pending';
"""

REPORTS = """
CREATE TABLE compliance.reports (
  report_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  report_type text NOT NULL,
  status text NOT NULL,
  period text,
  first_day date NOT NULL,
  last_day date NOT NULL,
  include_details boolean NOT NULL,
  requested_by text NOT NULL,
  only_of text,
  correlation_id text,
  result jsonb,
  html text,
  created_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz
);
CREATE INDEX reports_by_time ON compliance.reports (tenant_id, created_at, report_id);
"""


def upgrade() -> None:
    schema("compliance")
    for statements in (CHECKS, BATCHES, REPORTS):
        op.execute(statements)
    guard("compliance.checks", rights="SELECT, INSERT")
    for table in ("days", "batches", "batch_items", "reports"):
        guard(f"compliance.{table}", rights="SELECT, INSERT, UPDATE")
