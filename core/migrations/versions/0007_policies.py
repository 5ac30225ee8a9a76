"""Schema compliance: policies with their versions, assignments, re-scores; checks say which policy, and why."""

from alembic import op

from core.migrations.security import guard

revision = "0007"
down_revision = "0006"

POLICIES = """
CREATE TABLE compliance.policies (
  tenant_id text NOT NULL,
  name text NOT NULL,
  version integer NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  PRIMARY KEY (tenant_id, name)
);
CREATE TABLE compliance.policy_versions (
  tenant_id text NOT NULL,
  name text NOT NULL,
  version integer NOT NULL,
  document jsonb NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, name, version)
);
-- subject '' with scope 'tenant'
CREATE TABLE compliance.policy_assignments (
  tenant_id text NOT NULL,
  scope text NOT NULL,
  subject text NOT NULL,
  policy text NOT NULL,
  assigned_by text NOT NULL,
  assigned_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, scope, subject)
);
"""

# place_time and place_id: the last check judged again, newest first; NULL before the first.
RESCORES = """
CREATE TABLE compliance.rescores (
  rescore_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  status text NOT NULL,
  policy text,
  policy_version integer,
  draft jsonb,
  run_detectors boolean NOT NULL,
  of_policy text,
  since timestamptz,
  until timestamptz,
  "limit" integer NOT NULL,
  examples integer NOT NULL,
  total integer NOT NULL,
  result jsonb NOT NULL,
  place_time timestamptz,
  place_id text,
  requested_by text NOT NULL,
  correlation_id text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX rescores_by_time ON compliance.rescores (tenant_id, created_at, rescore_id);
"""

# A check's findings are used again for the same content under the same policy: checks_by_content finds them.
CHECKS = """
ALTER TABLE compliance.checks
  ADD COLUMN category text,
  ADD COLUMN policy_source text NOT NULL DEFAULT 'request',
  ADD COLUMN reasons text[] NOT NULL DEFAULT '{}',
  ADD COLUMN cached_from text,
  ADD COLUMN cached_age_seconds double precision;
CREATE INDEX checks_by_content ON compliance.checks (tenant_id, content_hash, created_at);
CREATE INDEX checks_with_redacted ON compliance.checks (tenant_id, created_at, check_id) WHERE redacted IS NOT NULL;
"""


def upgrade() -> None:
    for statements in (POLICIES, RESCORES, CHECKS):
        op.execute(statements)
    guard("compliance.policies", rights="SELECT, INSERT, UPDATE")
    guard("compliance.policy_versions", rights="SELECT, INSERT")
    guard("compliance.policy_assignments")
    guard("compliance.rescores", rights="SELECT, INSERT, UPDATE")
