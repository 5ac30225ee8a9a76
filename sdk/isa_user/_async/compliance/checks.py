"""Single checks and the history of checks."""

from collections.abc import Sequence
from typing import Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._models.base import Moment
from isa_user._models.compliance import Check, CheckStatus, CheckType, PiiEntity, RiskLevel
from isa_user._request import Request, path

ROOT = "/api/v1/compliance"


class Checks(BaseClient):
    """One text checked while the caller waits, and what was checked before."""

    async def check(
        self,
        *,
        content: str,
        content_type: str | None = None,
        check_types: Sequence[CheckType] | None = None,
        policy: str | None = None,
        category: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> Check:
        """Check one text of at most 100 KiB, or what the policy takes; all types when `check_types` is left out.

        `content_type` is text, prompt, html, markdown or json. Without a `policy`, the one assigned to the caller, the
        `category` or the tenant judges.
        `status` is passed, flagged, blocked, review, or incomplete when a detector asked for could not judge.
        """
        body = {
            "content": content,
            "content_type": content_type,
            "check_types": check_types,
            "policy": policy,
            "category": category,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/check", body=body), Check, options)

    def list_checks(
        self,
        *,
        status: CheckStatus | None = None,
        risk_level: RiskLevel | None = None,
        check_type: CheckType | None = None,
        entity: PiiEntity | None = None,
        policy: str | None = None,
        checked_by: str | None = None,
        batch_id: str | None = None,
        from_date: Moment | None = None,
        to_date: Moment | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[Check]:
        """Past checks, newest first, without spans and redactions; `to_date` is exclusive. Texts are not kept."""
        query = {
            "status": status,
            "risk_level": risk_level,
            "check_type": check_type,
            "entity": entity,
            "policy": policy,
            "checked_by": checked_by,
            "batch_id": batch_id,
            "from": from_date,
            "to": to_date,
            "limit": limit,
            "cursor": cursor,
        }
        return self._pages(Request(method="GET", path=f"{ROOT}/checks", query=query), Check, options)

    async def get_check(self, check_id: str, **options: Unpack[ReadOptions]) -> Check:
        """One past check."""
        return await self._call(Request(method="GET", path=path(ROOT + "/checks/{}", check_id)), Check, options)
