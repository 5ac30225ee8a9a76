"""What the audit service holds of one person, and what becomes of it (ADR 9)."""

from core.store.platform.subject import MARKER, Holding, mention, swapped

OF_PERSON = (
    "coalesce(t.resource_type ~* '(^|_|[.])(user|account|profile|person|member|customer|employee|recipient)', true)"
)
ASSIGNED = "coalesce(t.resource_type = 'policy_assignment' AND t.resource_id = 'caller:' || :user, false)"
"""How the log names a policy's assignment to somebody."""
IS_RESOURCE = f"(coalesce(t.resource_id = :user AND (:clear OR {OF_PERSON}), false) OR {ASSIGNED})"
ABOUT_THEM = "t.alert_id IN (SELECT alert_id FROM audit.alerts WHERE tenant_id = :tenant AND user_id = :user)"
SECURITY = "records of security and accountability, under a pseudonym (GDPR art. 5(2), 17(3)(b) and (e))"
INCIDENTS = "records of security incidents, under a pseudonym (GDPR art. 17(3)(e), 33(5))"

HOLDINGS = (
    Holding(
        table="audit.events",
        key={"event_id": "text"},
        belongs=f"t.actor_id = :user OR {IS_RESOURCE}",
        changed=(
            f"{swapped('actor_id')}, metadata = {MARKER}, "
            f"resource_id = CASE WHEN {ASSIGNED} THEN 'caller:' || :alias WHEN {IS_RESOURCE} THEN :alias "
            "ELSE t.resource_id END"
        ),
        veiled=("actor_id",),
        kept=f"what was done, when, to what, with which outcome: {SECURITY}",
    ),
    Holding(
        table="audit.events",
        key={"event_id": "text"},
        belongs=f"t.actor_id <> :user AND NOT {IS_RESOURCE} AND {mention('resource_id', 'metadata')}",
        mentions=("resource_id", "metadata"),
        veiled=("actor_id",),
        kept=f"what others did: {SECURITY}",
    ),
    Holding(
        table="audit.alert_moves",
        key={"alert_id": "text", "number": "integer"},
        belongs=f"t.moved_by = :user OR {ABOUT_THEM}",
        still="t.moved_by = :user OR t.note IS NOT NULL",
        changed=f"{swapped('moved_by')}, note = CASE WHEN {ABOUT_THEM} THEN NULL ELSE t.note END",
        veiled=("moved_by",),
        kept=f"each status and when: {INCIDENTS}",
    ),
    Holding(
        table="audit.alerts",
        key={"alert_id": "text"},
        belongs="t.user_id = :user OR t.created_by = :user",
        changed=(
            f"{swapped('user_id', 'created_by')}, "
            "description = CASE WHEN t.user_id = :user THEN '(erased)' ELSE t.description END, "
            f"metadata = CASE WHEN t.user_id = :user THEN {MARKER} ELSE t.metadata END"
        ),
        veiled=("user_id", "created_by"),
        kept=f"type, severity, status and times: {INCIDENTS}",
    ),
    Holding(
        table="audit.alerts",
        key={"alert_id": "text"},
        belongs=(
            f"t.user_id IS DISTINCT FROM :user AND t.created_by <> :user AND {mention('description', 'metadata')}"
        ),
        mentions=("description", "metadata"),
        veiled=("user_id", "created_by"),
        kept=f"alerts about others: {INCIDENTS}",
    ),
    Holding(
        table="audit.alert_moves",
        key={"alert_id": "text", "number": "integer"},
        belongs=f"t.moved_by <> :user AND NOT {ABOUT_THEM} AND {mention('note')}",
        mentions=("note",),
        veiled=("moved_by",),
        kept=f"notes on alerts about others: {INCIDENTS}",
    ),
    Holding(
        table="audit.reports",
        key={"report_id": "text"},
        belongs="t.requested_by = :user",
        changed="requested_by = :alias",
        hidden=("result",),
        kept=f"the report: {SECURITY}",
    ),
    Holding(
        table="audit.reports",
        key={"report_id": "text"},
        belongs=mention("result"),
        mentions=("result",),
        exported=False,
        unfinished="t.status IN ('pending', 'running')",
        kept=f"the figures: {SECURITY}",
    ),
    Holding(
        table="audit.report_documents",
        key={"report_id": "text", "format": "text"},
        belongs=mention("content"),
        mentions=("content",),
        exported=False,
        kept=f"the figures: {SECURITY}",
    ),
    Holding(
        table="audit.totals",
        key={"event_type": "text"},
        belongs="t.actor_id = :user",
        pump="audit.rollup",
        merged="""
WITH gone AS (DELETE FROM audit.totals WHERE tenant_id = :tenant AND actor_id = :user RETURNING *)
INSERT INTO audit.totals AS t (tenant_id, actor_id, event_type, events, last_at)
SELECT tenant_id, :alias, event_type, events, last_at FROM gone
ON CONFLICT (tenant_id, actor_id, event_type)
DO UPDATE SET events = t.events + EXCLUDED.events, last_at = greatest(t.last_at, EXCLUDED.last_at)
""",
        kept=f"counters by type: {SECURITY}",
    ),
)
WITHOUT: dict[str, str] = {}
