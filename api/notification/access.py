"""Where the routes live, who may do what, and on whose behalf a request sends."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from api.app import router as make_router
from api.deps import allow
from core.auth import Caller
from core.notification.accept import Sender
from core.telemetry import correlation_id

PREFIX = "/api/v1/notifications"

Reader = Annotated[Caller, Depends(allow("notification:read"))]
Writer = Annotated[Caller, Depends(allow("notification:write"))]
Manager = Annotated[Caller, Depends(allow("notification:manage"))]

UserId = Annotated[str, Path(min_length=1, max_length=200, examples=["user_123"])]
NotificationId = Annotated[str, Path(min_length=1, max_length=200, examples=["notif_123"])]
BatchId = Annotated[str, Path(min_length=1, max_length=200)]
TemplateRef = Annotated[str, Path(min_length=1, max_length=200, description="id or name", examples=["welcome_email"])]


def sender_of(caller: Caller) -> Sender:
    """The caller, as the one who sends."""
    return Sender(caller.tenant_id, caller.user_id, correlation_id.get())


def new_router() -> APIRouter:
    """A router for one part of this front door."""
    return make_router(PREFIX, "notification")
