"""Alembic, forward only. `python -m core.migrations` brings a database to head."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from core.db import driver_url

VERSION_TABLE = "ops_schema_version"


def config(url: str) -> Config:
    """Alembic's configuration for this database, without an ini file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("sqlalchemy.url", driver_url(url).replace("%", "%%"))
    return made


def upgrade(url: str) -> None:
    """Bring the database to head."""
    command.upgrade(config(url), "head")
