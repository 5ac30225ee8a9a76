"""What another policy would make of past checks."""

from typing import Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._async.compliance.checks import ROOT
from isa_user._constants import WAIT_WITHIN
from isa_user._models.base import Moment
from isa_user._models.compliance import PolicyDraft, Rescore
from isa_user._request import Request, path

RESCORES = f"{ROOT}/rescores"


class Rescores(BaseClient):
    """Past checks judged again; nothing is changed."""

    async def create_rescore(
        self,
        *,
        policy: str | None = None,
        version: int | None = None,
        draft: PolicyDraft | None = None,
        run_detectors: bool | None = None,
        of_policy: str | None = None,
        from_date: Moment | None = None,
        to_date: Moment | None = None,
        limit: int | None = None,
        examples: int | None = None,
        **options: Unpack[WriteOptions],
    ) -> Rescore:
        """Judge past checks that kept their redacted text by a policy, or by a `draft` of one: a dry run.

        `run_detectors` False judges only the scores that were kept; `to_date` is exclusive. Needs an admin's token.
        """
        body = {
            "policy": policy,
            "version": version,
            "draft": draft,
            "run_detectors": run_detectors,
            "of_policy": of_policy,
            "from": from_date,
            "to": to_date,
            "limit": limit,
            "examples": examples,
        }
        return await self._call(Request(method="POST", path=RESCORES, body=body), Rescore, options)

    def list_rescores(
        self, *, limit: int | None = None, cursor: str | None = None, **options: Unpack[ReadOptions]
    ) -> Paged[Rescore]:
        """Re-scores, newest first."""
        query = {"limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=RESCORES, query=query), Rescore, options)

    async def get_rescore(self, rescore_id: str, **options: Unpack[ReadOptions]) -> Rescore:
        """How far a re-score is, and what it found so far."""
        return await self._call(Request(method="GET", path=path(RESCORES + "/{}", rescore_id)), Rescore, options)

    async def cancel_rescore(self, rescore_id: str, **options: Unpack[WriteOptions]) -> Rescore:
        """Stop it; what it found so far stays. `Conflict` (`rescore_finished`) at its end."""
        request = Request(method="POST", path=path(RESCORES + "/{}/cancel", rescore_id))
        return await self._call(request, Rescore, options)

    async def wait_for_rescore(
        self, rescore_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]
    ) -> Rescore:
        """The re-score once it has ended. `TimedOut` after `within` seconds."""
        return await self._wait(
            lambda: self.get_rescore(rescore_id, **options), done=lambda rescore: rescore.finished, within=within
        )
