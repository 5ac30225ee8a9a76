#!/bin/sh
# Makes Temporal's two databases and brings their schemas to this version; does nothing when they are there already.
set -eu

sql_tool() {
    temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p 5432 -u "$POSTGRES_USER" --pw "$POSTGRES_PWD" "$@"
}

for part in temporal visibility; do
    database=temporal
    [ "$part" = visibility ] && database=temporal_visibility
    sql_tool --db "$database" create
    sql_tool --db "$database" setup-schema -v 0.0
    sql_tool --db "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/$part/versioned"
done
