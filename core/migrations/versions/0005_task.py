"""Schema task."""

from core.migrations.security import schema

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    schema("task")
