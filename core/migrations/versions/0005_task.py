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

STATUSES = ("pending", "scheduled", "running", "completed", "failed", "cancelled")
ENDS = ("completed", "failed", "cancelled")


def added(table: str, key: tuple[str, ...], names: tuple[str, ...], changes: str) -> str:
    """Add `changes` (tenant_id, owner_id, type, status, change) to the counters of the owner and of the tenant.

    Counters are locked in the order of their keys, so two transactions that move many tasks cannot wait for each other.
    """
    computed = {"owner_id": "who", "day": "(now() AT TIME ZONE 'UTC')::date", "shard": "pg_backend_pid() % 8"}
    keys = ", ".join(computed.get(name, name) for name in key)
    sums = ", ".join(f"coalesce(sum(change) FILTER (WHERE status = '{name}'), 0)" for name in names)
    sets = ", ".join(f"{name} = counted.{name} + EXCLUDED.{name}" for name in names)
    return f"""
  INSERT INTO {table} AS counted ({", ".join((*key, *names))})
  SELECT {keys}, {sums}
  FROM ({changes}) AS changes, unnest(ARRAY[owner_id, '']) AS who
  GROUP BY tenant_id, who, type ORDER BY tenant_id, who, type
  ON CONFLICT ({", ".join(key)}) DO UPDATE SET {sets};
"""


TOTALS = ("task.totals", ("tenant_id", "owner_id", "type", "shard"), STATUSES)
DAYS = ("task.days", ("tenant_id", "owner_id", "day", "type", "shard"), ("created", *ENDS))
NEW = "SELECT tenant_id, owner_id, type, status, 1 AS change FROM new_tasks"
CREATED = "SELECT tenant_id, owner_id, type, 'created' AS status, 1 AS change FROM new_tasks"
CAME = """SELECT n.tenant_id, n.owner_id, n.type, n.status, 1 AS change
    FROM new_tasks AS n JOIN old_tasks AS o USING (task_id) WHERE n.status <> o.status"""
LEFT = CAME.replace("n.status, 1", "o.status, -1")
COUNTING = f"""
CREATE FUNCTION task.count_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN{added(*TOTALS, NEW)}{added(*DAYS, CREATED)}
  RETURN NULL;
END $$;
CREATE FUNCTION task.count_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN{added(*TOTALS, f"{CAME} UNION ALL {LEFT}")}{added(*DAYS, f"{CAME} AND n.status IN {ENDS}")}
  RETURN NULL;
END $$;
CREATE TRIGGER count_new AFTER INSERT ON task.tasks REFERENCING NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION task.count_new();
CREATE TRIGGER count_moves AFTER UPDATE ON task.tasks REFERENCING OLD TABLE AS old_tasks NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION task.count_moves();
"""


def upgrade() -> None:
    schema("task")
    op.execute(TABLES)
    op.execute(COUNTING)
    guard("task.tasks", rights="SELECT, INSERT, UPDATE")
    guard("task.executions", rights="SELECT, INSERT, UPDATE")
    guard("task.totals", rights="SELECT, INSERT, UPDATE")
    guard("task.days", rights="SELECT, INSERT, UPDATE")
