"""The 29 calls a newcomer makes first, as data: service, method, path, body, and the fields the answer must have."""

from typing import Any, NamedTuple

from core.settings import ServiceName


class Call(NamedTuple):
    """One example call. `{task_id}` and `{notification_id}` in a path stand for ids made by earlier calls."""

    title: str
    service: ServiceName
    method: str
    path: str
    body: dict[str, Any] | None = None
    fields: tuple[str, ...] = ()


AUDIT, NOTIFY, TASKS = "/api/v1/audit", "/api/v1/notifications", "/api/v1/tasks"
COMPLIANCE, EVENTS = "/api/v1/compliance", "/api/v1/events"

CALLS: tuple[Call, ...] = (
    Call(
        "log an audit event", "audit", "POST", f"{AUDIT}/events",
        {
            "event_type": "user.login", "category": "authentication", "severity": "info", "actor_id": "user_123",
            "resource_type": "session", "resource_id": "sess_abc", "action": "create",
            "metadata": {"ip_address": "192.168.1.1", "user_agent": "Mozilla/5.0..."},
        },
        ("event_id", "event_type", "category", "severity", "actor_id", "resource_id", "metadata", "recorded_at"),
    ),
    Call(
        "query audit events", "audit", "POST", f"{AUDIT}/events/query",
        {
            "event_type": "user.login", "actor_id": "user_123", "from_date": "2024-01-01T00:00:00Z",
            "to_date": "2024-01-31T23:59:59Z", "limit": 100,
        },
        ("items", "next_cursor"),
    ),
    Call(
        "user activity summary", "audit", "GET", f"{AUDIT}/users/user_123/summary", None,
        ("user_id", "total_events", "last_activity", "activity_by_type"),
    ),
    Call(
        "create a security alert", "audit", "POST", f"{AUDIT}/security/alerts",
        {
            "alert_type": "suspicious_login", "severity": "high", "user_id": "user_123",
            "description": "Login from unusual location",
            "metadata": {"location": "Unknown Country", "ip_address": "203.0.113.1"},
        },
        ("alert_id", "status", "severity"),
    ),
    Call(
        "audit compliance report", "audit", "POST", f"{AUDIT}/compliance/reports",
        {"standard": "GDPR", "period_start": "2024-01-01", "period_end": "2024-01-31", "include_details": True},
        ("report_id", "status", "workflow_url"),
    ),
    Call(
        "log a batch", "audit", "POST", f"{AUDIT}/events/batch",
        {
            "events": [
                {"event_type": "file.view", "resource_id": "file_1"},
                {"event_type": "file.view", "resource_id": "file_2"},
            ]
        },
        ("accepted", "event_ids"),
    ),
    Call(
        "create a template", "notification", "POST", f"{NOTIFY}/templates",
        {
            "name": "welcome_email", "type": "email", "subject": "Welcome to isA!",
            "body": "Hello {{name}}, welcome to our platform!", "variables": ["name"],
        },
        ("template_id", "name", "type", "version"),
    ),
    Call(
        "send", "notification", "POST", f"{NOTIFY}/send",
        {
            "user_id": "user_123", "template_id": "welcome_email", "channels": ["email", "in_app"],
            "variables": {"name": "John"}, "priority": "high",
        },
        ("notification_id", "status", "channels", "workflow_url"),
    ),
    Call(
        "send a batch", "notification", "POST", f"{NOTIFY}/batch",
        {
            "template_id": "promotion_notice", "user_ids": ["user_1", "user_2", "user_3"],
            "variables": {"discount": "20%"},
        },
        ("batch_id", "status", "workflow_url"),
    ),
    Call("in-app list", "notification", "GET", f"{NOTIFY}/in-app/user_123", None, ("items", "next_cursor")),
    Call("mark as read", "notification", "POST", f"{NOTIFY}/in-app/{{notification_id}}/read", None, ("read",)),
    Call("unread count", "notification", "GET", f"{NOTIFY}/in-app/user_123/unread-count", None, ("unread_count",)),
    Call(
        "register for push", "notification", "POST", f"{NOTIFY}/push/subscribe",
        {"device_token": "fcm_token_xyz", "platform": "ios", "device_id": "device_123"},
        ("subscription_id",),
    ),
    Call(
        "create a task", "task", "POST", TASKS,
        {
            "name": "process_video", "type": "transcoding", "priority": "high",
            "payload": {"file_id": "file_123", "output_format": "mp4", "quality": "720p"},
            "scheduled_at": "2024-01-28T12:00:00Z",
        },
        ("task_id", "name", "status", "priority", "created_at", "scheduled_at"),
    ),
    Call("execute a task", "task", "POST", f"{TASKS}/{{task_id}}/execute", None, ("task_id", "status")),
    Call("task status", "task", "GET", f"{TASKS}/{{task_id}}", None, ("task_id", "status", "progress")),
    Call("execution history", "task", "GET", f"{TASKS}/{{task_id}}/executions", None, ("items",)),
    Call("list tasks", "task", "GET", f"{TASKS}?status=pending&type=transcoding&limit=20", None, ("items",)),
    Call("task analytics", "task", "GET", f"{TASKS}/analytics", None, ()),
    Call(
        "check content", "compliance", "POST", f"{COMPLIANCE}/check",
        {
            "content": "User submitted text to check", "content_type": "text",
            "check_types": ["toxicity", "pii", "prompt_injection"],
        },
        ("check_id", "status", "risk_level", "results"),
    ),
    Call(
        "batch check", "compliance", "POST", f"{COMPLIANCE}/batch-check",
        {
            "items": [{"id": "msg_1", "content": "First message"}, {"id": "msg_2", "content": "Second message"}],
            "check_types": ["toxicity", "pii"],
        },
        ("batch_id", "status"),
    ),
    Call("policies", "compliance", "GET", f"{COMPLIANCE}/policies", None, ("items",)),
    Call(
        "compliance report", "compliance", "POST", f"{COMPLIANCE}/reports",
        {"report_type": "pii_summary", "period": "monthly", "include_details": True},
        ("report_id", "status", "workflow_url"),
    ),
    Call(
        "publish", "event", "POST", EVENTS,
        {
            "event_type": "user.signup", "source": "web_app", "category": "user",
            "payload": {"user_id": "user_123", "plan": "free"}, "correlation_id": "corr_abc123",
        },
        ("event_id", "event_type", "correlation_id"),
    ),
    Call(
        "publish a batch", "event", "POST", f"{EVENTS}/batch",
        {
            "events": [
                {"event_type": "page.view", "payload": {"page": "/home"}},
                {"event_type": "button.click", "payload": {"button": "signup"}},
            ]
        },
        ("accepted", "event_ids"),
    ),
    Call(
        "query events", "event", "GET", f"{EVENTS}?event_type=user.signup&from=2024-01-01&limit=100", None, ("items",),
    ),
    Call(
        "replay", "event", "POST", f"{EVENTS}/replay",
        {
            "from_timestamp": "2024-01-01T00:00:00Z", "to_timestamp": "2024-01-02T00:00:00Z",
            "event_types": ["user.signup", "user.login"], "target_stream": "analytics_replay",
        },
        ("replay_id", "status", "workflow_url"),
    ),
    Call(
        "subscribe", "event", "POST", "/api/v1/subscriptions",
        {
            "event_types": ["user.*", "payment.succeeded"], "delivery_type": "webhook",
            "webhook_url": "https://example.com/events",
        },
        ("subscription_id", "secret"),
    ),
    Call(
        "statistics", "event", "GET", f"{EVENTS}/statistics", None,
        ("total_events", "events_today", "by_category", "processing_lag_ms"),
    ),
)  # fmt: skip
