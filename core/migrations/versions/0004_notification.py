"""Schema notification."""

from core.migrations.security import schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    schema("notification")
