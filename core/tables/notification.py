"""Schema `notification`: templates, recipients, devices, messages with their channels and attempts, the centre."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from core.tables.platform import json_column, moment

OF_A_BATCH, UNREAD = text("batch_id IS NOT NULL"), text("read_at IS NULL")
TEMPLATES, CONTENTS = "notification.templates.template_id", "notification.contents.content_id"
NOTIFICATIONS, BATCHES = "notification.notifications.notification_id", "notification.batches.batch_id"


def key(*, primary: bool = False, nullable: bool = False, of: str | None = None) -> Any:
    """Text that sorts by its bytes, so that ids sort by their time."""
    references = [ForeignKey(of)] if of else []
    return Field(sa_column=Column(Text(collation="C"), *references, primary_key=primary, nullable=nullable))


def words() -> Any:
    """A text[] column."""
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


class TemplateRow(SQLModel, table=True):
    __tablename__ = "templates"
    __table_args__ = (Index("templates_by_name", "tenant_id", "name", unique=True), {"schema": "notification"})

    template_id: str = key(primary=True)
    tenant_id: str
    name: str = key()
    type: str
    version: int
    created_by: str
    created_at: datetime = moment(now=True)
    updated_at: datetime = moment(now=True)


class TemplateVersionRow(SQLModel, table=True):
    __tablename__ = "template_versions"
    __table_args__ = ({"schema": "notification"},)

    template_id: str = key(primary=True, of=TEMPLATES)
    version: int = Field(primary_key=True)
    tenant_id: str
    subject: str | None = None
    body: str
    format: str
    variables: list[str] = words()
    created_by: str
    created_at: datetime = moment(now=True)


class ContentRow(SQLModel, table=True):
    """What was rendered, once for all recipients of a batch."""

    __tablename__ = "contents"
    __table_args__ = ({"schema": "notification"},)

    content_id: str = key(primary=True)
    tenant_id: str
    subject: str | None = None
    body: str
    html: str | None = None
    created_at: datetime = moment(now=True)


class RecipientRow(SQLModel, table=True):
    __tablename__ = "recipients"
    __table_args__ = ({"schema": "notification"},)

    tenant_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    timezone: str | None = None
    webhook_url: str | None = None
    preferences: dict[str, bool] = json_column()
    updated_at: datetime = moment(now=True)


class PushRow(SQLModel, table=True):
    __tablename__ = "push_subscriptions"
    __table_args__ = (
        Index("push_by_device", "tenant_id", "user_id", "device_id", unique=True),
        Index("push_by_token", "tenant_id", text("md5(device_token)")),
        {"schema": "notification"},
    )

    subscription_id: str = key(primary=True)
    tenant_id: str
    user_id: str
    device_id: str
    device_token: str
    platform: str
    active: bool
    created_at: datetime = moment(now=True)
    updated_at: datetime = moment(now=True)


class BatchRow(SQLModel, table=True):
    __tablename__ = "batches"
    __table_args__ = ({"schema": "notification"},)

    batch_id: str = key(primary=True)
    tenant_id: str
    status: str
    template_id: str | None = None
    template_version: int | None = None
    content_id: str = key(of=CONTENTS)
    channels: list[str] = words()
    priority: str
    user_ids: list[str] = words()
    total: int
    requested_by: str
    correlation_id: str
    created_at: datetime = moment(now=True)
    finished_at: datetime | None = moment(nullable=True)


class NotificationRow(SQLModel, table=True):
    """`workflow_id` says who may try its channels: the batch's workflow, or its own."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index("notifications_by_tenant", "tenant_id", "notification_id"),
        Index("notifications_by_user", "tenant_id", "user_id", "notification_id"),
        Index("notifications_by_status", "tenant_id", "status", "notification_id"),
        Index("notifications_by_batch", "batch_id", "status", postgresql_where=OF_A_BATCH),
        Index("notifications_once", "batch_id", "user_id", unique=True, postgresql_where=OF_A_BATCH),
        {"schema": "notification"},
    )

    notification_id: str = key(primary=True)
    tenant_id: str
    user_id: str
    status: str
    priority: str
    template_id: str | None = None
    template_version: int | None = None
    content_id: str = key(of=CONTENTS)
    batch_id: str | None = key(nullable=True, of=BATCHES)
    workflow_id: str
    requested_by: str
    correlation_id: str
    created_at: datetime = moment(now=True)
    finished_at: datetime | None = moment(nullable=True)


class ChannelRow(SQLModel, table=True):
    """`claim` names the activity attempt that has the channel in hand while it is `sending`."""

    __tablename__ = "channels"
    __table_args__ = ({"schema": "notification"},)

    notification_id: str = key(primary=True, of=NOTIFICATIONS)
    channel: str = Field(primary_key=True)
    tenant_id: str
    place: int
    status: str
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    claim: str | None = None
    provider: str | None = None
    provider_message_id: str | None = None
    failure_class: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    delivery_id: str | None = None
    next_attempt_at: datetime | None = moment(nullable=True)
    finished_at: datetime | None = moment(nullable=True)


class AttemptRow(SQLModel, table=True):
    __tablename__ = "attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["notification_id", "channel"],
            ["notification.channels.notification_id", "notification.channels.channel"],
        ),
        {"schema": "notification"},
    )

    notification_id: str = key(primary=True)
    channel: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    tenant_id: str
    at: datetime = moment(now=True)
    outcome: str
    provider: str | None = None
    provider_message_id: str | None = None
    failure_class: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class InboxRow(SQLModel, table=True):
    __tablename__ = "inbox"
    __table_args__ = (
        Index("inbox_by_user", "tenant_id", "user_id", "notification_id"),
        Index("inbox_unread", "tenant_id", "user_id", "notification_id", postgresql_where=UNREAD),
        {"schema": "notification"},
    )

    notification_id: str = key(primary=True, of=NOTIFICATIONS)
    tenant_id: str
    user_id: str
    content_id: str = key(of=CONTENTS)
    created_at: datetime = moment(now=True)
    read_at: datetime | None = moment(nullable=True)
