"""What the notification service holds of one person, and what becomes of it (ADR 9)."""

from core.contracts.compliance.data_requests import Deed
from core.store.platform.subject import Holding, swapped

TO_THEM = "FROM notification.notifications WHERE tenant_id = :tenant AND user_id = :user"
OF_THEIRS = f"t.notification_id IN (SELECT notification_id {TO_THEM})"
TO_NOBODY_ELSE = (
    "t.content_id IN (SELECT n.content_id FROM notification.notifications n LEFT JOIN notification.batches b "
    "USING (batch_id) WHERE n.tenant_id = :tenant AND n.user_id = :user AND (n.batch_id IS NULL OR b.total = 1))"
)
DELIVERED = "channel, status and times, under a pseudonym: proof of delivery (GDPR art. 5(2), 17(3)(e))"
TEXTS = "the template: the tenant's own text"

HOLDINGS = (
    Holding(
        table="notification.contents",
        key={"content_id": "text"},
        belongs=f"t.content_id IN (SELECT content_id {TO_THEM})",
        still=f"{TO_NOBODY_ELSE} AND (t.body <> '' OR t.subject IS NOT NULL OR t.html IS NOT NULL)",
        changed="subject = NULL, body = '', html = NULL",
        kept="texts that went to many in the same words, which hold nothing of one of them",
    ),
    Holding(
        table="notification.inbox",
        key={"notification_id": "text"},
        belongs="t.user_id = :user",
        deed=Deed.DELETED,
    ),
    Holding(
        table="notification.attempts",
        key={"notification_id": "text", "channel": "text", "attempt": "integer"},
        belongs=OF_THEIRS,
        still="t.error_message IS NOT NULL OR t.provider_message_id IS NOT NULL",
        changed="error_message = NULL, provider_message_id = NULL",
        kept=DELIVERED,
    ),
    Holding(
        table="notification.channels",
        key={"notification_id": "text", "channel": "text"},
        belongs=OF_THEIRS,
        still="t.error_message IS NOT NULL OR t.provider_message_id IS NOT NULL",
        changed="error_message = NULL, provider_message_id = NULL",
        kept=DELIVERED,
    ),
    Holding(
        table="notification.notifications",
        key={"notification_id": "text"},
        belongs="t.user_id = :user OR t.requested_by = :user",
        changed=swapped("user_id", "requested_by"),
        veiled=("user_id", "requested_by"),
        kept=DELIVERED,
    ),
    Holding(
        table="notification.batches",
        key={"batch_id": "text"},
        belongs="t.requested_by = :user OR :user = ANY(t.user_ids)",
        changed=f"{swapped('requested_by')}, user_ids = array_replace(t.user_ids, :user, :alias)",
        hidden=("user_ids",),
        veiled=("requested_by",),
        kept=DELIVERED,
    ),
    Holding(
        table="notification.recipients",
        key={"user_id": "text"},
        belongs="t.user_id = :user",
        deed=Deed.DELETED,
    ),
    Holding(
        table="notification.push_subscriptions",
        key={"subscription_id": "text"},
        belongs="t.user_id = :user",
        deed=Deed.DELETED,
        hidden=("device_token",),
    ),
    Holding(
        table="notification.template_versions",
        key={"template_id": "text", "version": "integer"},
        belongs="t.created_by = :user",
        changed="created_by = :alias",
        hidden=("subject", "body"),
        kept=TEXTS,
    ),
    Holding(
        table="notification.templates",
        key={"template_id": "text"},
        belongs="t.created_by = :user",
        changed="created_by = :alias",
        kept=TEXTS,
    ),
)
WITHOUT: dict[str, str] = {}
