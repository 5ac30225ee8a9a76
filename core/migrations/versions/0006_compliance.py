"""Schema compliance."""

from core.migrations.security import schema

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    schema("compliance")
