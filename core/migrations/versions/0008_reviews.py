"""Schema compliance: reviews with their steps and labels, and counters a day."""

from alembic import op

from core.migrations.security import guard

revision = "0008"
down_revision = "0007"

REVIEWS = """
CREATE TABLE compliance.reviews (
  review_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  check_id text NOT NULL,
  status text NOT NULL,
  check_types text[] NOT NULL,
  risk_level text NOT NULL,
  policy text NOT NULL,
  policy_version integer NOT NULL,
  checked_by text NOT NULL,
  content_hash text NOT NULL,
  second_reviewer boolean NOT NULL,
  reviewers text[] NOT NULL,
  escalate_to text[] NOT NULL,
  votes jsonb NOT NULL DEFAULT '[]',
  claimed_by text,
  claimed_at timestamptz,
  claim_expires_at timestamptz,
  escalated_at timestamptz,
  revision integer NOT NULL,
  nudged smallint NOT NULL DEFAULT 0,
  opened_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  decided_by text,
  decided_at timestamptz,
  correlation_id text
);
CREATE UNIQUE INDEX reviews_by_check ON compliance.reviews (check_id);
CREATE INDEX reviews_by_time ON compliance.reviews (tenant_id, opened_at, review_id);
CREATE INDEX reviews_due ON compliance.reviews (tenant_id, due_at, review_id) WHERE decided_at IS NULL;
CREATE INDEX reviews_by_claimer ON compliance.reviews (tenant_id, claimed_by) WHERE claimed_by IS NOT NULL;

CREATE TABLE compliance.review_steps (
  review_id text NOT NULL REFERENCES compliance.reviews,
  position integer NOT NULL,
  tenant_id text NOT NULL,
  kind text NOT NULL,
  by text,
  note text,
  told jsonb,
  move_id text,
  at timestamptz NOT NULL,
  PRIMARY KEY (review_id, position)
);

CREATE TABLE compliance.review_labels (
  review_id text NOT NULL REFERENCES compliance.reviews,
  check_type text NOT NULL,
  tenant_id text NOT NULL,
  check_id text NOT NULL,
  detector text,
  detector_version text,
  score double precision,
  flagged boolean NOT NULL,
  "right" boolean NOT NULL,
  given boolean NOT NULL,
  decision text NOT NULL,
  decided_by text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (review_id, check_type)
);
CREATE INDEX review_labels_by_time ON compliance.review_labels (tenant_id, at, review_id, check_type);
"""

# Connections write to different shards, so busy ones do not wait for each other. What waits now is counted under the
# day 1970-01-01: one more with each review that opens, one less with each that is decided.
DAYS = """
CREATE TABLE compliance.review_days (
  tenant_id text NOT NULL,
  day date NOT NULL,
  figure text NOT NULL,
  word text NOT NULL,
  shard smallint NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (tenant_id, day, figure, word, shard)
);
"""


def upgrade() -> None:
    for statements in (REVIEWS, DAYS):
        op.execute(statements)
    for table in ("review_steps", "review_labels"):
        guard(f"compliance.{table}", rights="SELECT, INSERT")
    for table in ("reviews", "review_days"):
        guard(f"compliance.{table}", rights="SELECT, INSERT, UPDATE")
