"""Schema notification: templates and their versions, recipients, devices, messages by channel, attempts, the centre."""

from alembic import op

from core.migrations.security import guard, schema

revision = "0004"
down_revision = "0003"

WRITING = """
CREATE TABLE notification.templates (
  template_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  name text COLLATE "C" NOT NULL,
  type text NOT NULL,
  version integer NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX templates_by_name ON notification.templates (tenant_id, name);

CREATE TABLE notification.template_versions (
  template_id text COLLATE "C" NOT NULL REFERENCES notification.templates,
  version integer NOT NULL,
  tenant_id text NOT NULL,
  subject text,
  body text NOT NULL,
  format text NOT NULL,
  variables text[] NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (template_id, version)
);

-- what was rendered, once for all recipients of a batch
CREATE TABLE notification.contents (
  content_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  subject text,
  body text NOT NULL,
  html text,
  created_at timestamptz NOT NULL DEFAULT now()
);
"""

RECIPIENTS = """
CREATE TABLE notification.recipients (
  tenant_id text NOT NULL,
  user_id text NOT NULL,
  email text,
  phone text,
  locale text,
  timezone text,
  webhook_url text,
  preferences jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id)
);

CREATE TABLE notification.push_subscriptions (
  subscription_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  user_id text NOT NULL,
  device_id text NOT NULL,
  device_token text NOT NULL,
  platform text NOT NULL,
  active boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX push_by_device ON notification.push_subscriptions (tenant_id, user_id, device_id);
CREATE INDEX push_by_token ON notification.push_subscriptions (tenant_id, md5(device_token));
"""

MESSAGES = """
CREATE TABLE notification.batches (
  batch_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  status text NOT NULL,
  template_id text,
  template_version integer,
  content_id text COLLATE "C" NOT NULL REFERENCES notification.contents,
  channels text[] NOT NULL,
  priority text NOT NULL,
  user_ids text[] NOT NULL,
  total integer NOT NULL,
  requested_by text NOT NULL,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);

CREATE TABLE notification.notifications (
  notification_id text COLLATE "C" PRIMARY KEY,
  tenant_id text NOT NULL,
  user_id text NOT NULL,
  status text NOT NULL,
  priority text NOT NULL,
  template_id text,
  template_version integer,
  content_id text COLLATE "C" NOT NULL REFERENCES notification.contents,
  batch_id text COLLATE "C" REFERENCES notification.batches,
  workflow_id text NOT NULL,
  requested_by text NOT NULL,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX notifications_by_tenant ON notification.notifications (tenant_id, notification_id);
CREATE INDEX notifications_by_user ON notification.notifications (tenant_id, user_id, notification_id);
CREATE INDEX notifications_by_status ON notification.notifications (tenant_id, status, notification_id);
CREATE INDEX notifications_by_batch ON notification.notifications (batch_id, status) WHERE batch_id IS NOT NULL;
CREATE UNIQUE INDEX notifications_once ON notification.notifications (batch_id, user_id) WHERE batch_id IS NOT NULL;

CREATE TABLE notification.channels (
  notification_id text COLLATE "C" NOT NULL REFERENCES notification.notifications,
  channel text NOT NULL,
  tenant_id text NOT NULL,
  place integer NOT NULL,
  status text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  claim text,
  provider text,
  provider_message_id text,
  failure_class text,
  error_code text,
  error_message text,
  delivery_id text,
  next_attempt_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (notification_id, channel)
);

CREATE TABLE notification.attempts (
  notification_id text COLLATE "C" NOT NULL,
  channel text NOT NULL,
  attempt integer NOT NULL,
  tenant_id text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  outcome text NOT NULL,
  provider text,
  provider_message_id text,
  failure_class text,
  error_code text,
  error_message text,
  PRIMARY KEY (notification_id, channel, attempt),
  FOREIGN KEY (notification_id, channel) REFERENCES notification.channels
);

CREATE TABLE notification.inbox (
  notification_id text COLLATE "C" PRIMARY KEY REFERENCES notification.notifications,
  tenant_id text NOT NULL,
  user_id text NOT NULL,
  content_id text COLLATE "C" NOT NULL REFERENCES notification.contents,
  created_at timestamptz NOT NULL DEFAULT now(),
  read_at timestamptz
);
CREATE INDEX inbox_by_user ON notification.inbox (tenant_id, user_id, notification_id);
CREATE INDEX inbox_unread ON notification.inbox (tenant_id, user_id, notification_id) WHERE read_at IS NULL;
"""


def upgrade() -> None:
    schema("notification")
    for part in (WRITING, RECIPIENTS, MESSAGES):
        op.execute(part)
    guard("notification.template_versions", rights="SELECT, INSERT")
    guard("notification.contents", rights="SELECT, INSERT")
    guard("notification.attempts", rights="SELECT, INSERT")
    for table in ("templates", "recipients", "batches", "notifications", "channels", "inbox"):
        guard(f"notification.{table}", rights="SELECT, INSERT, UPDATE")
    guard("notification.push_subscriptions")
