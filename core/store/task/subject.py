"""What the task service holds of one person, and what becomes of it (ADR 9)."""

from core.contracts.compliance.data_requests import Deed
from core.store.platform.subject import MARKER, SMALL_PAGE, Holding, mention

FIGURES = "type, status and times, under a pseudonym: the tenant's figures count them (GDPR art. 5(2))"
TENANTS = "work of the tenant, without the name"

HOLDINGS = (
    Holding(
        table="task.executions",
        key={"execution_id": "text"},
        belongs="t.owner_id = :user",
        changed="owner_id = :alias, message = NULL, result = NULL, error = NULL, failures = '[]', worker = NULL",
        kept=FIGURES,
        page=SMALL_PAGE,
    ),
    Holding(
        table="task.tasks",
        key={"task_id": "text"},
        belongs="t.owner_id = :user",
        changed=f"owner_id = :alias, name = t.type, payload = {MARKER}",
        kept=FIGURES,
        page=SMALL_PAGE,
    ),
    Holding(
        table="task.executions",
        key={"execution_id": "text"},
        belongs=f"t.owner_id <> :user AND {mention('message', 'result', 'error', 'failures')}",
        mentions=("message", "result", "error", "failures"),
        veiled=("owner_id",),
        kept=TENANTS,
        page=SMALL_PAGE,
    ),
    Holding(
        table="task.tasks",
        key={"task_id": "text"},
        belongs=f"t.owner_id <> :user AND {mention('name', 'payload')}",
        mentions=("name", "payload"),
        veiled=("owner_id",),
        kept=TENANTS,
        page=SMALL_PAGE,
    ),
    Holding(
        table="task.totals",
        key={"type": "text", "shard": "smallint"},
        belongs="t.owner_id = :user",
        deed=Deed.DELETED,
    ),
    Holding(
        table="task.days",
        key={"day": "date", "type": "text", "shard": "smallint"},
        belongs="t.owner_id = :user",
        deed=Deed.DELETED,
    ),
)
WITHOUT: dict[str, str] = {}
