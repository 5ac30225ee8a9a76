"""isA Operations SDK: audit, notification, task, compliance and event clients, asynchronous.

`isa_user.sync` has the same clients for synchronous code, `isa_user.types` the shapes for annotations,
`isa_user.webhooks` verifies signatures, and `TaskWorker` (extra `worker`) serves task types of your own.
"""

from typing import TYPE_CHECKING, Any

from isa_user._async._io import Pages
from isa_user._async.audit import AuditClient
from isa_user._async.compliance import ComplianceClient
from isa_user._async.event import EventClient
from isa_user._async.notification import NotificationClient
from isa_user._async.page import Page
from isa_user._async.task import TaskClient
from isa_user._errors import (
    ApiError,
    AuthenticationError,
    BadRequest,
    Conflict,
    ConnectionFailed,
    InvalidAnswer,
    IsaError,
    NotFound,
    PayloadTooLarge,
    PermanentTaskError,
    PermissionDenied,
    RateLimited,
    ServerError,
    ServiceUnavailable,
    TaskCancelled,
    TimedOut,
    ValidationError,
    WebhookVerificationError,
)
from isa_user._version import __version__

if TYPE_CHECKING:
    from isa_user.worker import SyncTaskContext as SyncTaskContext
    from isa_user.worker import TaskContext as TaskContext
    from isa_user.worker import TaskWorker as TaskWorker

__all__ = [
    "ApiError",
    "AuditClient",
    "AuthenticationError",
    "BadRequest",
    "ComplianceClient",
    "Conflict",
    "ConnectionFailed",
    "EventClient",
    "InvalidAnswer",
    "IsaError",
    "NotFound",
    "NotificationClient",
    "Page",
    "Pages",
    "PayloadTooLarge",
    "PermanentTaskError",
    "PermissionDenied",
    "RateLimited",
    "ServerError",
    "ServiceUnavailable",
    "TaskCancelled",
    "TaskClient",
    "TimedOut",
    "ValidationError",
    "WebhookVerificationError",
    "__version__",
]

# Not in __all__: `from isa_user import *` must work without temporalio.
_OF_WORKER = ("SyncTaskContext", "TaskContext", "TaskWorker")


def __getattr__(name: str) -> Any:
    """Load the worker when it is first named: it needs temporalio, the clients do not."""
    if name in _OF_WORKER:
        from isa_user import worker  # the heavy vendor SDK, installed only with the extra `worker`

        return getattr(worker, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
