"""Policies, their versions, and what they are assigned to."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from core.tables.platform import json_column, moment


class PolicyRow(SQLModel, table=True):
    """`version` is the present one."""

    __tablename__ = "policies"
    __table_args__ = ({"schema": "compliance"},)

    tenant_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version: int
    created_by: str
    created_at: datetime = moment(now=True)
    archived_at: datetime | None = moment(nullable=True)


class PolicyVersionRow(SQLModel, table=True):
    """Written once; only an erasure puts a pseudonym for who is named. `document` holds a `Policy` without what the
    other columns say."""

    __tablename__ = "policy_versions"
    __table_args__ = ({"schema": "compliance"},)

    tenant_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    document: dict[str, Any] = json_column()
    created_by: str
    created_at: datetime = moment(now=True)


class AssignmentRow(SQLModel, table=True):
    """`subject` is empty for the tenant."""

    __tablename__ = "policy_assignments"
    __table_args__ = ({"schema": "compliance"},)

    tenant_id: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    policy: str
    assigned_by: str
    assigned_at: datetime = moment(now=True)
