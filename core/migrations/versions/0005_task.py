"""Schema task: tasks, their executions, and counters kept by trigger in the transaction of each change."""

from alembic import op

from core.migrations.security import guard, schema

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE task.tasks (
  task_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  owner_id text NOT NULL,
  name text NOT NULL,
  type text NOT NULL,
  priority text NOT NULL,
  status text NOT NULL,
  payload jsonb NOT NULL,
  scheduled_at timestamptz,
  timeout_seconds integer,
  max_attempts integer NOT NULL,
  execution_id text NOT NULL,
  executions integer NOT NULL,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tasks_by_time ON task.tasks (tenant_id, created_at, task_id);
CREATE INDEX tasks_by_owner ON task.tasks (tenant_id, owner_id, created_at, task_id);
CREATE INDEX tasks_by_status ON task.tasks (tenant_id, status, created_at, task_id);
CREATE INDEX tasks_by_type ON task.tasks (tenant_id, type, created_at, task_id);
CREATE INDEX tasks_by_name ON task.tasks (tenant_id, name, created_at, task_id);

CREATE TABLE task.executions (
  execution_id text PRIMARY KEY,
  tenant_id text NOT NULL,
  task_id text NOT NULL REFERENCES task.tasks,
  owner_id text NOT NULL,
  type text NOT NULL,
  number integer NOT NULL,
  status text NOT NULL,
  progress double precision NOT NULL DEFAULT 0,
  message text,
  queued_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  completed_at timestamptz,
  attempt integer NOT NULL DEFAULT 0,
  attempt_started_at timestamptz,
  worker text,
  failures jsonb NOT NULL DEFAULT '[]',
  result jsonb,
  error jsonb
);
CREATE UNIQUE INDEX executions_by_number ON task.executions (task_id, number);
CREATE INDEX executions_done ON task.executions (tenant_id, completed_at) WHERE status = 'completed';
CREATE INDEX executions_done_by_type ON task.executions (tenant_id, type, completed_at) WHERE status = 'completed';
CREATE INDEX executions_done_by_owner ON task.executions (tenant_id, owner_id, completed_at) WHERE status = 'completed';

-- owner_id '' is the whole tenant. Connections write to different shards, so busy ones do not wait for each other.
CREATE TABLE task.totals (
  tenant_id text NOT NULL,
  owner_id text NOT NULL,
  type text NOT NULL,
  shard smallint NOT NULL,
  pending bigint NOT NULL,
  scheduled bigint NOT NULL,
  running bigint NOT NULL,
  completed bigint NOT NULL,
  failed bigint NOT NULL,
  cancelled bigint NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, type, shard)
);
CREATE TABLE task.days (
  tenant_id text NOT NULL,
  owner_id text NOT NULL,
  day date NOT NULL,
  type text NOT NULL,
  shard smallint NOT NULL,
  created bigint NOT NULL,
  completed bigint NOT NULL,
  failed bigint NOT NULL,
  cancelled bigint NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, day, type, shard)
);
"""

COUNTING = """
CREATE FUNCTION task.count_task() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  was text := CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END;
  mine smallint := pg_backend_pid() % 8;
BEGIN
  INSERT INTO task.totals AS t
  SELECT NEW.tenant_id, who, NEW.type, mine,
    (NEW.status = 'pending')::int - (was = 'pending')::int,
    (NEW.status = 'scheduled')::int - (was = 'scheduled')::int,
    (NEW.status = 'running')::int - (was = 'running')::int,
    (NEW.status = 'completed')::int - (was = 'completed')::int,
    (NEW.status = 'failed')::int - (was = 'failed')::int,
    (NEW.status = 'cancelled')::int - (was = 'cancelled')::int
  FROM unnest(ARRAY[NEW.owner_id, '']) AS who
  ON CONFLICT (tenant_id, owner_id, type, shard) DO UPDATE SET
    pending = t.pending + EXCLUDED.pending,
    scheduled = t.scheduled + EXCLUDED.scheduled,
    running = t.running + EXCLUDED.running,
    completed = t.completed + EXCLUDED.completed,
    failed = t.failed + EXCLUDED.failed,
    cancelled = t.cancelled + EXCLUDED.cancelled;
  IF TG_OP = 'INSERT' OR NEW.status IN ('completed', 'failed', 'cancelled') THEN
    INSERT INTO task.days AS d
    SELECT NEW.tenant_id, who, (now() AT TIME ZONE 'UTC')::date, NEW.type, mine,
      (TG_OP = 'INSERT')::int,
      (NEW.status = 'completed')::int, (NEW.status = 'failed')::int, (NEW.status = 'cancelled')::int
    FROM unnest(ARRAY[NEW.owner_id, '']) AS who
    ON CONFLICT (tenant_id, owner_id, day, type, shard) DO UPDATE SET
      created = d.created + EXCLUDED.created,
      completed = d.completed + EXCLUDED.completed,
      failed = d.failed + EXCLUDED.failed,
      cancelled = d.cancelled + EXCLUDED.cancelled;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER count_new AFTER INSERT ON task.tasks FOR EACH ROW EXECUTE FUNCTION task.count_task();
CREATE TRIGGER count_move AFTER UPDATE OF status ON task.tasks FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION task.count_task();
"""


def upgrade() -> None:
    schema("task")
    op.execute(TABLES)
    op.execute(COUNTING)
    guard("task.tasks", rights="SELECT, INSERT, UPDATE")
    guard("task.executions", rights="SELECT, INSERT, UPDATE")
    guard("task.totals", rights="SELECT, INSERT, UPDATE")
    guard("task.days", rights="SELECT, INSERT, UPDATE")
