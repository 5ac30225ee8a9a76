"""Schema compliance: reports as PDF, and the reports of a month that the schedule asks for once."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = """
ALTER TABLE compliance.reports ADD COLUMN pdf bytea;
CREATE UNIQUE INDEX reports_scheduled_once ON compliance.reports (tenant_id, report_type, first_day, last_day)
  WHERE requested_by = '(schedule)';
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
