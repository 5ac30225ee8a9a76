"""Schema compliance: batches that arrive as lines, with content of several kinds, under any policy."""

from alembic import op

revision = "0009"
down_revision = "0008"

# batches.touched_at: when the last lines of an upload came. batch_items.content_type: NULL is the batch's.
BATCHES = """
ALTER TABLE compliance.batches
  ADD COLUMN policy_source text NOT NULL DEFAULT 'request',
  ADD COLUMN category text,
  ADD COLUMN content_type text NOT NULL DEFAULT 'text',
  ADD COLUMN touched_at timestamptz;
ALTER TABLE compliance.batch_items ADD COLUMN content_type text;
CREATE INDEX batches_by_caller ON compliance.batches (tenant_id, checked_by, created_at, batch_id);
CREATE INDEX batches_uploading ON compliance.batches (touched_at) WHERE status = 'uploading';
-- an upload that broke off leaves nothing
GRANT DELETE ON compliance.batches, compliance.batch_items TO ops_app, ops_pump;
"""


def upgrade() -> None:
    op.execute(BATCHES)
