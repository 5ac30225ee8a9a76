"""Schema event."""

from core.migrations.security import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    schema("event")
