"""Schema event: the log, roll-ups, replays, subscriptions, deliveries and their attempts."""

from alembic import op

from core.migrations.security import guard, schema

revision = "0002"
down_revision = "0001"

EVENTS = """
CREATE TABLE event.events (
  event_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  stream text NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  category text NOT NULL,
  source text NOT NULL,
  payload jsonb NOT NULL,
  published_by text NOT NULL,
  correlation_id text,
  causation_id text,
  occurred_at timestamptz NOT NULL,
  published_at timestamptz NOT NULL,
  replayed_from text COLLATE "C",
  seq bigint GENERATED ALWAYS AS IDENTITY,
  xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX events_by_time ON event.events (tenant_id, stream, occurred_at, event_id);
CREATE INDEX events_by_type ON event.events (tenant_id, event_type, occurred_at);
CREATE INDEX events_by_publisher ON event.events (tenant_id, published_by, occurred_at);
CREATE INDEX events_by_correlation ON event.events (tenant_id, correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX events_by_commit ON event.events (xid, seq);
CREATE UNIQUE INDEX events_replayed_once ON event.events (tenant_id, stream, replayed_from)
  WHERE replayed_from IS NOT NULL;
"""

ROLLUPS = """
CREATE TABLE event.rollups (
  tenant_id text NOT NULL,
  published_by text NOT NULL,
  day date NOT NULL,
  category text NOT NULL,
  event_type text NOT NULL,
  total bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, published_by, day, category, event_type)
);
CREATE TABLE event.lags (
  tenant_id text PRIMARY KEY,
  lag_ms bigint NOT NULL DEFAULT 0,
  measured_at timestamptz NOT NULL
);
"""

REPLAYS = """
CREATE TABLE event.replays (
  replay_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'cancelled')),
  from_timestamp timestamptz NOT NULL,
  to_timestamp timestamptz NOT NULL,
  event_types text[] NOT NULL,
  source_stream text NOT NULL,
  target_stream text NOT NULL,
  total bigint,
  copied bigint NOT NULL DEFAULT 0,
  skipped bigint NOT NULL DEFAULT 0,
  reached_at timestamptz,
  reached_id text COLLATE "C",
  requested_by text NOT NULL,
  correlation_id text,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz
);
CREATE INDEX replays_by_tenant ON event.replays (tenant_id, replay_id);
"""

SUBSCRIPTIONS = """
CREATE TABLE event.subscriptions (
  subscription_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  status text NOT NULL CHECK (status IN ('active', 'paused', 'deleted')),
  status_reason text,
  event_types text[] NOT NULL,
  stream text NOT NULL,
  delivery_type text NOT NULL,
  webhook_url text NOT NULL,
  description text,
  secret bytea NOT NULL,
  old_secret bytea,
  old_secret_until timestamptz,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX subscriptions_by_tenant ON event.subscriptions (tenant_id, subscription_id);
"""

DELIVERIES = """
CREATE TABLE event.deliveries (
  delivery_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('subscription', 'notification')),
  subscription_id text COLLATE "C",
  event_id text COLLATE "C",
  reference text,
  event_type text NOT NULL,
  url text NOT NULL,
  body jsonb,
  status text NOT NULL CHECK (status IN ('pending', 'delivered', 'retrying', 'failed', 'cancelled')),
  attempts bigint NOT NULL DEFAULT 0,
  round bigint NOT NULL DEFAULT 0,
  status_code integer,
  error text,
  leased_until timestamptz,
  next_attempt_at timestamptz,
  created_at timestamptz NOT NULL,
  finished_at timestamptz
);
CREATE INDEX deliveries_by_subscription ON event.deliveries (tenant_id, subscription_id, delivery_id);
CREATE INDEX deliveries_waiting ON event.deliveries (subscription_id, delivery_id)
  WHERE status = 'pending' AND kind = 'subscription';
CREATE TABLE event.delivery_attempts (
  delivery_id text COLLATE "C" NOT NULL,
  attempt integer NOT NULL,
  tenant_id text NOT NULL,
  status text NOT NULL,
  status_code integer,
  latency_ms integer NOT NULL,
  error text,
  response text,
  attempted_at timestamptz NOT NULL,
  PRIMARY KEY (delivery_id, attempt)
);
"""

# Postgres has row rights per column, not per row: the log is append-only for both roles.
APPEND_ONLY = "SELECT, INSERT"


def upgrade() -> None:
    schema("event")
    for tables in (EVENTS, ROLLUPS, REPLAYS, SUBSCRIPTIONS, DELIVERIES):
        op.execute(tables)
    guard("event.events", rights=APPEND_ONLY)
    guard("event.delivery_attempts", rights=APPEND_ONLY)
    for name in ("rollups", "lags", "replays", "subscriptions", "deliveries"):
        guard(f"event.{name}", rights="SELECT, INSERT, UPDATE")
