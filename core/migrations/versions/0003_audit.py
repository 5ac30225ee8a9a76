"""Schema audit."""

from core.migrations.security import schema

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    schema("audit")
