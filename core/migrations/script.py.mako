"""${message}"""

from alembic import op

from core.migrations.security import guard

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "..."}
