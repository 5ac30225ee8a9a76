"""The five clients for synchronous code: same names, same calls, same results and errors, without `await`."""

from isa_user._sync.audit import AuditClient
from isa_user._sync.compliance import ComplianceClient
from isa_user._sync.event import EventClient
from isa_user._sync.notification import NotificationClient
from isa_user._sync.page import Page
from isa_user._sync.task import TaskClient

__all__ = ["AuditClient", "ComplianceClient", "EventClient", "NotificationClient", "Page", "TaskClient"]
