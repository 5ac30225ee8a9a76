"""What is filled in when an event is logged: category, outcome, actor, times."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from core.contracts.audit import AuditEvent, LogEvent, Outcome

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
KNOWN_TYPES: Final = 4096
OTHER: Final = "activity"

# The first word of the type that is listed decides; a verb decides where the subject does not.
_BY_SUBJECT: Final = {
    "authentication": ("auth", "login", "logout", "mfa", "otp", "password", "session", "signup", "sso", "token"),
    "authorization": ("access", "grant", "group", "permission", "privilege", "role"),
    "security": ("alert", "firewall", "intrusion", "malware", "security", "threat", "vulnerability"),
    "configuration": ("config", "configuration", "policy", "setting", "settings", "template", "webhook"),
    "payment": ("billing", "card", "invoice", "payment", "payout", "refund"),
    "privacy": ("consent", "erasure", "gdpr", "privacy"),
    "system": ("backup", "deployment", "maintenance", "service", "system"),
}
_BY_VERB: Final = {
    "authentication": ("authenticate", "authenticated", "login", "login_failed", "logout", "signin", "signout",
                       "signup"),
    "data_access": ("access", "accessed", "download", "downloaded", "export", "exported", "list", "open", "print",
                    "query", "read", "search", "share", "shared", "view", "viewed"),
    "data_change": ("archive", "copy", "create", "created", "delete", "deleted", "edit", "import", "move", "rename",
                    "restore", "update", "updated", "upload", "uploaded", "write", "profile_update"),
}  # fmt: skip
_SUBJECTS: Final = {word: category for category, words in _BY_SUBJECT.items() for word in words}
_VERBS: Final = {word: category for category, words in _BY_VERB.items() for word in words}
_DENIED: Final = ("denied", "forbidden", "unauthorized", "blocked", "rejected", "refused")
_FAILED: Final = ("failed", "failure", "fail", "error", "invalid")


@lru_cache(maxsize=KNOWN_TYPES)
def category_of(event_type: str) -> str:
    """The category of an event that names none: by its subject (`payment.created`), else by its verb (`file.view`)."""
    subject, *rest = event_type.lower().split(".")
    if found := _SUBJECTS.get(subject):
        return found
    return next((_VERBS[word] for word in reversed(rest) if word in _VERBS), OTHER)


@lru_cache(maxsize=KNOWN_TYPES)
def outcome_of(event_type: str) -> Outcome:
    """The outcome of an event that names none: `login.failed` and `login_failed` failed, `access.denied` was denied."""
    words = event_type.lower().replace(".", "_").replace("-", "_").replace(":", "_").split("_")
    if any(word in _DENIED for word in words):
        return Outcome.DENIED
    return Outcome.FAILURE if any(word in _FAILED for word in words) else Outcome.SUCCESS


def is_future(occurred_at: datetime | None, now: datetime) -> bool:
    """Whether an event claims to have happened later than clocks may differ."""
    return occurred_at is not None and occurred_at > now + CLOCK_TOLERANCE


def recorded(wanted: LogEvent, *, event_id: str, actor_id: str, correlation_id: str, now: datetime) -> AuditEvent:
    """The event as the log keeps it; what the caller left out is derived. `actor_id` is the caller's own."""
    return AuditEvent(
        event_id=event_id,
        event_type=wanted.event_type,
        category=wanted.category or category_of(wanted.event_type),
        severity=wanted.severity,
        outcome=wanted.outcome or outcome_of(wanted.event_type),
        actor_id=wanted.actor_id or actor_id,
        resource_type=wanted.resource_type,
        resource_id=wanted.resource_id,
        action=wanted.action,
        metadata=wanted.metadata,
        correlation_id=wanted.correlation_id or correlation_id or None,
        causation_id=wanted.causation_id,
        occurred_at=wanted.occurred_at or now,
        recorded_at=now,
    )
