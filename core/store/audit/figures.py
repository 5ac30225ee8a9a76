"""What a compliance report counts: one pass over the period, so that every figure belongs to one snapshot."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.errors import QueryCanceled
from pydantic_core import to_json
from sqlalchemy import TextClause, text
from sqlalchemy.exc import OperationalError
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.audit import (
    LISTED_ACTORS,
    LISTED_EVENTS,
    LISTED_TYPES,
    AlertFigures,
    Details,
    Figures,
    ListedEvent,
    Selection,
)
from core.errors import Invalid

PLACES = 10
_WANTED = """
wanted AS (
  SELECT * FROM jsonb_to_recordset(CAST(:selections AS jsonb))
    AS s(key text, types text[], categories text[], outcomes text[])
)"""
_MATCHES = """(e.event_type LIKE ANY (w.types) OR e.category = ANY (w.categories))
    AND (cardinality(w.outcomes) = 0 OR e.outcome = ANY (w.outcomes))"""

_FIGURES = text(f"""
WITH base AS MATERIALIZED (
  SELECT event_type, category, severity, outcome, actor_id, (occurred_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS n, max(occurred_at) AS last_at
  FROM audit.events WHERE occurred_at BETWEEN :start AND :end
  GROUP BY event_type, category, severity, outcome, actor_id, day
), {_WANTED}, hits AS MATERIALIZED (
  SELECT w.key, e.event_type, e.category, e.outcome
  FROM (SELECT DISTINCT event_type, category, outcome FROM base) e JOIN wanted w ON {_MATCHES}
), chosen AS MATERIALIZED (
  SELECT h.key, b.* FROM base b JOIN hits h USING (event_type, category, outcome)
), named AS (
  SELECT 'by_category' AS list, category AS name, sum(n) AS events FROM base GROUP BY category
  UNION ALL SELECT 'by_severity', severity, sum(n) FROM base GROUP BY severity
  UNION ALL SELECT 'by_outcome', outcome, sum(n) FROM base GROUP BY outcome
  UNION ALL (SELECT 'by_type', event_type, sum(n) FROM base GROUP BY event_type
             ORDER BY sum(n) DESC, event_type LIMIT {LISTED_TYPES})
), lists AS (
  SELECT list, jsonb_agg(jsonb_build_object('name', name, 'events', events) ORDER BY events DESC, name) AS found
  FROM named GROUP BY list
), days AS (
  SELECT day, sum(n) AS events, coalesce(sum(n) FILTER (WHERE outcome <> 'success'), 0) AS failures,
    coalesce(sum(n) FILTER (WHERE severity IN ('high', 'critical')), 0) AS grave
  FROM base GROUP BY day
), actors AS (
  SELECT actor_id, sum(n) AS events, max(last_at) AS last_activity FROM base
  GROUP BY actor_id ORDER BY events DESC, actor_id LIMIT {LISTED_ACTORS}
), selected AS (
  SELECT key, sum(n) AS events, coalesce(sum(n) FILTER (WHERE outcome <> 'success'), 0) AS failures,
    count(DISTINCT actor_id) AS actors, max(last_at) AS last_activity
  FROM chosen GROUP BY key
), chosen_actors AS (
  SELECT key, actor_id, sum(n) AS events, max(last_at) AS last_activity,
    row_number() OVER (PARTITION BY key ORDER BY sum(n) DESC, actor_id) AS place
  FROM chosen GROUP BY key, actor_id
), chosen_types AS (
  SELECT key, event_type AS name, sum(n) AS events,
    row_number() OVER (PARTITION BY key ORDER BY sum(n) DESC, event_type) AS place
  FROM chosen GROUP BY key, event_type
)
SELECT
  (SELECT jsonb_build_object(
    'events', coalesce(sum(n), 0), 'actors', count(DISTINCT actor_id), 'event_types', count(DISTINCT event_type),
    'failures', coalesce(sum(n) FILTER (WHERE outcome <> 'success'), 0),
    'grave', coalesce(sum(n) FILTER (WHERE severity IN ('high', 'critical')), 0)) FROM base) AS totals,
  (SELECT coalesce(jsonb_object_agg(list, found), '{{}}') FROM lists) AS lists,
  (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY day), '[]') FROM days d) AS by_day,
  (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY events DESC, actor_id), '[]') FROM actors a) AS top_actors,
  (SELECT coalesce(jsonb_object_agg(key, to_jsonb(s)), '{{}}') FROM selected s) AS selected,
  (SELECT coalesce(jsonb_object_agg(key, found), '{{}}') FROM (
    SELECT key, jsonb_agg(to_jsonb(c) ORDER BY place) AS found FROM chosen_actors c WHERE place <= {PLACES} GROUP BY key
  ) x) AS selected_actors,
  (SELECT coalesce(jsonb_object_agg(key, found), '{{}}') FROM (
    SELECT key, jsonb_agg(to_jsonb(c) ORDER BY place) AS found FROM chosen_types c WHERE place <= {PLACES} GROUP BY key
  ) x) AS selected_types
