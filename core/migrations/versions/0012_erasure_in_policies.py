"""Schema compliance: an erasure reaches whom the versions of policies name."""

from alembic import op

from core.migrations.security import ERASER_ROLE

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(f"GRANT UPDATE (document) ON compliance.policy_versions TO {ERASER_ROLE}")
