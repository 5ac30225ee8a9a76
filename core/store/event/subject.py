"""What the event service holds of one person, and what becomes of it (ADR 9)."""

from core.contracts.compliance.data_requests import Deed
from core.store.platform.subject import MARKER, SMALL_PAGE, Holding, mention

ACTED_ON = "other systems have acted on it, and it is evidence of that (GDPR art. 5(2), 17(3)(e))"
SETTINGS = "the tenant's own settings"
# A webhook's message to a person: the notification service names its notification as the reference.
MESSAGE = (
    "t.kind = 'notification' AND t.reference IN (SELECT notification_id FROM notification.notifications "
    "WHERE tenant_id = :tenant AND user_id IN (:user, :alias))"
)
OF_MESSAGE = (
    f"t.delivery_id IN (SELECT t.delivery_id FROM event.deliveries AS t WHERE t.tenant_id = :tenant AND {MESSAGE})"
)

HOLDINGS = (
    Holding(
        table="event.events",
        key={"event_id": "text"},
        belongs="t.published_by = :user",
        changed=f"published_by = :alias, payload = {MARKER}",
        kept=f"type, category, source and times, under a pseudonym: {ACTED_ON}",
        page=SMALL_PAGE,
    ),
    Holding(
        table="event.events",
        key={"event_id": "text"},
        belongs=f"t.published_by <> :user AND {mention('payload')}",
        mentions=("payload",),
        veiled=("published_by",),
        kept=f"what others published: {ACTED_ON}",
        page=SMALL_PAGE,
    ),
    Holding(
        table="event.delivery_attempts",
        key={"delivery_id": "text", "attempt": "integer"},
        belongs=OF_MESSAGE,
        still="t.response IS NOT NULL OR t.error IS NOT NULL",
        changed="response = NULL, error = NULL",
        kept="that it was tried, when, and the status code: proof of delivery",
    ),
    Holding(
        table="event.deliveries",
        key={"delivery_id": "text"},
        belongs=MESSAGE,
        still=f"t.body IS DISTINCT FROM {MARKER}",
        changed=f"body = {MARKER}, url = '(erased)', error = NULL",
        kept="that it was sent, when, and how that ended: proof of delivery",
        page=SMALL_PAGE,
    ),
    Holding(
        table="event.deliveries",
        key={"delivery_id": "text"},
        belongs=f"NOT ({MESSAGE}) AND {mention('body')}",
        mentions=("body",),
        kept="messages to others",
        page=SMALL_PAGE,
    ),
    Holding(
        table="event.replays",
        key={"replay_id": "text"},
        belongs="t.requested_by = :user",
        changed="requested_by = :alias",
        kept=f"what was replayed, and when: {ACTED_ON}",
    ),
    Holding(
        table="event.subscriptions",
        key={"subscription_id": "text"},
        belongs="t.created_by = :user",
        changed="created_by = :alias",
        kept=f"the subscription: {SETTINGS}",
    ),
    Holding(
        table="event.rollups",
        key={"day": "date", "category": "text", "event_type": "text"},
        belongs="t.published_by = :user",
        deed=Deed.DELETED,
        pump="event.rollup",
    ),
)
WITHOUT = {"event.lags": "one counter for the whole tenant"}