""")

_DETAILS = text(f"""
WITH {_WANTED}
SELECT event_id, occurred_at, event_type, category, severity, outcome, actor_id, resource_type, resource_id, action
FROM audit.events e
WHERE occurred_at BETWEEN :start AND :end AND EXISTS (SELECT FROM wanted w WHERE {_MATCHES})
ORDER BY occurred_at DESC, event_id DESC LIMIT {LISTED_EVENTS + 1}
""")

_ALERTS = text("""
WITH opened AS (SELECT * FROM audit.alerts WHERE created_at BETWEEN :start AND :end),
closed AS (
  SELECT status, extract(epoch FROM closed_at - created_at)::float AS seconds
  FROM audit.alerts WHERE closed_at BETWEEN :start AND :end
), named AS (
  SELECT 'by_severity' AS list, severity AS name, count(*) AS events FROM opened GROUP BY severity
  UNION ALL SELECT 'by_type', alert_type, count(*) FROM opened GROUP BY alert_type
), lists AS (
  SELECT list, jsonb_agg(jsonb_build_object('name', name, 'events', events) ORDER BY events DESC, name) AS found
  FROM named GROUP BY list
)
SELECT
  (SELECT count(*) FROM opened) AS opened,
  (SELECT count(*) FROM closed WHERE status = 'resolved') AS resolved,
  (SELECT count(*) FROM closed WHERE status = 'false_positive') AS false_positive,
  (SELECT count(*) FROM audit.alerts
    WHERE created_at <= :end AND (closed_at IS NULL OR closed_at > :end)) AS open_at_end,
  (SELECT avg(seconds) FROM closed) AS mean_seconds_to_close,
  (SELECT max(seconds) FROM closed) AS longest_seconds_to_close,
  (SELECT coalesce(jsonb_object_agg(list, found), '{}') FROM lists) AS lists
""")


class Period(NamedTuple):
    """From when to when, both included."""

    start: datetime
    end: datetime


async def figures(session: AsyncSession, period: Period, selections: Sequence[Selection]) -> Figures:
    """Everything a report counts of the period's events."""
    [found] = await _ask(session, _FIGURES, period, selections)
    return Figures.model_validate({**found, **found["lists"]})


async def details(session: AsyncSession, period: Period, selections: Sequence[Selection]) -> Details:
    """The newest events that any of the selections picks."""
    rows = await _ask(session, _DETAILS, period, selections)
    listed = [ListedEvent.model_validate(row) for row in rows[:LISTED_EVENTS]]
    return Details(events=listed, truncated=len(rows) > LISTED_EVENTS)


async def alert_figures(session: AsyncSession, period: Period) -> AlertFigures:
    """What became of security alerts in the period."""
    [found] = await _ask(session, _ALERTS, period, ())
    return AlertFigures.model_validate({**found, **found["lists"]})


async def _ask(
    session: AsyncSession, query: TextClause, period: Period, selections: Sequence[Selection]
) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"start": period.start, "end": period.end}
    if selections:
        given |= {"selections": to_json([_as_likes(selection) for selection in selections]).decode()}
    try:
        found = await (await session.connection()).execute(query, given)
    except OperationalError as error:
        if not isinstance(error.orig, QueryCanceled):
            raise
        detail = "The period holds more events than can be counted in time: ask for shorter periods."
        raise Invalid(detail, code="audit.report_too_large") from error
    return [dict(row) for row in found.mappings()]


def _as_likes(selection: Selection) -> dict[str, Any]:
    return selection.model_dump() | {"types": [_like(pattern) for pattern in selection.types]}


def _like(pattern: str) -> str:
    escaped = pattern.replace("_", r"\_")
    return escaped.replace("*", "%")
