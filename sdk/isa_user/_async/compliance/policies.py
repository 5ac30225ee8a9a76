"""What findings lead to, and for whom."""

from collections.abc import Mapping, Sequence
from typing import Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._async.compliance.checks import ROOT
from isa_user._models.compliance import AssignmentScope, CheckType, ListEntry, NewRule, Policy, PolicyAssignment
from isa_user._request import Request, path

POLICIES, ASSIGNMENTS = f"{ROOT}/policies", f"{ROOT}/policy-assignments"


class Policies(BaseClient):
    """The policies that checks are judged by."""

    def list_policies(
        self,
        *,
        archived: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[Policy]:
        """The policies that a check may name: the built-in ones first. With `archived`, also those it may not."""
        query = {"archived": archived, "limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=POLICIES, query=query), Policy, options)

    async def get_policy(self, name: str, **options: Unpack[ReadOptions]) -> Policy:
        """One policy in its present version."""
        return await self._call(Request(method="GET", path=path(POLICIES + "/{}", name)), Policy, options)

    def list_policy_versions(
        self, name: str, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> Paged[Policy]:
        """A policy's versions, newest first."""
        query = {"limit": limit, "cursor": cursor}
        return self._pages(
            Request(method="GET", path=path(POLICIES + "/{}/versions", name), query=query), Policy, options
        )

    async def get_policy_version(self, name: str, *, version: int, **options: Unpack[ReadOptions]) -> Policy:
        """One version of a policy."""
        where = path(POLICIES + "/{}/versions/{}", name, str(version))
        return await self._call(Request(method="GET", path=where), Policy, options)

    async def create_policy(
        self,
        *,
        name: str,
        description: str | None = None,
        rules: Mapping[CheckType, NewRule] | None = None,
        keep_redacted: bool | None = None,
        max_content_bytes: int | None = None,
        cache_seconds: int | None = None,
        second_reviewer: bool | None = None,
        review_sla_minutes: int | None = None,
        reviewers: Sequence[str] | None = None,
        escalate_to: Sequence[str] | None = None,
        allow_list: Sequence[ListEntry] | None = None,
        block_list: Sequence[ListEntry] | None = None,
        **options: Unpack[WriteOptions],
    ) -> Policy:
        """Make a policy; types that `rules` leaves out are judged as under `default`. Needs an admin's token."""
        body = {
            "name": name,
            "description": description,
            "rules": rules,
            "keep_redacted": keep_redacted,
            "max_content_bytes": max_content_bytes,
            "cache_seconds": cache_seconds,
            "second_reviewer": second_reviewer,
            "review_sla_minutes": review_sla_minutes,
            "reviewers": reviewers,
            "escalate_to": escalate_to,
            "allow_list": allow_list,
            "block_list": block_list,
        }
        return await self._call(Request(method="POST", path=POLICIES, body=body), Policy, options)

    async def change_policy(
        self,
        name: str,
        *,
        expected_version: int | None = None,
        description: str | None = None,
        rules: Mapping[CheckType, NewRule] | None = None,
        keep_redacted: bool | None = None,
        max_content_bytes: int | None = None,
        cache_seconds: int | None = None,
        second_reviewer: bool | None = None,
        review_sla_minutes: int | None = None,
        reviewers: Sequence[str] | None = None,
        escalate_to: Sequence[str] | None = None,
        allow_list: Sequence[ListEntry] | None = None,
        block_list: Sequence[ListEntry] | None = None,
        **options: Unpack[ReadOptions],
    ) -> Policy:
        """Make these settings, as a whole, the policy's next version: what is left out gets its default.

        `Conflict` (`policy_version_conflict`) where the present version is not `expected_version`.
        """
        body = {
            "expected_version": expected_version,
            "description": description,
            "rules": rules,
            "keep_redacted": keep_redacted,
            "max_content_bytes": max_content_bytes,
            "cache_seconds": cache_seconds,
            "second_reviewer": second_reviewer,
            "review_sla_minutes": review_sla_minutes,
            "reviewers": reviewers,
            "escalate_to": escalate_to,
            "allow_list": allow_list,
            "block_list": block_list,
        }
        return await self._call(Request(method="PUT", path=path(POLICIES + "/{}", name), body=body), Policy, options)

    async def archive_policy(self, name: str, **options: Unpack[ReadOptions]) -> None:
        """No new check may use it; past checks keep naming it. `Conflict` (`policy_assigned`) while it is assigned."""
        await self._do(Request(method="DELETE", path=path(POLICIES + "/{}", name)), options)

    def list_policy_assignments(
        self, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> Paged[PolicyAssignment]:
        """Which policies judge checks that name none."""
        query = {"limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=ASSIGNMENTS, query=query), PolicyAssignment, options)

    async def assign_policy(
        self,
        *,
        scope: AssignmentScope,
        policy: str,
        subject: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> PolicyAssignment:
        """Have checks that name no policy judged by this one: of the tenant, of a category, of a caller (`subject`)."""
        body = {"scope": scope, "subject": subject, "policy": policy}
        return await self._call(Request(method="PUT", path=ASSIGNMENTS, body=body), PolicyAssignment, options)

    async def unassign_policy(
        self, *, scope: AssignmentScope, subject: str | None = None, **options: Unpack[ReadOptions]
    ) -> None:
        """Take an assignment back."""
        query = {"scope": scope, "subject": subject}
        await self._do(Request(method="DELETE", path=ASSIGNMENTS, query=query), options)
