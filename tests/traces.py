"""Everything the platform stores of a tenant, as one text to search."""

import psycopg
from psycopg import sql

from core.db import plain_url

_TABLES = (
    "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name = 'tenant_id' "
    "AND table_schema IN ('ops', 'event', 'audit', 'notification', 'task', 'compliance')"
)


def stored(url: str, tenant: str) -> str:
    """Every row of every table that names this tenant."""
    with psycopg.connect(plain_url(url)) as connection:
        tables = connection.execute(_TABLES).fetchall()
        queries = [
            sql.SQL("SELECT t::text FROM {} t WHERE tenant_id = %s").format(sql.Identifier(*table)) for table in tables
        ]
        return "\n".join(row[0] for query in queries for row in connection.execute(query, (tenant,)))
